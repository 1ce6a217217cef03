package smtp

import (
	"context"
	"errors"
	"slices"
	"strings"

	"idp/mailer"
)

// checks are what Examine looks at, in the order of a connection, with the stages whose
// failure is theirs.
var checks = []struct {
	name   string
	stages []stage
}{
	{"mail server", []stage{stageConnect, stageGreet}},
	{"encryption", []stage{stageTLS}},
	{"sign-in", []stage{stageAuth}},
}

// Examine connects, encrypts, signs in and asks whether the server is there (NOOP), each a
// finding. It sends no mail.
func (s *Sender) Examine(ctx context.Context) []mailer.Finding {
	said := map[stage]string{}
	c, err := s.settings.dial(ctx, func(at stage, text string) { said[at] = text })
	if err == nil {
		defer c.quit()
		release := bound(ctx, c.raw)
		if nop := c.client.Noop(); nop != nil {
			err = &fault{stageGreet, nop}
		}
		release()
	}
	var findings []mailer.Finding
	for _, check := range checks {
		f := mailer.Finding{Check: check.name, Level: mailer.OK}
		if failed := failure(err, check.stages); failed != nil {
			f.Level, f.Text, f.Fix = mailer.Failure, failed.Err.Error(), failed.Hint
			return append(findings, f) // what comes after was not reached
		}
		f.Text = said[check.stages[0]]
		switch {
		case check.name == "encryption" && err == nil && !c.encrypted:
			f.Text = "none"
			if !s.settings.tls.loopback {
				f.Level, f.Text, f.Fix = mailer.Warning, "mails go in clear: "+s.settings.tls.reason, `set tls to "starttls" or "tls"`
			}
		case check.name == "sign-in" && s.settings.login == nil:
			f.Text = "none is set up"
		}
		findings = append(findings, f)
	}
	return findings
}

// failure gives err if it comes of one of these stages.
func failure(err error, of []stage) *mailer.SendError {
	var f *fault
	if !errors.As(err, &f) || !slices.Contains(of, f.stage) {
		return nil
	}
	e := classify(err, "")
	e.Err = errors.New(strings.TrimPrefix(e.Err.Error(), string(f.stage)+": "))
	return e
}
