package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// No page of the provider shows in a frame of another site: neither those of a sign-in,
// nor those of an account, nor errors (RFC 9700 section 4.16).
func TestNoPageInAFrame(t *testing.T) {
	t.Parallel()
	s := newServer(t, "sqlite")
	s.start()
	app := s.newClient()
	v := newVisitor(t, s)
	first := v.get(s.request(app).path())
	code := v.submit(first, "/sign-in", "email", "ada@example.com")
	pages := map[string]page{
		"address":         first,
		"bad address":     v.submit(first, "/sign-in", "email", "ada"),
		"code":            code,
		"wrong code":      v.submit(code, "/verify", "code", "12"),
		"register":        v.get(s.request(app, "first_screen", "register").path()),
		"recovery":        v.get(s.request(app, "first_screen", "reset_password").path()),
		"no account yet":  v.submit(code, "/verify", "code", s.code("ada@example.com", 1)),
		"unknown client":  v.get(s.request(app, "client_id", "nobody").path()),
		"redirect URI":    v.get(s.request(app, "redirect_uri", "https://evil.example/").path()),
		"no request":      v.get("/sign-in"),
		"no code":         v.get("/verify"),
		"home":            v.get("/"),
		"not found":       v.get("/nowhere"),
		"wrong method":    v.do(http.MethodPut, "/sign-in", nil),
		"cross-site form": v.do(http.MethodPost, "/sign-in", url.Values{"email": {"x@example.com"}}, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"),
	}
	v.signUp(s.request(app), "bob@example.com")
	pages["chooser"] = v.get(s.request(app, "prompt", "select_account").path())
	pages["signed in, asked again"] = v.get(s.request(app, "prompt", "login").path())
	pages["account"] = v.get("/account").is(200, "bob@example.com")
	pages["sign out?"] = v.get("/oidc/session/end").is(200, "bob@example.com")
	pages["form of others"] = v.do(http.MethodPost, "/account/sign-out", url.Values{"t": {"x"}}).is(403)
	pages["signed out"] = v.submit(pages["sign out?"], "/sign-out").is(200, "signed out")
	pages["signed out, no way back"] = v.get("/oidc/session/end?client_id=" + app.ID + "&post_logout_redirect_uri=https://evil.example/")
	for name, p := range pages {
		if p.leaves != "" || !strings.HasPrefix(p.header.Get("Content-Type"), "text/html") {
			t.Errorf("%s is no page: %d %s %v", name, p.status, p.leaves, p.header)
		}
		if p.header.Get("X-Frame-Options") != "DENY" || !strings.Contains(p.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s may be in a frame: %v", name, p.header)
		}
		if p.header.Get("Referrer-Policy") != "no-referrer" || p.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", name, p.header)
		}
	}
}
