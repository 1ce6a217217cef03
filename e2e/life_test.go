package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// call posts a form to the provider as a client's server does, with its credentials.
func (s *server) call(c client, path string, form url.Values) (status int, body map[string]any) {
	s.t.Helper()
	if c.Secret == "" {
		form.Set("client_id", c.ID)
	}
	req := must(http.NewRequest(http.MethodPost, s.endpoint+path, strings.NewReader(form.Encode())))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c.Secret != "" {
		req.SetBasicAuth(c.ID, c.Secret)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text := must(io.ReadAll(resp.Body))
	if len(text) > 0 {
		if err := json.Unmarshal(text, &body); err != nil {
			s.t.Fatalf("%s: %v", path, err)
		}
	}
	return resp.StatusCode, body
}

// refresh presents a refresh token; "" is the new one of an error.
func (s *server) refresh(c client, token string) (refresh, access string) {
	s.t.Helper()
	_, body := s.call(c, "/oidc/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
	refresh, _ = body["refresh_token"].(string)
	access, _ = body["access_token"].(string)
	return refresh, access
}

func (s *server) active(c client, token string) bool {
	s.t.Helper()
	_, body := s.call(c, "/oidc/token/introspection", url.Values{"token": {token}})
	return body["active"] == true
}

const (
	goodbye = "https://shop.example/bye"
	offline = "openid offline_access email"
)

// lasting is an app that stays signed in.
func (s *server) lasting(kind string) client {
	return s.newClient("--type", kind, "--redirect-uri", callback, "--post-logout-redirect-uri", goodbye)
}

func (s *server) signOutPath(c client) string {
	return "/oidc/session/end?" + url.Values{"client_id": {c.ID}, "post_logout_redirect_uri": {goodbye}}.Encode()
}

// The whole life of an app, each request answered by the other replica than the one
// before: nothing that either knows is missing to the other.
func TestAppLifeAcrossReplicas(t *testing.T) {
	t.Parallel()
	a, b, _ := newReplicas(t, "IDP_LIMIT_RECIPIENT_SENDS=100/h")
	a.run("connector", "set", "inbox")
	a.start()
	b.start()
	app, spa := a.lasting("traditional"), a.lasting("spa")
	v := newVisitor(t, a)
	mails := 0
	for range 2 { // the second time the other replica begins
		r := a.request(spa, "scope", offline)
		p := v.enter(r, "ada@example.com").is(200)
		p = v.submit(p, "/verify", "code", a.code("ada@example.com", mails+1))
		if p.leaves == "" { // no account yet
			p = v.submit(p.is(200), "/verify")
		}
		first := a.redeem(r, p.answer(r).Get("code"))
		second, access := a.refresh(spa, first.RefreshToken)
		again, sameAccess := a.refresh(spa, first.RefreshToken)
		if second == "" || again != second || access == "" || sameAccess == "" {
			t.Fatalf("the replicas gave %q and %q", second, again)
		}
		for _, token := range []string{access, sameAccess} {
			if status, claims := a.userinfo(token); status != http.StatusOK || claims["email"] != "ada@example.com" {
				t.Fatalf("userinfo: %d %v", status, claims)
			}
		}
		// A second app, silently; it is told of its own tokens only.
		r = a.request(app, "scope", offline, "prompt", "none")
		tok := a.redeem(r, v.get(r.path()).answer(r).Get("code"))
		for range 2 {
			if !a.active(app, tok.RefreshToken) || !a.active(app, tok.AccessToken) || a.active(app, access) {
				t.Error("introspection differs")
			}
		}
		if status, _ := a.call(app, "/oidc/token/revocation", url.Values{"token": {tok.AccessToken}}); status != http.StatusOK {
			t.Errorf("revocation: %d", status)
		}
		for range 2 {
			if status, _ := a.userinfo(tok.AccessToken); status != http.StatusUnauthorized || a.active(app, tok.AccessToken) {
				t.Errorf("a revoked token at the other replica: %d", status)
			}
		}
		// The account page, the chooser, and a page that asks before it signs out.
		v.get("/account").is(200, "ada@example.com")
		r = a.request(app, "prompt", "select_account")
		p = v.submit(v.get(r.path()).is(200, "ada@example.com"), "/choose")
		if p.answer(r).Get("code") == "" {
			t.Error("the chooser did not go on")
		}
		v.get("/oidc/session/end").is(200, "ada@example.com")
		// The browser app signs out; what it held is dead at both, the other app's grant lives.
		if p := v.get(a.signOutPath(spa)); p.leaves != goodbye {
			t.Fatalf("signed out to %q: %s", p.leaves, p.text())
		}
		for range 2 {
			if refreshed, _ := a.refresh(spa, second); refreshed != "" {
				t.Error("a refresh token outlived the sign-out")
			}
			if !a.active(app, tok.RefreshToken) {
				t.Error("another app's grant ended")
			}
			r = a.request(app, "prompt", "none")
			if got := v.get(r.path()).answer(r).Get("error"); got != "login_required" {
				t.Errorf("prompt=none after the sign-out: %q", got)
			}
		}
		// Recovered at both, and signed out by the page that asks.
		r = a.request(spa, "scope", offline)
		p = v.enter(r, "ada@example.com").is(200)
		held := a.redeem(r, v.submit(p, "/verify", "code", a.code("ada@example.com", mails+2)).answer(r).Get("code"))
		r = a.request(spa, "first_screen", "reset_password")
		other := newVisitor(t, a)
		p = other.enter(r, "ada@example.com").is(200)
		other.submit(p, "/verify", "code", a.code("ada@example.com", mails+3)).answer(r)
		for range 2 {
			if refreshed, _ := a.refresh(spa, held.RefreshToken); refreshed != "" {
				t.Error("a refresh token outlived the recovery")
			}
			r = a.request(app, "prompt", "none")
			if got := v.get(r.path()).answer(r).Get("error"); got != "login_required" {
				t.Errorf("prompt=none after the recovery: %q", got)
			}
		}
		other.submit(other.get("/oidc/session/end").is(200), "/sign-out").is(200, "signed out")
		other.get("/account").is(200, "sign in")
		a.letter("ada@example.com", mails+4) // the notice
		mails += 4
		v.get("/healthz") // an odd number of requests in all
	}
}

// A recovery throws everybody else out, signs in, and tells the owner.
func TestRecoverAccount(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *server) {
		app := s.lasting("traditional")
		thief := newVisitor(t, s)
		r := s.request(app, "scope", offline)
		stolen := s.redeem(r, thief.signUp(r, "ada@example.com").Get("code"))

		owner := newVisitor(t, s)
		r = s.request(app, "scope", offline, "first_screen", "reset_password")
		p := owner.get(r.path()).is(200)
		p = owner.submit(p, "/recover", "email", "ada@example.com").is(200, "ada@example.com")
		if mail := s.letter("ada@example.com", 2); mail.UsageType != "ForgotPassword" {
			t.Errorf("usage %s", mail.UsageType)
		}
		p = owner.submit(p, "/verify", "code", s.code("ada@example.com", 2))
		mine := s.redeem(r, p.answer(r).Get("code"))
		if mine.status != http.StatusOK {
			t.Fatalf("%+v", mine)
		}
		if status, _ := s.userinfo(stolen.AccessToken); status != http.StatusUnauthorized || s.active(app, stolen.RefreshToken) {
			t.Error("a token outlived the recovery")
		}
		r = s.request(app, "prompt", "none")
		if got := thief.get(r.path()).answer(r).Get("error"); got != "login_required" {
			t.Errorf("the other browser: %q", got)
		}
		if refreshed, _ := s.refresh(app, mine.RefreshToken); refreshed == "" {
			t.Error("the owner's own token ended")
		}
		if notice := s.letter("ada@example.com", 3); notice.UsageType != "Recovered" || notice.Code != "" {
			t.Errorf("%+v", notice)
		}
	})
}

