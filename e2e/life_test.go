package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"idp/e2e/rig"
)

// The whole life of an app, each request answered by the other replica than the one
// before: nothing that either knows is missing to the other.
func TestAppLifeAcrossReplicas(t *testing.T) {
	t.Parallel()
	a, b, _ := rig.NewReplicas(t, "IDP_LIMIT_RECIPIENT_SENDS=100/h")
	a.Run("connector", "set", "inbox")
	a.Start()
	b.Start()
	app, spa := a.Lasting("traditional"), a.Lasting("spa")
	v := rig.NewVisitor(t, a)
	mails := 0
	for range 2 { // the second time the other replica begins
		r := a.Request(spa, "scope", rig.Offline)
		p := v.Enter(r, "ada@example.com").Is(200)
		p = v.Submit(p, "/verify", "code", a.Code("ada@example.com", mails+1))
		if p.Leaves == "" { // no account yet
			p = v.Submit(p.Is(200), "/verify")
		}
		first := a.Redeem(r, p.Answer(r).Get("code"))
		second, access := a.Refresh(spa, first.RefreshToken)
		again, sameAccess := a.Refresh(spa, first.RefreshToken)
		if second == "" || again != second || access == "" || sameAccess == "" {
			t.Fatalf("the replicas gave %q and %q", second, again)
		}
		for _, token := range []string{access, sameAccess} {
			if status, claims := a.Userinfo(token); status != http.StatusOK || claims["email"] != "ada@example.com" {
				t.Fatalf("userinfo: %d %v", status, claims)
			}
		}
		// A second app, silently; it is told of its own tokens only.
		r = a.Request(app, "scope", rig.Offline, "prompt", "none")
		tok := a.Redeem(r, v.Get(r.Path()).Answer(r).Get("code"))
		for range 2 {
			if !a.Active(app, tok.RefreshToken) || !a.Active(app, tok.AccessToken) || a.Active(app, access) {
				t.Error("introspection differs")
			}
		}
		if status, _ := a.Call(app, "/oidc/token/revocation", url.Values{"token": {tok.AccessToken}}); status != http.StatusOK {
			t.Errorf("revocation: %d", status)
		}
		for range 2 {
			if status, _ := a.Userinfo(tok.AccessToken); status != http.StatusUnauthorized || a.Active(app, tok.AccessToken) {
				t.Errorf("a revoked token at the other replica: %d", status)
			}
		}
		// The account page, the chooser, and a page that asks before it signs out.
		v.Get("/account").Is(200, "ada@example.com")
		r = a.Request(app, "prompt", "select_account")
		p = v.Submit(v.Get(r.Path()).Is(200, "ada@example.com"), "/choose")
		if p.Answer(r).Get("code") == "" {
			t.Error("the chooser did not go on")
		}
		v.Get("/oidc/session/end").Is(200, "ada@example.com")
		// The browser app signs out; what it held is dead at both, the other app's grant lives.
		if p := v.Get(a.SignOutPath(spa)); p.Leaves != rig.Goodbye {
			t.Fatalf("signed out to %q: %s", p.Leaves, p.Text())
		}
		for range 2 {
			if refreshed, _ := a.Refresh(spa, second); refreshed != "" {
				t.Error("a refresh token outlived the sign-out")
			}
			if !a.Active(app, tok.RefreshToken) {
				t.Error("another app's grant ended")
			}
			r = a.Request(app, "prompt", "none")
			if got := v.Get(r.Path()).Answer(r).Get("error"); got != "login_required" {
				t.Errorf("prompt=none after the sign-out: %q", got)
			}
		}
		// Recovered at both, and signed out by the page that asks.
		r = a.Request(spa, "scope", rig.Offline)
		p = v.Enter(r, "ada@example.com").Is(200)
		held := a.Redeem(r, v.Submit(p, "/verify", "code", a.Code("ada@example.com", mails+2)).Answer(r).Get("code"))
		r = a.Request(spa, "first_screen", "reset_password")
		other := rig.NewVisitor(t, a)
		p = other.Enter(r, "ada@example.com").Is(200)
		other.Submit(p, "/verify", "code", a.Code("ada@example.com", mails+3)).Answer(r)
		for range 2 {
			if refreshed, _ := a.Refresh(spa, held.RefreshToken); refreshed != "" {
				t.Error("a refresh token outlived the recovery")
			}
			r = a.Request(app, "prompt", "none")
			if got := v.Get(r.Path()).Answer(r).Get("error"); got != "login_required" {
				t.Errorf("prompt=none after the recovery: %q", got)
			}
		}
		other.Submit(other.Get("/oidc/session/end").Is(200), "/sign-out").Is(200, "signed out")
		other.Get("/account").Is(200, "sign in")
		a.Letter("ada@example.com", mails+4) // the notice
		mails += 4
		v.Get("/healthz") // an odd number of requests in all
	}
}

