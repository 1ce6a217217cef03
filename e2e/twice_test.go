package e2e_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// 64 redemptions at once over HTTP: one token set.
func TestParallelRedemptionsOverHTTP(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *server) {
		app := s.newClient()
		r := s.request(app)
		code := newVisitor(t, s).signUp(r, "ada@example.com").Get("code")
		var wg sync.WaitGroup
		results := make([]tokens, 64)
		for i := range results {
			wg.Go(func() { results[i] = s.redeem(r, code) })
		}
		wg.Wait()
		won := 0
		for _, tok := range results {
			switch {
			case tok.status == 200:
				won++
			case tok.status != 400 || tok.Error != "invalid_grant":
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
	onBoth(t, func(t *testing.T, s *server) {
		r := s.request(s.newClient(), "first_screen", "register")
		v := newVisitor(t, s)
		p := v.enter(r, "ada@example.com").is(200)
		code := s.code("ada@example.com", 1)
		var wg sync.WaitGroup
		var mu sync.Mutex
		seen := map[string]int{}
		for range 200 {
			wg.Go(func() {
				q := v.submit(p, "/verify", "code", code)
				mu.Lock()
				defer mu.Unlock()
				seen[fmt.Sprint(q.status, " ", q.leaves)]++
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
	onBoth(t, func(t *testing.T, s *server) {
		app := s.newClient()
		for i, action := range []string{"/sign-in", "/register"} {
			email := fmt.Sprintf("twice%d@example.com", i)
			r := s.request(app)
			if action == "/register" {
				r = s.request(app, "first_screen", "register")
			}
			v := newVisitor(t, s)
			form := v.get(r.path()).is(200)
			first := v.submit(form, action, "email", email).is(200)
			code := s.code(email, 1)
			second := v.submit(form, action, "email", " "+strings.ToUpper(email)).is(200) // the same one for us
			third := v.submit(form, action, "email", email).is(200)

			// Somebody else's mail goes the same way after it: no other one is coming.
			newVisitor(t, s).enter(s.request(app), "later"+email).is(200)
			s.code("later"+email, 1)
			if n := len(s.inbox(email)); n != 1 {
				t.Errorf("%s: %d mails, want 1", action, n)
			}
			for name, p := range map[string]page{"first": first, "second": second, "third": third} {
				p = v.submit(p, "/verify", "code", code)
				if p.leaves == "" && p.form("/verify") != nil && p.status == 200 { // no account yet: asks
					p = v.submit(p, "/verify")
				}
				if p.leaves == "" || p.answer(r).Get("code") == "" {
					t.Errorf("%s: the mail's code on the %s page: %d %s", action, name, p.status, p.text())
				}
			}
		}
	})
}

// At once, too; another address is another mail.
func TestAddressPostedAtOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *server) {
		app := s.newClient()
		r := s.request(app, "first_screen", "register")
		v := newVisitor(t, s)
		form := v.get(r.path()).is(200)
		var wg sync.WaitGroup
		pages := make([]page, 8)
		for i := range pages {
			wg.Go(func() { pages[i] = v.submit(form, "/register", "email", "ada@example.com") })
		}
		wg.Wait()
		mistyped := v.submit(form, "/register", "email", "adda@example.com").is(200)
		s.code("adda@example.com", 1)
		if n := len(s.inbox("ada@example.com")); n != 1 {
			t.Errorf("%d mails, want 1", n)
		}
		v.submit(mistyped, "/verify", "code", s.code("ada@example.com", 1)).is(422) // of another address
		for i, p := range pages {
			if v.submit(p.is(200), "/verify", "code", s.code("ada@example.com", 1)).answer(r).Get("code") == "" {
				t.Errorf("page %d: no answer", i)
			}
		}
	})
}
