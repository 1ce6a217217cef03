package mailer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	smtpd "github.com/emersion/go-smtp"

	"idp/mailer"
	"idp/store"
)

// connectorState is how all replicas get on with a connector.
func (w *world) connectorState(id string) (c mailer.ConnectorState) {
	w.t.Helper()
	all, err := mailer.ConnectorStates(w.t.Context(), w.db)
	if err != nil {
		w.t.Fatal(err)
	}
	if i := slices.IndexFunc(all, func(c mailer.ConnectorState) bool { return c.Connector == id }); i >= 0 {
		c = all[i]
	}
	return c
}

// A server that has taken a mail and then relays for nobody any more gives answers that are each
// the mail's own. That all of them are so is told, and keeps no mail away.
func TestServerThatTakesNoMailAnyMore(t *testing.T) {
	t.Parallel()
	for answer, class := range map[string]mailer.Class{
		"Relay access denied": mailer.Misconfigured,
		"blocked by policy":   mailer.Rejected,
	} {
		t.Run(string(class), func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			r := &relay{against: &smtpd.SMTPError{Code: 554, EnhancedCode: smtpd.EnhancedCode{5, 7, 1}, Message: answer}}
			r.serve(w)
			q := w.queue(nil, quick())
			w.run(q)
			before := w.order(q, "ada@example.com", nil)
			before.handTo(q)
			w.becomes(store.MailSent, before)
			tries := 0
			for _, name := range []string{"eve", "mallory"} { // what is left of the first row is tried again amid the second
				for i := range 9 {
					w.order(q, fmt.Sprintf("%s%d@strange.example", name, i), nil).handTo(q)
				}
				w.order(q, name+"0@strange.example", nil).handTo(q) // asked twice
				if tries += 10; class == mailer.Misconfigured {
					tries += 30
				}
				w.until("refusals", func() bool { return strings.Count(w.log.String(), "mail not sent") >= tries })
				tenth := time.Now()
				w.order(q, name+"9@strange.example", nil).handTo(q)
				w.until("a row of ten", func() bool { _, told := w.connectorState("post").Refusing(); return told })
				c := w.connectorState("post")
				row, _ := c.Refusing()
				if c.State != mailer.Closed || row.Recipients != 10 || c.LastSuccess.IsZero() || !row.Since.After(c.LastSuccess) || row.Last.Before(tenth) {
					t.Errorf("%+v", c)
				}
				if !strings.Contains(row.Words, answer) || strings.Contains(row.Words, name) {
					t.Errorf("words: %q", row.Words)
				}
				after := w.order(q, "ada@example.com", nil)
				after.handTo(q)
				w.becomes(store.MailSent, after)
				w.until("the end of the row", func() bool { return w.health("post").Refusals.Recipients == 0 })
			}
		})
	}
}

// A row of one replica is told where no replica has had a mail taken since it began. One that
// this release's predecessor runs tells of no row.
func TestRefusalsOfReplicas(t *testing.T) {
	t.Parallel()
	row := func(n, since int) string {
		return fmt.Sprintf(`"refusals":{"recipients":%d,"since":"2026-01-01T00:00:%02dZ","last":"2026-01-01T00:00:59Z"}`, n, since)
	}
	taken := func(at int) string { return fmt.Sprintf(`"lastSuccess":"2026-01-01T00:00:%02dZ"`, at) }
	for name, c := range map[string]struct {
		replicas []string
		want     int
	}{
		"one":                               {[]string{taken(5) + "," + row(10, 6)}, 10},
		"none has taken any":                {[]string{row(10, 6)}, 10},
		"too few":                           {[]string{row(9, 6), row(9, 6)}, 0},
		"another one idles":                 {[]string{row(12, 6), taken(5)}, 12},
		"the longer one":                    {[]string{row(12, 6), row(14, 6), row(11, 6)}, 14},
		"another one took a mail since":     {[]string{row(12, 6), taken(7)}, 0},
		"another one took a mail in my row": {[]string{row(12, 6), taken(7) + "," + row(10, 8)}, 10},
		"the release before":                {[]string{taken(7)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			for _, health := range c.replicas {
				err := w.db.SetConnectorHealth(t.Context(), store.ConnectorHealth{Connector: "post", Replica: store.NewID(time.Now()), Health: []byte(`{"state":"closed",` + health + `}`)})
				if err != nil {
					t.Fatal(err)
				}
			}
			row, told := w.connectorState("post").Refusing()
			if told != (c.want > 0) || told && row.Recipients != c.want {
				t.Errorf("%+v %t", row, told)
			}
		})
	}
}
