package email

import (
	"testing"
	"time"

	"idp/admin"
	"idp/mailer"
	"idp/web/console/shell"
	"idp/web/locales"
)

// A connector that has not taken a mail is not said to work, whatever its circuit is.
func TestHealth(t *testing.T) {
	t.Parallel()
	v := &shell.Visit{Lang: &locales.Language{Tag: "en"}}
	for _, c := range []struct {
		want  string
		told  mailer.ConnectorState
		mails map[string]int
	}{
		{"Works", mailer.ConnectorState{LastSuccess: time.Unix(1, 0)}, nil},
		{"Works", mailer.ConnectorState{}, map[string]int{"delivered": 1}}, // before the servers were started anew
		{"No mail lately", mailer.ConnectorState{}, map[string]int{"failed": 1}},
		{"Took no mail lately", mailer.ConnectorState{Latest: mailer.Health{LastError: "no such host"}}, nil},
		{"Works", refused(9), nil},
		{"Took no mail lately", refused(10), map[string]int{"sent": 1}},
	} {
		c.told.State = mailer.Closed
		if got := healthOf(v, admin.ConnectorState{Health: &c.told, Mails: c.mails}).Text; got != c.want {
			t.Errorf("%q in the place of %q", got, c.want)
		}
	}
}

// refused is a connector that took a mail, and refused the n after it.
func refused(n int) mailer.ConnectorState {
	last := mailer.Health{LastSuccess: time.Unix(1, 0), Refusals: mailer.Refusals{Recipients: n, Since: time.Unix(2, 0)}}
	return mailer.ConnectorState{LastSuccess: last.LastSuccess, Latest: last, Reports: []mailer.Report{{Health: last}}}
}
