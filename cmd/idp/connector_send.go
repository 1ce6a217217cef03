package main

import (
	"context"
	"errors"
	"fmt"

	"idp/admin"
	"idp/audit"
	"idp/mailer"
	"idp/store"
	"idp/store/address"
)

type connectorTestCmd struct {
	jsonFlag
	ID     string `arg:"" help:"Connector."`
	To     string `help:"Address to send to." required:"" placeholder:"EMAIL"`
	File   string `help:"A configuration to try, a JSON file; - reads standard input (default: the one that is saved)." placeholder:"FILE"`
	Locale string `help:"Language of the mail, like ja." default:"en" placeholder:"TAG"`
}

// Help shows how it is used.
func (*connectorTestCmd) Help() string {
	return `The mail goes out at once, past the queue, the suppression list and all limits, with the code 000000, which opens nothing.

  idp connector test aws-ses-mail --to you@example.com

  idp connector test smtp --to you@example.com --file new-config.json

What the provider says when it refuses is shown in its own words, with what to do.`
}

// testView is a test as the command prints it.
type testView struct {
	Sent      bool   `json:"sent"`
	Connector string `json:"connector"`
	To        string `json:"to"`
	mailer.Tested
	Milliseconds int64  `json:"milliseconds"`
	Class        string `json:"class,omitempty"` // of the error
	Error        string `json:"error,omitempty"` // in the provider's words
	Hint         string `json:"hint,omitempty"`
}

// Run sends one mail and says what became of it.
func (c *connectorTestCmd) Run(a *app) error {
	to, err := address.Parse(c.To)
	if err != nil {
		return usage(fmt.Errorf("--to %q: %w", printable(c.To), err), "")
	}
	var config map[string]any
	if c.File != "" {
		text, err := a.readInput(c.File)
		if err != nil {
			return usage(err, "")
		}
		if config, err = jsonObject(text); err != nil {
			return configFailure(c.ID, err)
		}
	}
	return a.with(func(ctx context.Context, in *instance) error {
		sent, err := in.admin.TestConnector(ctx, audit.Command(), c.ID, admin.ConnectorTest{To: to, Config: config, Locale: c.Locale})
		if store.CodeOf(err) == store.NotFound {
			return noConnector(c.ID)
		}
		v := testView{Sent: err == nil, Connector: c.ID, To: string(to), Tested: sent, Milliseconds: sent.Took.Milliseconds()}
		var refused *mailer.SendError
		if errors.As(err, &refused) {
			v.Class, v.Error, v.Hint = string(refused.Class), refused.Err.Error(), refused.Hint
			if refused.Class == mailer.Refused && v.Hint == "" {
				v.Hint = "The address is refused, not the connector: send the test to another one."
			}
			err = failed(fmt.Errorf("%s did not take the mail (%s): %w", c.ID, refused.Class, refused.Err), v.Hint)
		}
		if c.JSON {
			return errors.Join(err, a.printJSON(v))
		}
		if err != nil {
			return err
		}
		return a.table([]string{"Sent", v.Subject}, []string{"To", v.To}, []string{"From", orDash(v.From)}, []string{"Connector", c.ID},
			[]string{"Provider's id", orDash(v.Provider)}, []string{"Took", fmt.Sprint(v.Milliseconds, " ms")})
	})
}
