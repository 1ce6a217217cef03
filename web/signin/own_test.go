package signin_test

import (
	"net/http"
	"strings"
	"testing"

	"idp/web/webtest"
)

// Requests of our own: the address pages opened from a bookmark.

func TestOwnRequest(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada = "ada@example.com"
	p := f.Person()
	for path, title := range map[string]string{"/sign-in": "Sign in to localhost", "/register": "Create your localhost account", "/recover": "Recover your localhost account"} {
		s := p.Get(path).Want(200, title)
		if csp := s.Header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "; form-action 'self'") {
			t.Errorf("%s: %s", path, csp)
		}
		if s.Action(path) == "" {
			t.Errorf("%s posts elsewhere", path)
		}
	}
	page := p.Get("/register").Submit("/register", "email", ada).Follow().Want(200, "Enter your code")
	p.Get(p.Get(page.Link("日本語")).Want(200, "コードを入力してください").Link("English")).Want(200, "Enter your code")
	done := page.Submit("/verify", "code", f.Code(ada, 1)).Want(303)
	if to := done.Header.Get("Location"); to != f.Server.URL+"/account" {
		t.Errorf("went to %s", to)
	}
	for _, path := range []string{"/sign-in", "/register", "/recover", "/sign-in?r=", "/cancel"} {
		if s := p.Get(path).Want(303); s.Header.Get("Location") != "/account" {
			t.Errorf("%s, signed in: %s", path, s.Header.Get("Location"))
		}
	}
	p.Get("/sign-in?lang=ja").Want(303)
	p.Get(webtest.Authorize("prompt", "login")).Want(200, "Bookstore にサインイン")
}

func TestOwnRequestIsRecovered(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Register("ada@example.com")
	f.Suspend("ada@example.com")
	p := f.Person()
	blocked := f.Person()
	page := p.Get("/sign-in")
	s := blocked.Do(http.MethodPost, "/sign-in", page.Form("/sign-in")).Want(400, "blocking cookies")
	blocked.Get(s.Link("Try again")).Want(200, "Sign in to localhost")
	code := page.Submit("/sign-in", "email", "ada@example.com").Follow().Want(200)
	suspended := code.Submit("/verify", "code", f.Code("ada@example.com", 2)).Want(403, "suspended")
	p.Get(suspended.Link("Start again")).Want(200, "Sign in to localhost")
	if to := p.Get("/cancel?r=" + code.Form("/verify").Get("r")).Want(303).Header.Get("Location"); to != f.Server.URL+"/account" {
		t.Error(to)
	}
}
