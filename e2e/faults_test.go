package e2e_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A power cut at each step, then a restart: the person goes on or starts again,
// and nothing is half done.
func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *server) {
		app := s.newClient()
		cut := func() { s.kill(); s.start() }
		r := s.request(app, "first_screen", "register")
		v := newVisitor(t, s)

		p := v.get(r.path()).is(200)
		cut() // the request travels with the person
		p = v.submit(p, "/register", "email", "ada@example.com").is(200)
		cut() // the mail is in the queue, if it had not gone out
		code := s.code("ada@example.com", 1)
		p = v.get(p.url.String()).is(200)
		wrong := "000000"
		if code == wrong {
			wrong = "111111"
		}
		v.submit(p, "/verify", "code", wrong).is(422, "4")
		cut() // the try stays counted
		v.submit(p, "/verify", "code", wrong).is(422, "3")
		answer := v.submit(p, "/verify", "code", code).answer(r)
		cut() // what was acknowledged is there: the answer may have been lost
		if again := v.submit(p, "/verify", "code", code).answer(r); again.Get("code") != answer.Get("code") {
			t.Error("the lost answer was not repeated")
		}
		tok := s.redeem(r, answer.Get("code"))
		if tok.status != 200 {
			t.Fatalf("%+v", tok)
		}
		cut()
		if status, _ := s.userinfo(tok.AccessToken); status != 200 {
			t.Errorf("userinfo after a power cut: %d", status)
		}
		r = s.request(app)
		if v.get(r.path()).answer(r).Get("code") == "" {
			t.Error("the session is gone")
		}
	})
}

// A kill while mail is being sent loses none: what was queued goes out after the
// restart (twice at the worst, never not at all).
func TestStopLosesNoMail(t *testing.T) {
	t.Parallel()
	s := newServer(t, "sqlite")
	s.start()
	app := s.newClient()
	to := []string{"a@example.com", "b@example.com", "c@example.com", "d@example.com"}
	for i, email := range to {
		newVisitor(t, s).enter(s.request(app), email).is(200)
		if i == 1 {
			if status := s.stop(); status != 0 {
				t.Errorf("exit status %d", status)
			}
			s.start()
		}
	}
	s.kill()
	s.start()
	for _, email := range to {
		s.code(email, 1)
	}
}

// A dump of the database and the logs of a full run hold no code, token, secret,
// or address where it need not be.
func TestDumpAndLogsHoldNoSecrets(t *testing.T) {
	t.Parallel()
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, engine, "IDP_LOG_LEVEL=debug")
			s.start()
			app := s.newClient()
			r := s.request(app, "state", "state-that-is-nobodys-business")
			v := newVisitor(t, s)
			authCode := v.signUp(r, "ada.secret@example.com").Get("code")
			tok := s.redeem(r, authCode)
			s.userinfo(tok.AccessToken)
			s.redeem(r, authCode)
			p := newVisitor(t, s).enter(s.request(app), "stranger.secret@example.com")
			v.submit(p, "/verify", "code", "123123")
			v.get(s.request(app, "redirect_uri", "https://evil.example/x").path())
			v.get(s.request(app, "response_type", "token").path())
			s.code("stranger.secret@example.com", 1)

			secrets := map[string]string{
				"the code": s.code("ada.secret@example.com", 1), "the stranger's code": s.code("stranger.secret@example.com", 1),
				"the authorization code": authCode, "the access token": tok.AccessToken, "the ID token": tok.IDToken,
				"the client secret": app.Secret, "the instance secret": testSecret, "the verifier": r.verifier,
			}
			for _, c := range v.http.Jar.Cookies(must(parseURL(s.endpoint))) {
				secrets["the cookie "+c.Name] = c.Value
			}
			log := s.log.String()
			if status := s.stop(); status != 0 {
				t.Errorf("exit status %d", status)
			}
			dump := s.dump()
			if !bytes.Contains(dump, []byte("bookstore")) && !bytes.Contains(dump, []byte("Bookstore")) {
				t.Fatal("this is no dump of our database")
			}
			for name, secret := range secrets {
				if len(secret) == 6 { // six digits stand in many numbers: look for it as a value of its own
					if strings.Contains(log, `"`+secret+`"`) || strings.Contains(log, "="+secret) || bytes.Contains(dump, []byte("\t"+secret+"\t")) {
						t.Errorf("%s is in the clear", name)
					}
					continue
				}
				if strings.Contains(log, secret) {
					t.Errorf("%s is in the logs", name)
				}
				if bytes.Contains(dump, []byte(secret)) {
					t.Errorf("%s is in the dump", name)
				}
			}
			for _, email := range []string{"ada.secret", "stranger.secret"} {
				if strings.Contains(log, email) {
					t.Errorf("the address %s is in the logs", email)
				}
			}
			if bytes.Contains(dump, []byte("stranger.secret")) {
				t.Error("the address of somebody without an account is in the dump")
			}
			if strings.Contains(log, "nobodys-business") {
				t.Error("the state is in the logs")
			}
			if n := bytes.Count(dump, []byte("ada.secret@example.com")); n == 0 || engine == "postgres" && n > 1 {
				t.Errorf("the account's address stands %d times in the dump, want once", n)
			}
		})
	}
}

// dump gives everything a thief of the database gets.
func (s *server) dump() []byte {
	s.t.Helper()
	if s.engine == "sqlite" {
		var all []byte
		files, _ := filepath.Glob(s.database + "*")
		for _, f := range files {
			all = append(all, must(os.ReadFile(f))...)
		}
		return all
	}
	u := must(parseURL(s.database))
	schema := u.Query().Get("search_path") // quoted
	u.RawQuery = "sslmode=disable"
	pgDump, err := exec.LookPath("pg_dump")
	if err != nil {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_dump")
		if len(found) == 0 {
			s.t.Fatal("no pg_dump: apt-get install postgresql")
		}
		pgDump = found[len(found)-1]
	}
	out, err := exec.Command(pgDump, "--schema="+schema, u.String()).Output()
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}
