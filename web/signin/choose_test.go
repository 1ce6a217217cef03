package signin_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"idp/web/webtest"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp("ada@example.com")
	page := p.Get(webtest.Authorize("prompt", "select_account")).Want(200, "Choose an account", "Continue as ada@example.com")
	for range 2 { // a double click
		if to := page.Submit("/choose").Want(303).Header.Get("Location"); !strings.HasPrefix(to, webtest.Callback+"?") || !strings.Contains(to, "code=") || !strings.Contains(to, "state=xyz") {
			t.Error(to)
		}
	}
	other := p.Get(page.Link("Use another account")).Want(200, "Sign in to Bookstore")
	other.Submit("/sign-in", "email", "bob@example.com").Follow().Want(200, "bob@example.com")
	japanese := p.Get(page.Link("日本語")).Want(200, "アカウントを選択")
	japanese.Submit("/choose").Want(303)
}

func TestChooseWithAHint(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp("ada@example.com")
	p.Get(webtest.Authorize("prompt", "select_account", "login_hint", `"><script>@example.com`)).Want(200, "Which account do you want")
	page := p.Get(webtest.Authorize("login_hint", "Bob@Example.com")).Want(200, "Bookstore wants a different account")
	if s := p.Get(page.Link("Sign in as bob@example.com")).Want(200); !strings.Contains(s.Body, `value="Bob@Example.com"`) {
		t.Error("the hint is not in the field")
	}
	empty := p.Get(page.Link("Use another account"))
	for _, s := range []*webtest.Shown{empty, p.Get(empty.Link("日本語")), p.Get(empty.Link("Create an account"))} {
		if strings.Contains(s.Body, "Bob") {
			t.Error("the hint is in the field")
		}
	}
	page.Submit("/choose").Want(303)
}

func TestChooseWithoutASession(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp("ada@example.com")
	page := p.Get(webtest.Authorize("prompt", "select_account")).Want(200)
	form := page.Form("/choose")
	stranger := f.Person().SignedUp("eve@example.com")
	stranger.Do(http.MethodPost, "/choose", form).Want(400, "Start again in your app")
	f.Person().Do(http.MethodPost, "/choose", form).Want(400, "blocking cookies")
	p.Do(http.MethodPost, "/choose", nil).Want(400)
	p.Headers.Set("Sec-Fetch-Site", "cross-site")
	p.Do(http.MethodPost, "/choose", form).Want(403)
	p.Headers.Del("Sec-Fetch-Site")
	f.Outage.On.Store(true)
	if s := page.Submit("/choose").Want(503, "Back in a moment"); s.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	f.Outage.On.Store(false)
	f.Suspend("ada@example.com")
	page.Submit("/choose").Follow().Want(200, "Sign in to Bookstore")
	f.DB.AdvanceForTest(13 * time.Hour)
	page.Submit("/choose").Follow().Want(200, "Sign in to Bookstore") // the request restarts in place, too
}

// The page says "Continue as Ada"; in another tab somebody else signs in; the button
// gives the app neither.
func TestChooseAfterSomebodyElseSignedIn(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Person().SignedUp("bob@example.com")
	p := f.Person().SignedUp("ada@example.com")
	page := p.Get(webtest.Authorize("prompt", "select_account")).Want(200, "Continue as ada@example.com")
	p.Get(webtest.Authorize("prompt", "login")).Submit("/sign-in", "email", "bob@example.com").Follow().
		Submit("/verify", "code", f.Code("bob@example.com", 2)).Want(303)
	page.Submit("/choose").Follow().Want(200, "Sign in to Bookstore")
	p.Do(http.MethodPost, "/choose", page.Form("/choose")).Follow().Want(200, "Sign in to Bookstore")
}
