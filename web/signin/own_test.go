package signin_test

import (
	"net/http"
	"strings"
	"testing"
)

// Requests of our own: the address pages opened from a bookmark.

func TestOwnRequest(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const ada = "ada@example.com"
	p := f.person()
	for path, title := range map[string]string{"/sign-in": "Sign in to localhost", "/register": "Create your localhost account", "/recover": "Recover your localhost account"} {
		s := p.get(path).want(200, title)
		if csp := s.header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "; form-action 'self'") {
			t.Errorf("%s: %s", path, csp)
		}
		if s.action(path) == "" {
			t.Errorf("%s posts elsewhere", path)
		}
	}
	page := p.get("/register").submit("/register", "email", ada).follow().want(200, "Enter your code")
	p.get(p.get(page.link("日本語")).want(200, "コードを入力してください").link("English")).want(200, "Enter your code")
	done := page.submit("/verify", "code", f.mail(ada, 1)).want(303)
	if to := done.header.Get("Location"); to != f.server.URL+"/account" {
		t.Errorf("went to %s", to)
	}
	for _, path := range []string{"/sign-in", "/register", "/recover", "/sign-in?r=", "/cancel"} {
		if s := p.get(path).want(303); s.header.Get("Location") != "/account" {
			t.Errorf("%s, signed in: %s", path, s.header.Get("Location"))
		}
	}
	p.get("/sign-in?lang=ja").want(303)
	p.get(authorize("prompt", "login")).want(200, "Bookstore にサインイン")
}

func TestOwnRequestIsRecovered(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.register("ada@example.com")
	f.suspend("ada@example.com")
	p := f.person()
	blocked := f.person()
	page := p.get("/sign-in")
	s := blocked.do(http.MethodPost, "/sign-in", page.form("/sign-in")).want(400, "blocking cookies")
	blocked.get(s.link("Try again")).want(200, "Sign in to localhost")
	code := page.submit("/sign-in", "email", "ada@example.com").follow().want(200)
	suspended := code.submit("/verify", "code", f.mail("ada@example.com", 2)).want(403, "suspended")
	p.get(suspended.link("Start again")).want(200, "Sign in to localhost")
	if to := p.get("/cancel?r=" + code.form("/verify").Get("r")).want(303).header.Get("Location"); to != f.server.URL+"/account" {
		t.Error(to)
	}
}
