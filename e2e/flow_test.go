package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"idp/e2e/rig"
)

func TestSignUpThenSignIn(t *testing.T) {
	t.Parallel()
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		app := s.NewClient()
		r := s.Request(app, "first_screen", "register")
		v := rig.NewVisitor(t, s)
		p := v.Enter(r, "Ada@Example.com").Is(200, "ada@example.com")
		if !strings.HasPrefix(p.URL.Path, "/verify") {
			t.Errorf("the code page is at %s", p.URL.Path)
		}
		if v, ok := p.Field("code"); !ok || v != "" {
			t.Error("no empty code field")
		}
		p = v.Submit(p, "/verify", "code", s.Code("ada@example.com", 1))
		tok := s.Redeem(r, p.Answer(r).Get("code"))
		if tok.Status != 200 || tok.Scope == "" || tok.IDToken == "" || tok.TokenType != "Bearer" || tok.ExpiresIn < 60 {
			t.Fatalf("tokens: %+v", tok)
		}
		status, claims := s.Userinfo(tok.AccessToken)
		if status != 200 || claims["email"] != "ada@example.com" || claims["email_verified"] != true {
			t.Errorf("userinfo %d: %v", status, claims)
		}

		// Another browser signs in to the account.
		r = s.Request(app)
		other := rig.NewVisitor(t, s)
		p = other.Enter(r, "ada@example.com").Is(200)
		code := s.Code("ada@example.com", 2)
		p = other.Submit(p, "/verify", "code", " "+code[:3]+" - "+code[3:]+" ")
		again := s.Redeem(r, p.Answer(r).Get("code"))
		if _, c := s.Userinfo(again.AccessToken); c["sub"] != claims["sub"] {
			t.Errorf("signed in as %v, want %v", c["sub"], claims["sub"])
		}
		// This browser is signed in already: straight back to the app.
		r = s.Request(app)
		if p := other.Get(r.Path()); p.Answer(r).Get("code") == "" {
			t.Error("no single sign-on")
		}
		// prompt=login asks again, prompt=none says that nobody is signed in.
		other.Get(s.Request(app, "prompt", "login").Path()).Is(200)
		r = s.Request(app, "prompt", "none")
		if got := rig.NewVisitor(t, s).Get(r.Path()).Answer(r).Get("error"); got != "login_required" {
			t.Errorf("prompt=none: %q", got)
		}
		// What the code gave dies when the code comes again.
		r = s.Request(app)
		first := other.Get(r.Path()).Answer(r).Get("code")
		tok = s.Redeem(r, first)
		if replay := s.Redeem(r, first); replay.Status != 400 || replay.Error != "invalid_grant" || replay.Code != "oidc.invalid_grant" {
			t.Errorf("replay: %+v", replay)
		}
		if status, _ := s.Userinfo(tok.AccessToken); status != http.StatusUnauthorized {
			t.Errorf("userinfo after a replay: %d", status)
		}
	})
}

func TestWrongScreenAsksFirst(t *testing.T) {
	t.Parallel()
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		app := s.NewClient()
		r := s.Request(app)
		v := rig.NewVisitor(t, s)
		p := v.Enter(r, "new@example.com").Is(200)
		p = v.Submit(p, "/verify", "code", s.Code("new@example.com", 1)).Is(200, "new@example.com")
		if p.Leaves != "" {
			t.Fatal("an account was made without asking")
		}
		v.Submit(p, "/verify").Answer(r) // the button agrees

		r = s.Request(app, "first_screen", "register")
		v = rig.NewVisitor(t, s)
		p = v.Enter(r, "new@example.com").Is(200)
		p = v.Submit(p, "/verify", "code", s.Code("new@example.com", 2)).Is(200, "new@example.com")
		v.Submit(p, "/verify").Answer(r)
	})
}

