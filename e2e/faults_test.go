package e2e_test

import "testing"

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
