package account_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/web/webtest"
)

// In the middle of an outage every new address says so, and does nothing.
func TestOutageEverywhere(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	f.Person().SignedIn(ada, 2)
	page := p.Get("/account").Want(200)
	ask := p.Get("/oidc/session/end?client_id=shop&state=x").Want(200)
	choose := p.Get(webtest.Authorize("prompt", "select_account")).Want(200)
	rec := f.Person()
	recover := rec.Get(webtest.Authorize("first_screen", "reset_password")).Want(200)
	typed := recover.Submit("/recover", "email", ada).Follow().Want(200)
	code := f.Code(ada, 3)
	o := ask.Form("/sign-out").Get("o")
	f.DB.AdvanceForTest(6 * time.Second) // caches are old
	f.Outage.On.Store(true)
	check := func(what string, s *webtest.Shown) {
		t.Helper()
		if s.Status != 503 || s.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %q %s %s", what, s.Status, s.Header.Get("Retry-After"), s.Location(), s.Text())
		}
		for _, c := range s.Header.Values("Set-Cookie") {
			if strings.Contains(c, "session") {
				t.Errorf("%s: %s", what, c)
			}
		}
	}
	check("GET /account", p.Get("/account"))
	for _, path := range []string{"/account/sign-out", "/account/sign-out-everywhere", "/account/sessions"} {
		check(path, page.Submit(path))
	}
	check("GET /sign-out", p.Get("/sign-out?o="+url.QueryEscape(o)))
	check("POST /sign-out", ask.Submit("/sign-out"))
	check("end", p.Get("/oidc/session/end"))
	check("end client", p.Get("/oidc/session/end?client_id=shop&post_logout_redirect_uri="+url.QueryEscape(webtest.AfterSignOut)))
	check("choose", choose.Submit("/choose"))
	check("POST /recover", recover.Submit("/recover", "email", "x@example.com"))
	check("POST /verify", typed.Submit("/verify", "code", code))
	f.Outage.On.Store(false)
	p.Get("/account").Want(200, "Your account")
	typed.Submit("/verify", "code", code).Want(303)
}