// A recovery throws everybody else out, signs in, and tells the owner.
func TestRecoverAccount(t *testing.T) {
	t.Parallel()
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		app := s.Lasting("traditional")
		thief := rig.NewVisitor(t, s)
		r := s.Request(app, "scope", rig.Offline)
		stolen := s.Redeem(r, thief.SignUp(r, "ada@example.com").Get("code"))

		owner := rig.NewVisitor(t, s)
		r = s.Request(app, "scope", rig.Offline, "first_screen", "reset_password")
		p := owner.Get(r.Path()).Is(200)
		p = owner.Submit(p, "/recover", "email", "ada@example.com").Is(200, "ada@example.com")
		if mail := s.Letter("ada@example.com", 2); mail.UsageType != "ForgotPassword" {
			t.Errorf("usage %s", mail.UsageType)
		}
		p = owner.Submit(p, "/verify", "code", s.Code("ada@example.com", 2))
		mine := s.Redeem(r, p.Answer(r).Get("code"))
		if mine.Status != http.StatusOK {
			t.Fatalf("%+v", mine)
		}
		if status, _ := s.Userinfo(stolen.AccessToken); status != http.StatusUnauthorized || s.Active(app, stolen.RefreshToken) {
			t.Error("a token outlived the recovery")
		}
		r = s.Request(app, "prompt", "none")
		if got := thief.Get(r.Path()).Answer(r).Get("error"); got != "login_required" {
			t.Errorf("the other browser: %q", got)
		}
		if refreshed, _ := s.Refresh(app, mine.RefreshToken); refreshed == "" {
			t.Error("the owner's own token ended")
		}
		if notice := s.Letter("ada@example.com", 3); notice.UsageType != "Recovered" || notice.Code != "" {
			t.Errorf("%+v", notice)
		}
	})
}

// An address without an account has the same page; its mail says that there is none.
func TestRecoverNobody(t *testing.T) {
	t.Parallel()
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		app := s.NewClient()
		rig.NewVisitor(t, s).SignUp(s.Request(app), "ada@example.com")
		ask := func(email string) rig.Page {
			v := rig.NewVisitor(t, s)
			p := v.Get(s.Request(app, "first_screen", "reset_password").Path()).Is(200)
			return v.Submit(p, "/recover", "email", email).Is(200, email)
		}
		known, unknown := ask("ada@example.com"), ask("eve@example.com")
		plain := func(p rig.Page, email string) string { return strings.ReplaceAll(p.Text(), email, "…") }
		if plain(known, "ada@example.com") != plain(unknown, "eve@example.com") {
			t.Errorf("the pages differ:\n%s\n%s", known.Text(), unknown.Text())
		}
		mail := s.Letter("eve@example.com", 1)
		if mail.UsageType != "NoAccount" || mail.Code != "" {
			t.Errorf("%+v", mail)
		}
		ask("eve@example.com")
		ask("ada@example.com")
		s.Letter("ada@example.com", 3) // by then a second one to her had come as well
		if n := len(s.Inbox("eve@example.com")); n != 1 {
			t.Errorf("%d mails to an address without an account, want 1 a day", n)
		}
	})
}

// One session is ended from another browser, and then all.
func TestAccountPage(t *testing.T) {
	t.Parallel()
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		app := s.Lasting("traditional")
		phone, laptop := rig.NewVisitor(t, s), rig.NewVisitor(t, s)
		r := s.Request(app, "scope", rig.Offline)
		tok := s.Redeem(r, phone.SignUp(r, "ada@example.com").Get("code"))
		// Without a session the account page signs in for itself.
		p := laptop.Get("/account").Is(200)
		p = laptop.Submit(p, "/sign-in", "email", "ada@example.com").Is(200)
		p = laptop.Submit(p, "/verify", "code", s.Code("ada@example.com", 2)).Is(200, "ada@example.com", "this browser")
		p = laptop.Submit(p, "/account/sessions").Is(200)
		if strings.Contains(p.Body, `action="/account/sessions"`) {
			t.Error("the session is still listed")
		}
		r = s.Request(app, "prompt", "none")
		if got := phone.Get(r.Path()).Answer(r).Get("error"); got != "login_required" {
			t.Errorf("the session that was ended: %q", got)
		}
		if s.Active(app, tok.RefreshToken) {
			t.Error("an app's grant outlived the browser that was signed out")
		}
		p = phone.Get("/account").Is(200)
		p = phone.Submit(p, "/sign-in", "email", "ada@example.com").Is(200)
		phone.Submit(p, "/verify", "code", s.Code("ada@example.com", 3)).Is(200, "this browser")
		r = s.Request(app, "scope", rig.Offline)
		tok = s.Redeem(r, phone.Get(r.Path()).Answer(r).Get("code"))
		p = laptop.Get("/account").Is(200)
		laptop.Submit(p, "/account/sign-out-everywhere").Is(200, "signed out")
		if s.Active(app, tok.RefreshToken) {
			t.Error("an offline grant outlived the sign-out everywhere")
		}
		laptop.Get("/account").Is(200)
		if p := laptop.Get("/account"); p.Form("/sign-in") == nil {
			t.Errorf("still signed in: %s", p.Text())
		}
	})
}
