package e2e_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"idp/e2e/rig"

	"idp/mailer/sns/snstest"
)

// asSES makes the mails that were sent ones that SES took under a name.
func asSES(s *rig.Server, provider string) {
	s.T.Helper()
	driver, source := "sqlite", "file:"+s.Database+"?_pragma=busy_timeout(5000)"
	if s.Engine == "postgres" {
		driver, source = "pgx", s.Database
	}
	db := rig.Must(sql.Open(driver, source))
	defer func() { _ = db.Close() }()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		done, err := db.Exec(`UPDATE mail SET sender = 'aws-ses-mail', provider_id = $1 WHERE state = 2 AND sender = 'inbox'`, provider)
		if err != nil {
			s.T.Fatal(err)
		}
		if n, _ := done.RowsAffected(); n > 0 {
			return
		}
		if time.Now().After(end) {
			s.T.Fatal("no mail was sent")
		}
	}
}

// hook posts to the hook as SNS does.
func postHook(s *rig.Server, body []byte, want int) {
	s.T.Helper()
	res, err := http.Post("http://"+s.Address+"/hooks/ses", "text/plain; charset=UTF-8", bytes.NewReader(body))
	if err != nil {
		s.T.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != want {
		s.T.Fatalf("the hook answers %d, want %d\n%s", res.StatusCode, want, s.Log.String())
	}
}

// SNS confirms a subscription and tells of a bounce: the page of the person says so, no
// more mail goes there, and an admin lifts it.
func TestBounceOverSNS(t *testing.T) {
	for _, engine := range rig.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			sns := snstest.New(t)
			s := rig.NewServer(t, engine, append(sns.Environment(), "IDP_SES_TOPICS="+snstest.Topic)...)
			s.Start()
			postHook(s, sns.Sign(sns.Confirmation("a1b2c3")), 200)
			if got := sns.Confirmed(); len(got) != 1 || got[0] != "a1b2c3" {
				t.Fatalf("confirmed %v\n%s", got, s.Log.String())
			}

			const ada = "ada.lovelace@example.com"
			r := s.Request(s.NewClient())
			r.Params.Set("first_screen", "register")
			v := rig.NewVisitor(t, s)
			page := v.Enter(r, ada).Is(200)
			s.Code(ada, 1)
			asSES(s, "0100-1")
			event := fmt.Sprintf(`{"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [
				{"emailAddress": %q, "diagnosticCode": "smtp; 550 5.1.1 <%[1]s> user unknown"}]}, "mail": {"messageId": "0100-1", "timestamp": %q,
				"commonHeaders": {"subject": %q}}}`, ada, time.Now().UTC().Format(time.RFC3339), strings.Repeat("long ", 20_000)) // 100 kB
			forged := sns.Notification(event)
			postHook(s, forged.Body(), 403)
			if out := s.Run("suppression", "list", "--json"); strings.TrimSpace(out) != "[]" {
				t.Fatalf("a forged message suppresses: %s", out)
			}
			body := sns.Sign(sns.Notification(event))
			postHook(s, body, 200)
			postHook(s, body, 403)

			challenge, _ := page.Field("c")
			if got := v.Get("/verify/status?c=" + challenge); !strings.Contains(got.Body, `"mail":"bounced"`) {
				t.Errorf("the page's script is told %s", got.Body)
			}
			rig.NewVisitor(t, s).Enter(r, ada).Is(200, "Mail to this address does not arrive")
			if out := s.Run("delivery", "list", "--to", ada); !strings.Contains(out, " suppressed ") || !strings.Contains(out, " bounced ") || strings.Contains(out, ada) {
				t.Errorf("the log says\n%s", out)
			}
			s.Run("suppression", "remove", ada)
			rig.NewVisitor(t, s).Enter(r, ada).Is(200)
			s.Code(ada, 2)
			if strings.Contains(s.Log.String(), "lovelace") {
				t.Error("the address is logged")
			}
		})
	}
}
