package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"idp/doctor"
	"idp/mailer"
	"idp/mailer/inbox"
	"idp/mailer/ses"
	"idp/store"
)

// examineTimeout bounds what a connector's provider is asked.
const examineTimeout = 20 * time.Second

// connectors looks at each, and at the domains that they send from.
func (v *visit) connectors(ctx context.Context) {
	const check = "connectors"
	found, err := v.in.db.Connectors(ctx)
	if err != nil {
		v.tell.Fail(check, "", "%s", oneLine(err))
		return
	}
	if len(found) == 0 {
		v.tell.Fail(check, "idp connector set --help", "none is set: mails wait in the queue and expire")
		return
	}
	domains := map[string]bool{}
	for _, c := range found {
		v.connector(ctx, c, domains)
	}
	v.health(ctx)
}

// health is what the running servers tell of their connectors.
func (v *visit) health(ctx context.Context) {
	const check = "delivery"
	states, err := mailer.ConnectorStates(ctx, v.in.db)
	if err != nil {
		v.tell.Fail(check, "", "%s", oneLine(err))
		return
	}
	for _, s := range states {
		row, refusing := s.Refusing()
		switch {
		case s.State == mailer.Open:
			v.tell.Fail(check, "Look at what it said above; idp connector test "+s.Connector+" --to YOU tries it.",
				"%s is failing, and left alone for a while: %s", s.Connector, s.Latest.LastError)
		case refusing: // not a failure: a stranger with ten bad addresses brings it about, too
			v.tell.Warn(check, "Are these addresses real? Then look at what it said; idp connector test "+s.Connector+" --to YOU tries it.",
				"%s", refusedAll(s.Connector, row, s.LastSuccess))
		case s.Latest.Nearly():
			v.tell.Warn(check, "Ask the provider for a higher quota.", "%s has sent %.0f of %.0f mails of the day", s.Connector, s.Latest.Sent, s.Latest.Day)
		default:
			v.tell.OK(check, "%s works, as %s it", s.Connector, counted(len(s.Reports), "running server sees", "running servers see"))
		}
	}
}

// refusedAll tells that a connector refuses one mail after the other. What is wrong, if anything
// is, is for a person to say, by what it said.
func refusedAll(connector string, row mailer.Refusals, taken time.Time) string {
	last := "it took none since the servers were started"
	if !taken.IsZero() {
		last = "it took the last mail at " + day(taken)
	}
	return fmt.Sprintf("%s refused the mails to the last %d recipients, since %s; %s. It said: %s", connector, row.Recipients, day(row.Since), last, printable(row.Words))
}

// connector looks at one. domains are those whose DNS was looked at.
func (v *visit) connector(ctx context.Context, c store.Connector, domains map[string]bool) {
	check := c.ID
	sender, config, err := v.in.sender(c)
	if err != nil {
		v.tell.Fail(check, "Set it anew: idp connector set "+c.ID+" --file config.json", "%s", oneLine(err))
		return
	}
	if s, ok := sender.(mailer.Closer); ok {
		defer func() { _ = s.Close() }()
	}
	if c.ID == inbox.ID {
		v.inbox()
		return
	}
	from := addressOf(sender)
	v.tell.OK(check, "set up%s", map[bool]string{true: ", sends from " + from, false: ""}[from != ""])
	if s, ok := sender.(mailer.Examined); ok {
		ctx, cancel := context.WithTimeout(ctx, examineTimeout)
		for _, f := range s.Examine(ctx) {
			v.tell(f)
		}
		cancel()
	}
	v.providerClock(ctx, c.ID, config)
	_, name, ok := strings.Cut(from, "@")
	if !ok || domains[name] {
		return
	}
	domains[name] = true
	d := doctor.Domain{Name: name, DNS: v.dns, Selector: v.cmd.DKIMSelector, Host: field(config, "host")}
	if c.ID == ses.ID {
		d.Include = "amazonses.com"
	}
	if s, ok := sender.(mailer.Published); ok {
		ctx, cancel := context.WithTimeout(ctx, examineTimeout)
		defer cancel()
		if d.Records, err = s.Records(ctx); err != nil {
			d.Unasked = true
			words, hint := wordsOf(err)
			v.tell.Warn(mailer.PurposeDKIM, hint, "the records that %s wants could not be asked for: %s", c.ID, words)
		}
	}
	d.Check(ctx, v.tell)
}

func (v *visit) inbox() {
	const fix = "Set another connector: idp connector set --help"
	switch {
	case v.options.endpoint == nil:
	case v.options.loopback():
		v.tell.OK(inbox.ID, "keeps all mails in the mailbox on this server")
	case v.options.AllowInbox:
		v.tell.Warn(inbox.ID, fix, "keeps all mails on this server, they reach nobody")
	default:
		v.tell.Fail(inbox.ID, fix, "keeps all mails on this server, and %s is open to others: the server does not start", v.options.endpoint)
	}
}

// providerClock compares with the provider's clock: a request signed more than five
// minutes off is refused by AWS. Any answer carries the time, also a refusal.
func (v *visit) providerClock(ctx context.Context, id string, config []byte) {
	region, where := field(config, "region"), v.app.AWSEndpointURL
	if id != ses.ID || region == "" && where == "" {
		return
	}
	if where == "" {
		where = "https://email." + region + ".amazonaws.com/"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return
	}
	before := time.Now()
	res, err := v.http.Do(req)
	if err != nil {
		return // Examine has told that it cannot be reached
	}
	_ = res.Body.Close()
	if at, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		at = at.Add(500 * time.Millisecond) // it is cut to the second
		v.judgeClock("the one of Amazon SES", at.Sub(before.Add(time.Since(before)/2)))
	}
}

// field reads a text field of a connector's configuration.
func field(config []byte, name string) string {
	var fields map[string]any
	_ = json.Unmarshal(config, &fields) // it was read before
	text, _ := fields[name].(string)
	return text
}

// wordsOf gives the provider's words, and what to do.
func wordsOf(err error) (words, hint string) {
	var e *mailer.SendError
	if errors.As(err, &e) {
		return oneLine(e.Err), e.Hint
	}
	return oneLine(err), ""
}
