package e2e_test

import (
	"testing"

	"idp/e2e/rig"
)

// A power cut at each step, then a restart: the person goes on or starts again,
// and nothing is half done.
func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		app := s.NewClient()
		cut := func() { s.Kill(); s.Start() }
		r := s.Request(app, "first_screen", "register")
		v := rig.NewVisitor(t, s)

		p := v.Get(r.Path()).Is(200)
		cut() // the request travels with the person
		p = v.Submit(p, "/register", "email", "ada@example.com").Is(200)
		cut() // the mail is in the queue, if it had not gone out
		code := s.Code("ada@example.com", 1)
		p = v.Get(p.URL.String()).Is(200)
		wrong := "000000"
		if code == wrong {
			wrong = "111111"
		}
		v.Submit(p, "/verify", "code", wrong).Is(422, "4")
		cut() // the try stays counted
		v.Submit(p, "/verify", "code", wrong).Is(422, "3")
		answer := v.Submit(p, "/verify", "code", code).Answer(r)
		cut() // what was acknowledged is there: the answer may have been lost
		if again := v.Submit(p, "/verify", "code", code).Answer(r); again.Get("code") != answer.Get("code") {
			t.Error("the lost answer was not repeated")
		}
		tok := s.Redeem(r, answer.Get("code"))
		if tok.Status != 200 {
			t.Fatalf("%+v", tok)
		}
		cut()
		if status, _ := s.Userinfo(tok.AccessToken); status != 200 {
			t.Errorf("userinfo after a power cut: %d", status)
		}
		r = s.Request(app)
		if v.Get(r.Path()).Answer(r).Get("code") == "" {
			t.Error("the session is gone")
		}
	})
}

// A kill while mail is being sent loses none: what was queued goes out after the
// restart (twice at the worst, never not at all).
func TestStopLosesNoMail(t *testing.T) {
	t.Parallel()
	s := rig.NewServer(t, "sqlite")
	s.Start()
	app := s.NewClient()
	to := []string{"a@example.com", "b@example.com", "c@example.com", "d@example.com"}
	for i, email := range to {
		rig.NewVisitor(t, s).Enter(s.Request(app), email).Is(200)
		if i == 1 {
			if status := s.Stop(); status != 0 {
				t.Errorf("exit status %d", status)
			}
			s.Start()
		}
	}
	s.Kill()
	s.Start()
	for _, email := range to {
		s.Code(email, 1)
	}
}
