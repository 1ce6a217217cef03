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
		told  mailer.Health
		mails map[string]int
	}{
		{"Works", mailer.Health{LastSuccess: time.Unix(1, 0)}, nil},
		{"Works", mailer.Health{}, map[string]int{"delivered": 1}}, // before the servers were started anew
		{"No mail lately", mailer.Health{}, map[string]int{"failed": 1}},
		{"Took no mail lately", mailer.Health{LastError: "no such host"}, nil},
	} {
		state := mailer.ConnectorState{State: "closed", Latest: c.told}
		if got := healthOf(v, admin.ConnectorState{Health: &state, Mails: c.mails}).Text; got != c.want {
			t.Errorf("%q in the place of %q", got, c.want)
		}
	}
}
