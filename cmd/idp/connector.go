package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"idp/audit"
	"idp/cmd/idp/internal/settings"
	"idp/mailer"
	"idp/mailer/httpmail"
	"idp/mailer/inbox"
	"idp/mailer/ses"
	"idp/mailer/smtp"
	"idp/store"
)

type connectorCmd struct {
	Set    connectorSetCmd    `cmd:"" help:"Set a connector up; it becomes the first that is tried."`
	List   connectorListCmd   `cmd:"" help:"List the connectors in the order they are tried."`
	Show   connectorShowCmd   `cmd:"" help:"Show a connector's configuration, its secrets masked."`
	Test   connectorTestCmd   `cmd:"" help:"Send a test mail, also with a configuration that is not saved."`
	Order  connectorOrderCmd  `cmd:"" help:"Choose which connectors are tried first."`
	Remove connectorRemoveCmd `cmd:"" help:"Remove a connector."`
}

type connectorSetCmd struct {
	ID   string `arg:"" help:"aws-ses-mail (Amazon SES), smtp (a mail server), http (posts each mail to your own program) or inbox (a mailbox on this server, for development)."`
	File string `help:"Its configuration, a JSON file; - reads standard input." placeholder:"FILE"`
	// Where the server is: what becomes of the mailbox hangs on it.
	Endpoint string `help:"Public base URL of the server (default: http://localhost:3001)." placeholder:"URL"`
}

// Help shows how it is used.
func (*connectorSetCmd) Help() string {
	return `Examples:

  idp connector set aws-ses-mail --file ses.json

  idp connector set inbox

  idp connector set smtp --file smtp.json

  with, in smtp.json, what Logto's SMTP connector takes, or as little as

  {"host": "smtp.example.com", "auth": {"user": "…", "pass": "…"}, "fromEmail": "Shop <no-reply@example.com>"}

  echo '{"url": "https://mail.example.com/hooks/idp"}' | idp connector set http --file -

The configuration is sealed under the instance secret. The running server takes it up within seconds.`
}

// Run seals a connector's configuration and puts it first.
func (c *connectorSetCmd) Run(a *app) error {
	switch c.ID {
	case inbox.ID, httpmail.ID, ses.ID, smtp.ID:
	default:
		return usage(fmt.Errorf("there is no connector %q", printable(c.ID)), "Connectors: aws-ses-mail, smtp, http, inbox.")
	}
	config := []byte("{}")
	if c.File != "" {
		var err error
		if config, err = a.readInput(c.File); err != nil {
			return usage(err, "")
		}
	}
	endpoint, err := settings.ParseEndpoint(cmp.Or(c.Endpoint, localEndpoint))
	if err != nil {
		return usage(err, "")
	}
	return a.with(func(ctx context.Context, in *instance) error {
		if err := in.setConnector(ctx, c.ID, config); err != nil {
			return err
		}
		a.note("Mail goes through %s now.", c.ID)
		switch {
		case c.ID != inbox.ID:
		case store.IsLoopback(endpoint.Hostname()):
			a.note("It keeps all mails on this server, in the mailbox at /dev/inbox. A server that runs already shows it after a restart.\nThe mailbox is there with a loopback endpoint only (IDP_ENDPOINT).")
		default:
			a.note("It keeps all mails on this server, where nobody gets to see them: %s is no loopback endpoint, so there is no mailbox at /dev/inbox, and idp serve starts\nonly with --allow-inbox. Set another connector for real mail: idp connector set --help", endpoint)
		}
		return nil
	})
}

// senders are the connectors this program has.
func (in *instance) senders() mailer.Kinds {
	return mailer.Kinds{inbox.ID: in.mailbox().Factory, httpmail.ID: httpmail.New, ses.ID: ses.Factory(in.ses), smtp.ID: smtp.New}
}

func (in *instance) mailbox() *inbox.Inbox { return inbox.New(in.db, in.ring) }

// setConnector sets a connector up, and puts it first.
func (in *instance) setConnector(ctx context.Context, id string, config []byte) error {
	read, err := jsonObject(config)
	if err == nil {
		_, err = in.admin.SetConnector(ctx, audit.Command(), id, read)
	}
	return configFailure(id, err)
}

// jsonObject reads a configuration.
func jsonObject(text []byte) (config map[string]any, err error) {
	if err := json.Unmarshal(text, &config); err != nil || config == nil {
		return nil, store.InvalidField("read configuration", "config", "is no JSON object: "+cmp.Or(fmt.Sprint(err), "it is null"))
	}
	return config, nil
}

// configFailure says what a refused configuration should be like.
func configFailure(id string, err error) error {
	var field *store.FieldError
	if !errors.As(err, &field) {
		return err
	}
	hint := ""
	switch id {
	case httpmail.ID:
		hint = `It is {"url": "https://…"}, given with --file.`
	case ses.ID:
		hint = "Logto's configuration of this connector, given with --file: docs/email-ses.md."
	case smtp.ID:
		hint = `It is {"host", "auth": {"user", "pass"}, "fromEmail"} and more (docs/email-smtp.md), given with --file.`
	}
	return usage(errors.New(strings.TrimPrefix(field.Error(), "config: ")), hint)
}

// readInput reads a file, or standard input for -, without the space around it.
func (a *app) readInput(path string) ([]byte, error) {
	const most = 1 << 20
	in := a.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, most+1))
	if err == nil && len(text) > most {
		err = errors.New(path + " is longer than 1 MB")
	}
	return []byte(strings.TrimSpace(string(text))), err
}
