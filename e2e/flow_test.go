package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// enter goes from the app to the code page: authorize, type the address.
func (v *visitor) enter(r request, email string) page {
	v.t.Helper()
	p := v.get(r.path()).is(200)
	action := "/sign-in"
	switch {
	case r.params.Get("first_screen") == "reset_password":
		action = "/recover"
	case p.form(action) == nil || r.params.Get("first_screen") == "register":
		action = "/register"
	}
	return v.submit(p, action, "email", email)
}

// signUp makes an account and gives the answer to the client.
func (v *visitor) signUp(r request, email string) url.Values {
	v.t.Helper()
	r.params.Set("first_screen", "register")
	n := len(v.s.inbox(email))
	p := v.enter(r, email).is(200)
	return v.submit(p, "/verify", "code", v.s.code(email, n+1)).answer(r)
}

func TestSignUpThenSignIn(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *server) {
		app := s.newClient()
		r := s.request(app, "first_screen", "register")
		v := newVisitor(t, s)
		p := v.enter(r, "Ada@Example.com").is(200, "ada@example.com")
		if !strings.HasPrefix(p.url.Path, "/verify") {
			t.Errorf("the code page is at %s", p.url.Path)
		}
		if v, ok := p.field("code"); !ok || v != "" {
			t.Error("no empty code field")
		}
		p = v.submit(p, "/verify", "code", s.code("ada@example.com", 1))
		tok := s.redeem(r, p.answer(r).Get("code"))
		if tok.status != 200 || tok.Scope == "" || tok.IDToken == "" || tok.TokenType != "Bearer" || tok.ExpiresIn < 60 {
			t.Fatalf("tokens: %+v", tok)
		}
		status, claims := s.userinfo(tok.AccessToken)
		if status != 200 || claims["email"] != "ada@example.com" || claims["email_verified"] != true {
			t.Errorf("userinfo %d: %v", status, claims)
		}

		// Another browser signs in to the account.
		r = s.request(app)
		other := newVisitor(t, s)
		p = other.enter(r, "ada@example.com").is(200)
		code := s.code("ada@example.com", 2)
		p = other.submit(p, "/verify", "code", " "+code[:3]+" - "+code[3:]+" ")
		again := s.redeem(r, p.answer(r).Get("code"))
		if _, c := s.userinfo(again.AccessToken); c["sub"] != claims["sub"] {
			t.Errorf("signed in as %v, want %v", c["sub"], claims["sub"])
		}
		// This browser is signed in already: straight back to the app.
		r = s.request(app)
		if p := other.get(r.path()); p.answer(r).Get("code") == "" {
			t.Error("no single sign-on")
		}
		// prompt=login asks again, prompt=none says that nobody is signed in.
		other.get(s.request(app, "prompt", "login").path()).is(200)
		r = s.request(app, "prompt", "none")
		if got := newVisitor(t, s).get(r.path()).answer(r).Get("error"); got != "login_required" {
			t.Errorf("prompt=none: %q", got)
		}
		// What the code gave dies when the code comes again.
		r = s.request(app)
		first := other.get(r.path()).answer(r).Get("code")
		tok = s.redeem(r, first)
		if replay := s.redeem(r, first); replay.status != 400 || replay.Error != "invalid_grant" || replay.Code != "oidc.invalid_grant" {
			t.Errorf("replay: %+v", replay)
		}
		if status, _ := s.userinfo(tok.AccessToken); status != http.StatusUnauthorized {
			t.Errorf("userinfo after a replay: %d", status)
		}
	})
}

func TestWrongScreenAsksFirst(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *server) {
		app := s.newClient()
		r := s.request(app)
		v := newVisitor(t, s)
		p := v.enter(r, "new@example.com").is(200)
		p = v.submit(p, "/verify", "code", s.code("new@example.com", 1)).is(200, "new@example.com")
		if p.leaves != "" {
			t.Fatal("an account was made without asking")
		}
		v.submit(p, "/verify").answer(r) // the button agrees

		r = s.request(app, "first_screen", "register")
		v = newVisitor(t, s)
		p = v.enter(r, "new@example.com").is(200)
		p = v.submit(p, "/verify", "code", s.code("new@example.com", 2)).is(200, "new@example.com")
		v.submit(p, "/verify").answer(r)
	})
}

