package signin_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person().in("ada@example.com")
	page := p.get(authorize("prompt", "select_account")).want(200, "Choose an account", "Continue as ada@example.com")
	for range 2 { // a double click
		if to := page.submit("/choose").want(303).header.Get("Location"); !strings.HasPrefix(to, callback+"?") || !strings.Contains(to, "code=") || !strings.Contains(to, "state=xyz") {
			t.Error(to)
		}
	}
	other := p.get(page.link("Use another account")).want(200, "Sign in to Bookstore")
	other.submit("/sign-in", "email", "bob@example.com").follow().want(200, "bob@example.com")
	japanese := p.get(page.link("日本語")).want(200, "アカウントを選択")
	japanese.submit("/choose").want(303)
}

func TestChooseWithAHint(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person().in("ada@example.com")
	p.get(authorize("prompt", "select_account", "login_hint", `"><script>@example.com`)).want(200, "Which account do you want")
	page := p.get(authorize("login_hint", "Bob@Example.com")).want(200, "Bookstore asks for bob@example.com, but you are signed in as ada@example.com.")
	if s := p.get(page.link("Sign in as bob@example.com")).want(200); !strings.Contains(s.body, `value="Bob@Example.com"`) {
		t.Error("the hint is not in the field")
	}
	empty := p.get(page.link("Use another account"))
	for _, s := range []*shown{empty, p.get(empty.link("日本語")), p.get(empty.link("Create an account"))} {
		if strings.Contains(s.body, "Bob") {
			t.Error("the hint is in the field")
		}
	}
	page.submit("/choose").want(303)
}

func TestChooseWithoutASession(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person().in("ada@example.com")
	page := p.get(authorize("prompt", "select_account")).want(200)
	form := page.form("/choose")
	stranger := f.person().in("eve@example.com")
	stranger.do(http.MethodPost, "/choose", form).want(400, "Start again in your app")
	f.person().do(http.MethodPost, "/choose", form).want(400, "blocking cookies")
	p.do(http.MethodPost, "/choose", nil).want(400)
	p.headers.Set("Sec-Fetch-Site", "cross-site")
	p.do(http.MethodPost, "/choose", form).want(403)
	p.headers.Del("Sec-Fetch-Site")
	f.outage.on.Store(true)
	if s := page.submit("/choose").want(503, "Back in a moment"); s.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	f.outage.on.Store(false)
	f.suspend("ada@example.com")
	page.submit("/choose").follow().want(200, "Sign in to Bookstore")
	f.db.AdvanceForTest(13 * time.Hour)
	page.submit("/choose").follow().want(200, "Sign in to Bookstore") // the request restarts in place, too
}
