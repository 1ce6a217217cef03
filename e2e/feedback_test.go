package e2e_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"idp/mailer/sns/snstest"
)

// asSES makes the mails that were sent ones that SES took under a name.
func (s *server) asSES(provider string) {
	s.t.Helper()
	driver, source := "sqlite", "file:"+s.database+"?_pragma=busy_timeout(5000)"
	if s.engine == "postgres" {
		driver, source = "pgx", s.database
	}
	db := must(sql.Open(driver, source))
	defer func() { _ = db.Close() }()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		done, err := db.Exec(`UPDATE mail SET sender = 'aws-ses-mail', provider_id = $1 WHERE state = 2 AND sender = 'inbox'`, provider)
		if err != nil {
			s.t.Fatal(err)
		}
		if n, _ := done.RowsAffected(); n > 0 {
			return
		}
		if time.Now().After(end) {
			s.t.Fatal("no mail was sent")
		}
	}
}

// hook posts to the hook as SNS does.
func (s *server) hook(body []byte, want int) {
	s.t.Helper()
	res, err := http.Post("http://"+s.address+"/hooks/ses", "text/plain; charset=UTF-8", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != want {
		s.t.Fatalf("the hook answers %d, want %d\n%s", res.StatusCode, want, s.log.String())
	}
}

// SNS confirms a subscription and tells of a bounce: the page of the person says so, no
// more mail goes there, and an admin lifts it.
func TestBounceOverSNS(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			sns := snstest.New(t)
			s := newServer(t, engine, append(sns.Environment(), "IDP_SES_TOPICS="+snstest.Topic)...)
			s.start()
			s.hook(sns.Sign(sns.Confirmation("a1b2c3")), 200)
			if got := sns.Confirmed(); len(got) != 1 || got[0] != "a1b2c3" {
				t.Fatalf("confirmed %v\n%s", got, s.log.String())
			}

			const ada = "ada.lovelace@example.com"
			r := s.request(s.newClient())
			r.params.Set("first_screen", "register")
			v := newVisitor(t, s)
			page := v.enter(r, ada).is(200)
			s.code(ada, 1)
			s.asSES("0100-1")
			event := fmt.Sprintf(`{"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [
				{"emailAddress": %q, "diagnosticCode": "smtp; 550 5.1.1 <%[1]s> user unknown"}]}, "mail": {"messageId": "0100-1", "timestamp": %q,
				"commonHeaders": {"subject": %q}}}`, ada, time.Now().UTC().Format(time.RFC3339), strings.Repeat("long ", 20_000)) // 100 kB
			forged := sns.Notification(event)
			s.hook(forged.Body(), 403)
			if out := s.run("suppression", "list", "--json"); strings.TrimSpace(out) != "[]" {
				t.Fatalf("a forged message suppresses: %s", out)
			}
			body := sns.Sign(sns.Notification(event))
			s.hook(body, 200)
			s.hook(body, 403)

			challenge, _ := page.field("c")
			if got := v.get("/verify/status?c=" + challenge); !strings.Contains(got.body, `"mail":"bounced"`) {
				t.Errorf("the page's script is told %s", got.body)
			}
			newVisitor(t, s).enter(r, ada).is(200, "Mail to this address does not arrive")
			if out := s.run("delivery", "list", "--to", ada); !strings.Contains(out, " suppressed ") || !strings.Contains(out, " bounced ") || strings.Contains(out, ada) {
				t.Errorf("the log says\n%s", out)
			}
			s.run("suppression", "remove", ada)
			newVisitor(t, s).enter(r, ada).is(200)
			s.code(ada, 2)
			if strings.Contains(s.log.String(), "lovelace") {
				t.Error("the address is logged")
			}
		})
	}
}