func TestCodePageMistakes(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *server) {
		app := s.newClient()
		r := s.request(app, "first_screen", "register", "state", strings.Repeat("s", 2048))
		v := newVisitor(t, s)
		p := v.enter(r, "ada@example.com").is(200)
		code := s.code("ada@example.com", 1)
		wrong := "000000"
		if code == wrong {
			wrong = "000001"
		}

		// What cannot be a code costs no try; what was typed stays.
		for _, typed := range []string{"", "12", "abc def", strings.Repeat("9", 500), "1234567", "12345\x00"} {
			q := v.submit(p, "/verify", "code", typed)
			if q.status/100 != 4 || q.form("/verify") == nil && q.text() == "" {
				t.Errorf("code %q: status %d", typed, q.status)
			}
		}
		q := v.submit(p, "/verify", "code", wrong).is(422, "4")
		if q.alert() == "" {
			t.Error("the error has no role=alert")
		}
		if kept, _ := q.field("code"); kept != wrong {
			t.Errorf("what was typed is gone: %q", kept)
		}
		// Another browser with the same page gets nowhere and costs nothing.
		if thief := newVisitor(t, s).submit(p, "/verify", "code", code); thief.status/100 == 3 && strings.Contains(thief.leaves, "code=") {
			t.Fatal("the code worked in another browser")
		}
		// Reloading, going back to the address page and forward again loses nothing.
		v.get(p.url.String()).is(200)
		v.get(r.path()).is(200)
		// Too early for another code: the page says how long.
		if again := v.submit(v.get(p.url.String()), "/verify/resend"); again.status/100 == 5 || again.leaves != "" {
			t.Errorf("resend too early: %d %s", again.status, again.leaves)
		}
		for range 3 {
			v.submit(p, "/verify", "code", wrong).is(422)
		}
		spent := v.submit(p, "/verify", "code", wrong)
		if spent.status/100 != 4 {
			t.Errorf("fifth wrong code: %d", spent.status)
		}
		if dead := v.submit(p, "/verify", "code", code); dead.leaves != "" && strings.Contains(dead.leaves, "code=") {
			t.Fatal("a spent challenge accepted its code")
		}
		// The way out works: a fresh challenge.
		p = v.enter(r, "ada@example.com").is(200)
		answer := v.submit(p, "/verify", "code", s.code("ada@example.com", 2)).answer(r)
		if answer.Get("state") != strings.Repeat("s", 2048) {
			t.Error("the state was not given back as it was")
		}
		// Double click and back button: the same redirect, one session.
		twice := v.submit(p, "/verify", "code", s.code("ada@example.com", 2)).answer(r)
		if twice.Get("code") != answer.Get("code") {
			t.Error("the second click made a second code")
		}
	})
}

// Ten tabs and two apps, in one browser, finish in any order.
func TestManyTabs(t *testing.T) {
	t.Parallel()
	s := newServer(t, "sqlite", "IDP_LIMIT_RECIPIENT_SENDS=off")
	s.start()
	apps := []client{s.newClient(), s.newClient("--type", "spa", "--redirect-uri", "https://spa.example/")}
	newVisitor(t, s).signUp(s.request(apps[0]), "ada@example.com")
	v := newVisitor(t, s)
	type open struct {
		r    request
		p    page
		code string
	}
	var tabs []open
	for i := range 10 {
		r := s.request(apps[i%2])
		p := v.submit(v.get(r.path()).is(200), "/sign-in", "email", "ada@example.com").is(200)
		tabs = append(tabs, open{r, p, s.code("ada@example.com", i+2)})
	}
	for i, tab := range tabs[:3] { // another tab's code is not this one's
		if other := tabs[(i+1)%10].code; other != tab.code {
			v.submit(tab.p, "/verify", "code", other).is(422)
		}
	}
	var answers [10]url.Values
	for _, i := range []int{9, 3, 5, 0, 1, 8, 2, 7, 4, 6} {
		answers[i] = v.submit(tabs[i].p, "/verify", "code", tabs[i].code).answer(tabs[i].r)
	}
	for i, a := range answers {
		if tok := s.redeem(tabs[i].r, a.Get("code")); tok.status != 200 {
			t.Errorf("tab %d: %+v", i, tok)
		}
	}
}

// The mail limits hold over HTTP, and the page says how long to wait.
func TestRecipientLimit(t *testing.T) {
	t.Parallel()
	s := newServer(t, "sqlite")
	s.start()
	app := s.newClient()
	for i := range 6 {
		p := newVisitor(t, s).enter(s.request(app), fmt.Sprintf("ada+%d@example.com", i))
		if i < 5 {
			p.is(200)
			continue
		}
		p.is(http.StatusTooManyRequests, "minute")
	}
}
