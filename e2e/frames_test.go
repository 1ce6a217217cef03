package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"idp/e2e/rig"
)

// No page of the provider shows in a frame of another site: neither those of a sign-in,
// nor those of an account, nor errors (RFC 9700 section 4.16).
func TestNoPageInAFrame(t *testing.T) {
	t.Parallel()
	s := rig.NewServer(t, "sqlite")
	s.Start()
	app := s.NewClient()
	v := rig.NewVisitor(t, s)
	first := v.Get(s.Request(app).Path())
	code := v.Submit(first, "/sign-in", "email", "ada@example.com")
	pages := map[string]rig.Page{
		"address":         first,
		"bad address":     v.Submit(first, "/sign-in", "email", "ada"),
		"code":            code,
		"wrong code":      v.Submit(code, "/verify", "code", "12"),
		"register":        v.Get(s.Request(app, "first_screen", "register").Path()),
		"recovery":        v.Get(s.Request(app, "first_screen", "reset_password").Path()),
		"no account yet":  v.Submit(code, "/verify", "code", s.Code("ada@example.com", 1)),
		"unknown client":  v.Get(s.Request(app, "client_id", "nobody").Path()),
		"redirect URI":    v.Get(s.Request(app, "redirect_uri", "https://evil.example/").Path()),
		"no request":      v.Get("/sign-in"),
		"no code":         v.Get("/verify"),
		"home":            v.Get("/"),
		"not found":       v.Get("/nowhere"),
		"wrong method":    v.Do(http.MethodPut, "/sign-in", nil),
		"cross-site form": v.Do(http.MethodPost, "/sign-in", url.Values{"email": {"x@example.com"}}, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"),
	}
	v.SignUp(s.Request(app), "bob@example.com")
	pages["chooser"] = v.Get(s.Request(app, "prompt", "select_account").Path())
	pages["signed in, asked again"] = v.Get(s.Request(app, "prompt", "login").Path())
	pages["account"] = v.Get("/account").Is(200, "bob@example.com")
	pages["sign out?"] = v.Get("/oidc/session/end").Is(200, "bob@example.com")
	pages["form of others"] = v.Do(http.MethodPost, "/account/sign-out", url.Values{"t": {"x"}}).Is(403)
	pages["signed out"] = v.Submit(pages["sign out?"], "/sign-out").Is(200, "signed out")
	pages["signed out, no way back"] = v.Get("/oidc/session/end?client_id=" + app.ID + "&post_logout_redirect_uri=https://evil.example/")
	for name, p := range pages {
		if p.Leaves != "" || !strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%s is no page: %d %s %v", name, p.Status, p.Leaves, p.Header)
		}
		if p.Header.Get("X-Frame-Options") != "DENY" || !strings.Contains(p.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s may be in a frame: %v", name, p.Header)
		}
		if p.Header.Get("Referrer-Policy") != "no-referrer" || p.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", name, p.Header)
		}
	}
}