// An address without an account has the same page; its mail says that there is none.
func TestRecoverNobody(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *server) {
		app := s.newClient()
		newVisitor(t, s).signUp(s.request(app), "ada@example.com")
		ask := func(email string) page {
			v := newVisitor(t, s)
			p := v.get(s.request(app, "first_screen", "reset_password").path()).is(200)
			return v.submit(p, "/recover", "email", email).is(200, email)
		}
		known, unknown := ask("ada@example.com"), ask("eve@example.com")
		plain := func(p page, email string) string { return strings.ReplaceAll(p.text(), email, "…") }
		if plain(known, "ada@example.com") != plain(unknown, "eve@example.com") {
			t.Errorf("the pages differ:\n%s\n%s", known.text(), unknown.text())
		}
		mail := s.letter("eve@example.com", 1)
		if mail.UsageType != "NoAccount" || mail.Code != "" {
			t.Errorf("%+v", mail)
		}
		ask("eve@example.com")
		ask("ada@example.com")
		s.letter("ada@example.com", 3) // by then a second one to her had come as well
		if n := len(s.inbox("eve@example.com")); n != 1 {
			t.Errorf("%d mails to an address without an account, want 1 a day", n)
		}
	})
}

// One session is ended from another browser, and then all.
func TestAccountPage(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *server) {
		app := s.lasting("traditional")
		phone, laptop := newVisitor(t, s), newVisitor(t, s)
		r := s.request(app, "scope", offline)
		tok := s.redeem(r, phone.signUp(r, "ada@example.com").Get("code"))
		// Without a session the account page signs in for itself.
		p := laptop.get("/account").is(200)
		p = laptop.submit(p, "/sign-in", "email", "ada@example.com").is(200)
		p = laptop.submit(p, "/verify", "code", s.code("ada@example.com", 2)).is(200, "ada@example.com", "this browser")
		p = laptop.submit(p, "/account/sessions").is(200)
		if strings.Contains(p.body, `action="/account/sessions"`) {
			t.Error("the session is still listed")
		}
		r = s.request(app, "prompt", "none")
		if got := phone.get(r.path()).answer(r).Get("error"); got != "login_required" {
			t.Errorf("the session that was ended: %q", got)
		}
		if s.active(app, tok.RefreshToken) {
			t.Error("an app's grant outlived the browser that was signed out")
		}
		p = phone.get("/account").is(200)
		p = phone.submit(p, "/sign-in", "email", "ada@example.com").is(200)
		phone.submit(p, "/verify", "code", s.code("ada@example.com", 3)).is(200, "this browser")
		r = s.request(app, "scope", offline)
		tok = s.redeem(r, phone.get(r.path()).answer(r).Get("code"))
		p = laptop.get("/account").is(200)
		laptop.submit(p, "/account/sign-out-everywhere").is(200, "signed out")
		if s.active(app, tok.RefreshToken) {
			t.Error("an offline grant outlived the sign-out everywhere")
		}
		laptop.get("/account").is(200)
		if p := laptop.get("/account"); p.form("/sign-in") == nil {
			t.Errorf("still signed in: %s", p.text())
		}
	})
}
