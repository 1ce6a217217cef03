package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"idp/e2e/rig"
)

// A fixed code lets in until its address is none for tests any more, and makes no browser known for it:
// it proves no mailbox. Whoever is on the code page then is mailed a code there like anybody, and that one does.
func TestTestAddressEnds(t *testing.T) {
	t.Parallel()
	for _, engine := range rig.Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			testAddressEnds(t, rig.NewServer(t, engine, "IDP_OTP_RESEND_WAIT=1s"))
		})
	}
}

func testAddressEnds(t *testing.T, s *rig.Server) {
	const email, fixed = "review@example.com", "246810"
	day := time.Now().AddDate(0, 0, 3).Format(time.DateOnly)
	s.Run("test-address", "add", email, "--code", fixed, "--until", day)
	s.Start()
	app, gone := s.NewClient(), s.NewClient()
	known := func() (n int) {
		t.Helper()
		if err := s.DB().QueryRow(`SELECT COUNT(*) FROM device`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	reviewer, r := rig.NewVisitor(t, s), s.Request(app, "first_screen", "register")
	if reviewer.Submit(reviewer.Enter(r, email).Is(200), "/verify", "code", fixed).Answer(r).Get("code") == "" || known() != 0 {
		t.Fatalf("the fixed code does not let in, or makes known: %d browsers are", known())
	}

	late, q := rig.NewVisitor(t, s), s.Request(app)
	p := late.Enter(q, email).Is(200)
	rig.NewVisitor(t, s).Get(s.Request(gone).Path()).Is(200) // which the server keeps in memory now, as it does the test addresses
	s.Run("test-address", "remove", email)
	s.Run("client", "delete", gone.ID, "--yes")
	again := late.Submit(p, "/verify", "code", fixed)
	if again.Leaves != "" || again.Form("/verify") != nil {
		t.Fatalf("the code of before is answered %d: %s", again.Status, again.Text())
	}
	time.Sleep(time.Second) // until another mail is due
	for deadline := time.Now().Add(30 * time.Second); rig.NewVisitor(t, s).Get(s.Request(gone).Path()).Status != http.StatusBadRequest; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server does not hear of what was removed")
		}
	}
	next := late.Submit(again, "/sign-in").Is(200)
	if late.Submit(next, "/verify", "code", s.Code(email, 1)).Answer(q).Get("code") == "" {
		t.Error("the code that was mailed does not let in")
	}
	if known() != 1 {
		t.Errorf("%d browsers are known by the code that was mailed", known())
	}
}
