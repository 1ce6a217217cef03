package e2e_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"idp/e2e/rig"
)

// 64 redemptions at once over HTTP: one token set.
func TestParallelRedemptionsOverHTTP(t *testing.T) {
	t.Parallel()
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		app := s.NewClient()
		r := s.Request(app)
		code := rig.NewVisitor(t, s).SignUp(r, "ada@example.com").Get("code")
		var wg sync.WaitGroup
		results := make([]rig.Tokens, 64)
		for i := range results {
			wg.Go(func() { results[i] = s.Redeem(r, code) })
		}
		wg.Wait()
		won := 0
		for _, tok := range results {
			switch {
			case tok.Status == 200:
				won++
			case tok.Status != 400 || tok.Error != "invalid_grant":
				t.Errorf("%+v", tok)
			}
		}
		if won != 1 {
			t.Errorf("%d token sets, want 1", won)
		}
	})
}

// 200 right codes at once over HTTP: one session, one redirect.
func TestParallelVerifyOverHTTP(t *testing.T) {
	t.Parallel()
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		r := s.Request(s.NewClient(), "first_screen", "register")
		v := rig.NewVisitor(t, s)
		p := v.Enter(r, "ada@example.com").Is(200)
		code := s.Code("ada@example.com", 1)
		var wg sync.WaitGroup
		var mu sync.Mutex
		seen := map[string]int{}
		for range 200 {
			wg.Go(func() {
				q := v.Submit(p, "/verify", "code", code)
				mu.Lock()
				defer mu.Unlock()
				seen[fmt.Sprint(q.Status, " ", q.Leaves)]++
			})
		}
		wg.Wait()
		if len(seen) != 1 {
			t.Errorf("answers: %v", seen)
		}
	})
}

// The address sent twice, by a double click or the back button, is one mail, and
// its code works on either page.
func TestAddressPostedTwice(t *testing.T) {
	t.Parallel()
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		app := s.NewClient()
		for i, action := range []string{"/sign-in", "/register"} {
			email := fmt.Sprintf("twice%d@example.com", i)
			r := s.Request(app)
			if action == "/register" {
				r = s.Request(app, "first_screen", "register")
			}
			v := rig.NewVisitor(t, s)
			form := v.Get(r.Path()).Is(200)
			first := v.Submit(form, action, "email", email).Is(200)
			code := s.Code(email, 1)
			second := v.Submit(form, action, "email", " "+strings.ToUpper(email)).Is(200) // the same one for us
			third := v.Submit(form, action, "email", email).Is(200)

			// Somebody else's mail goes the same way after it: no other one is coming.
			rig.NewVisitor(t, s).Enter(s.Request(app), "later"+email).Is(200)
			s.Code("later"+email, 1)
			if n := len(s.Inbox(email)); n != 1 {
				t.Errorf("%s: %d mails, want 1", action, n)
			}
			for name, p := range map[string]rig.Page{"first": first, "second": second, "third": third} {
				p = v.Submit(p, "/verify", "code", code)
				if p.Leaves == "" && p.Form("/verify") != nil && p.Status == 200 { // no account yet: asks
					p = v.Submit(p, "/verify")
				}
				if p.Leaves == "" || p.Answer(r).Get("code") == "" {
					t.Errorf("%s: the mail's code on the %s page: %d %s", action, name, p.Status, p.Text())
				}
			}
		}
	})
}

// At once, too; another address is another mail.
func TestAddressPostedAtOnce(t *testing.T) {
	t.Parallel()
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		app := s.NewClient()
		r := s.Request(app, "first_screen", "register")
		v := rig.NewVisitor(t, s)
		form := v.Get(r.Path()).Is(200)
		var wg sync.WaitGroup
		pages := make([]rig.Page, 8)
		for i := range pages {
			wg.Go(func() { pages[i] = v.Submit(form, "/register", "email", "ada@example.com") })
		}
		wg.Wait()
		s.Code("ada@example.com", 1)
		mistyped := v.Submit(form, "/register", "email", "adda@example.com").Is(200)
		s.Code("adda@example.com", 1)
		if n := len(s.Inbox("ada@example.com")); n != 1 {
			t.Errorf("%d mails, want 1", n)
		}
		v.Submit(mistyped, "/verify", "code", s.Code("ada@example.com", 1)).Is(422) // of another address
		for i, p := range pages {
			if v.Submit(p.Is(200), "/verify", "code", s.Code("ada@example.com", 1)).Answer(r).Get("code") == "" {
				t.Errorf("page %d: no answer", i)
			}
		}
	})
}