func TestCodePageMistakes(t *testing.T) {
	t.Parallel()
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		app := s.NewClient()
		r := s.Request(app, "first_screen", "register", "state", strings.Repeat("s", 2048))
		v := rig.NewVisitor(t, s)
		p := v.Enter(r, "ada@example.com").Is(200)
		code := s.Code("ada@example.com", 1)
		wrong := "000000"
		if code == wrong {
			wrong = "000001"
		}

		// What cannot be a code costs no try; what was typed stays.
		for _, typed := range []string{"", "12", "abc def", strings.Repeat("9", 500), "1234567", "12345\x00"} {
			q := v.Submit(p, "/verify", "code", typed)
			if q.Status/100 != 4 || q.Form("/verify") == nil && q.Text() == "" {
				t.Errorf("code %q: status %d", typed, q.Status)
			}
		}
		q := v.Submit(p, "/verify", "code", wrong).Is(422, "4")
		if q.Alert() == "" {
			t.Error("the error has no role=alert")
		}
		if kept, _ := q.Field("code"); kept != wrong {
			t.Errorf("what was typed is gone: %q", kept)
		}
		// Another browser with the same page gets nowhere and costs nothing.
		if thief := rig.NewVisitor(t, s).Submit(p, "/verify", "code", code); thief.Status/100 == 3 && strings.Contains(thief.Leaves, "code=") {
			t.Fatal("the code worked in another browser")
		}
		// Reloading, going back to the address page and forward again loses nothing.
		v.Get(p.URL.String()).Is(200)
		v.Get(r.Path()).Is(200)
		// Too early for another code: the page says how long.
		if again := v.Submit(v.Get(p.URL.String()), "/verify/resend"); again.Status/100 == 5 || again.Leaves != "" {
			t.Errorf("resend too early: %d %s", again.Status, again.Leaves)
		}
		for range 3 {
			v.Submit(p, "/verify", "code", wrong).Is(422)
		}
		spent := v.Submit(p, "/verify", "code", wrong)
		if spent.Status/100 != 4 {
			t.Errorf("fifth wrong code: %d", spent.Status)
		}
		if dead := v.Submit(p, "/verify", "code", code); dead.Leaves != "" && strings.Contains(dead.Leaves, "code=") {
			t.Fatal("a spent challenge accepted its code")
		}
		// The way out works: a fresh challenge.
		p = v.Enter(r, "ada@example.com").Is(200)
		answer := v.Submit(p, "/verify", "code", s.Code("ada@example.com", 2)).Answer(r)
		if answer.Get("state") != strings.Repeat("s", 2048) {
			t.Error("the state was not given back as it was")
		}
		// Double click and back button: the same redirect, one session.
		twice := v.Submit(p, "/verify", "code", s.Code("ada@example.com", 2)).Answer(r)
		if twice.Get("code") != answer.Get("code") {
			t.Error("the second click made a second code")
		}
	})
}

// Ten tabs and two apps, in one browser, finish in any order.
func TestManyTabs(t *testing.T) {
	t.Parallel()
	s := rig.NewServer(t, "sqlite", "IDP_LIMIT_RECIPIENT_SENDS=off")
	s.Start()
	apps := []rig.Client{s.NewClient(), s.NewClient("--type", "spa", "--redirect-uri", "https://spa.example/")}
	rig.NewVisitor(t, s).SignUp(s.Request(apps[0]), "ada@example.com")
	v := rig.NewVisitor(t, s)
	type open struct {
		r    rig.Request
		p    rig.Page
		code string
	}
	var tabs []open
	for i := range 10 {
		r := s.Request(apps[i%2])
		p := v.Submit(v.Get(r.Path()).Is(200), "/sign-in", "email", "ada@example.com").Is(200)
		tabs = append(tabs, open{r, p, s.Code("ada@example.com", i+2)})
	}
	for i, tab := range tabs[:3] { // another tab's code is not this one's
		if other := tabs[(i+1)%10].code; other != tab.code {
			v.Submit(tab.p, "/verify", "code", other).Is(422)
		}
	}
	var answers [10]url.Values
	for _, i := range []int{9, 3, 5, 0, 1, 8, 2, 7, 4, 6} {
		answers[i] = v.Submit(tabs[i].p, "/verify", "code", tabs[i].code).Answer(tabs[i].r)
	}
	for i, a := range answers {
		if tok := s.Redeem(tabs[i].r, a.Get("code")); tok.Status != 200 {
			t.Errorf("tab %d: %+v", i, tok)
		}
	}
}

// The mail limits hold over HTTP, and the page says how long to wait.
func TestRecipientLimit(t *testing.T) {
	t.Parallel()
	s := rig.NewServer(t, "sqlite")
	s.Start()
	app := s.NewClient()
	for i := range 6 {
		p := rig.NewVisitor(t, s).Enter(s.Request(app), fmt.Sprintf("ada+%d@example.com", i))
		if i < 5 {
			p.Is(200)
			continue
		}
		p.Is(http.StatusTooManyRequests, "minute")
	}
}
