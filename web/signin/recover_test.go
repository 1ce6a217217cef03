package signin_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/store"
	"idp/web/webtest"
)

func TestRecover(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada = "ada@example.com"
	elsewhere := f.Person().SignedUp(ada)
	elsewhere.Get("/account").Want(200, "Your account")
	p := f.Person()
	first := p.Get(p.Get(webtest.Authorize()).Link("Recover your account")).Want(200, "Recover your Bookstore account", "signs out everybody else")
	first.Submit("/recover", "email", "ada@").Want(422, "Recover your Bookstore account", "not an email address")
	page := first.Submit("/recover", "email", ada).Follow().Want(200, "If you have an account", "Everybody else will be signed out", "Recover account")
	p.Get(page.Link("Change")).Want(200, "Recover your Bookstore account")
	code := f.Code(ada, 2)
	page.Submit("/verify", "code", webtest.Wrong(code)).Want(422, "4 tries left", "Everybody else will be signed out")
	done := page.Submit("/verify", "code", code).Want(303)
	if to := done.Header.Get("Location"); !strings.HasPrefix(to, webtest.Callback+"?code=") {
		t.Error(to)
	}
	if again := page.Submit("/verify", "code", code); again.Header.Get("Location") != done.Header.Get("Location") {
		t.Errorf("a double click went to %q", again.Header.Get("Location"))
	}
	f.Code(ada, 3) // the notice has come
	mails, err := f.Inbox.List(t.Context(), ada, 0)
	f.Must(err)
	if m := mails[0]; m.UsageType != store.UsageRecovered || !strings.Contains(m.Text, "Bookstore") || !strings.Contains(m.Text, "Firefox on Linux") {
		t.Errorf("%+v", m)
	}
	p.Get("/account").Want(200, "Your account")
	elsewhere.Get("/account").Want(200, "Sign in to localhost")
	f.DB.AdvanceForTest(2 * time.Minute)
	used := page.Submit("/verify", "code", code).Want(410, "used this code already")
	p.Get(used.Link("Start again")).Want(200, "Sign in to Bookstore")
}

func TestRecoverExpires(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada = "ada@example.com"
	f.Register(ada)
	p := f.Person()
	page := p.Get(webtest.Authorize("first_screen", "reset_password")).Submit("/recover", "email", ada).Follow()
	code := f.Code(ada, 2)
	f.DB.AdvanceForTest(31 * time.Minute)
	expired := page.Submit("/verify", "code", code).Want(410, "has expired")
	expired.Submit("/recover").Follow().Want(200, "Recover account")
	f.DB.AdvanceForTest(40 * time.Minute)
	restarted := p.Do(http.MethodPost, "/recover", page.Form("/verify", "email", ada)).Want(200, "started afresh")
	restarted.Submit("/recover").Follow().Want(200, "Recover account")
}

// late is what changes on a page of a code while seconds pass, which may be more for one address
// than for another.
var late = regexp.MustCompile(`(data-seconds="|\b[01]:|nextSendIn":|Retry-After:\[)\d+|data-state="(queued|sent)"|The mail (is on its way …|has been sent\.)`)

// What is shown says nothing about whether there is an account.
func TestRecoverTellsNothing(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Register("known@example.com")
	seen := map[string]string{}
	for _, email := range []string{"known@example.com", "other@example.com"} {
		s := f.Person().Get(webtest.Authorize("first_screen", "reset_password")).Submit("/recover", "email", email).Follow().Want(200)
		s.Submit("/verify", "code", "000000") // may be right once in a million
		f.Code(email, 1)
		seen[email] = late.ReplaceAllString(strings.ReplaceAll(s.Text(), email, ""), "…")
	}
	mails, err := f.Inbox.List(t.Context(), "other@example.com", 0)
	f.Must(err)
	if len(mails) != 1 || mails[0].UsageType != store.UsageNoAccount || mails[0].Code != "" {
		t.Errorf("%+v", mails)
	}
	if seen["known@example.com"] != seen["other@example.com"] {
		t.Errorf("the pages differ:\n%s\n%s", seen["known@example.com"], seen["other@example.com"])
	}
}
