package signin_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRecover(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const ada = "ada@example.com"
	f.register(ada)
	p := f.person()
	first := p.get(p.get(authorize()).link("Recover it")).want(200, "Recover your Bookstore account", "signs everybody else out")
	first.submit("/recover", "email", "ada@").want(422, "Recover your Bookstore account", "not an email address")
	page := first.submit("/recover", "email", ada).follow().want(200, "If you have an account", "Everybody else will be signed out", "Recover account")
	p.get(page.link("Change")).want(200, "Recover your Bookstore account")
	code := f.mail(ada, 2)
	page.submit("/verify", "code", wrong(code)).want(422, "4 tries left", "Everybody else will be signed out")
	done := page.submit("/verify", "code", code).want(303)
	if to := done.header.Get("Location"); !strings.HasPrefix(to, callback+"?code=") {
		t.Error(to)
	}
	if again := page.submit("/verify", "code", code); again.header.Get("Location") != done.header.Get("Location") {
		t.Errorf("a double click went to %q", again.header.Get("Location"))
	}
	f.db.AdvanceForTest(2 * time.Minute)
	used := page.submit("/verify", "code", code).want(410, "used this code already")
	p.get(used.link("Start again")).want(200, "Sign in to Bookstore")
}

// A code for one purpose is worth nothing for another, also with the form of the
// other page.
func TestRecoverExpires(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const ada = "ada@example.com"
	f.register(ada)
	p := f.person()
	page := p.get(authorize("first_screen", "reset_password")).submit("/recover", "email", ada).follow()
	f.db.AdvanceForTest(31 * time.Minute)
	expired := page.submit("/verify", "code", f.mail(ada, 2)).want(410, "has expired")
	expired.submit("/recover").follow().want(200, "Recover account")
	f.db.AdvanceForTest(40 * time.Minute)
	restarted := p.do(http.MethodPost, "/recover", page.form("/verify", "email", ada)).want(200, "started afresh")
	restarted.submit("/recover").follow().want(200, "Recover account")
}

// What is shown says nothing about whether there is an account.
func TestRecoverTellsNothing(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.register("known@example.com")
	seen := map[string]string{}
	for _, email := range []string{"known@example.com", "other@example.com"} {
		s := f.person().get(authorize("first_screen", "reset_password")).submit("/recover", "email", email).follow().want(200)
		s.submit("/verify", "code", "000000") // may be right once in a million
		seen[email] = strings.ReplaceAll(s.text(), email, "")
	}
	if seen["known@example.com"] != seen["other@example.com"] {
		t.Errorf("the pages differ:\n%s\n%s", seen["known@example.com"], seen["other@example.com"])
	}
}
