package account_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/web/webtest"
)

const ada = "ada@example.com"

// A bookmark of the account page is a way to sign in.
func TestSignInToTheAccountPage(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Register(ada)
	f.Rename(ada, "Ada Lovelace")
	p := f.Person()
	page := p.Get("/account").Want(200, "Sign in to localhost")
	code := page.Submit("/sign-in", "email", ada).Follow().Want(200, "Enter your code")
	done := code.Submit("/verify", "code", f.Code(ada, 2)).WantTo(f.Server.URL + "/account")
	mine := done.Follow().Want(200, "Your account", ada, "Ada Lovelace", "Firefox on Linux", "This browser", "Account since")
	if strings.Count(mine.Body, "<li>") != 2 {
		t.Errorf("two sessions are live: %s", mine.Text())
	}
	for _, path := range []string{"/sign-in", "/register", "/recover"} {
		p.Get(path).WantTo("/account")
	}
}

func TestSignOutHere(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	other := f.Person().SignedIn(ada, 2)
	page := p.Get("/account").Want(200)
	form := page.Form("/account/sign-out")
	cookies := p.HTTP.Jar.Cookies(webtest.URL(f.Server.URL))
	s := page.Submit("/account/sign-out").WantTo("/signed-out").Follow().Want(200, "You are signed out")
	p.Get(s.Link("Sign in again")).Want(200, "Sign in to localhost")
	p.Post("/account/sign-out", form).WantTo("/signed-out") // a double click, with the cookie gone
	p.HTTP.Jar.SetCookies(webtest.URL(f.Server.URL), cookies)
	p.Post("/account/sign-out", form).WantTo("/signed-out") // and with it
	p.HTTP.Jar.SetCookies(webtest.URL(f.Server.URL), cookies)
	p.Get("/account").Want(200, "Sign in to localhost") // the session is dead
	other.Get("/account").Want(200, "Your account")
}

func TestSignOutEverywhere(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	other := f.Person().SignedIn(ada, 2)
	stranger := f.Person().SignedUp("eve@example.com")
	page := p.Get("/account").Want(200, "every app loses its access")
	page.Submit("/account/sign-out-everywhere").WantTo("/signed-out")
	page.Submit("/account/sign-out-everywhere").WantTo("/signed-out")
	p.Get("/account").Want(200, "Sign in to localhost")
	other.Get("/account").Want(200, "Sign in to localhost")
	stranger.Get("/account").Want(200, "Your account")
}

func TestEndAnotherSession(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	other := f.Person()
	other.Headers.Set("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1")
	other.SignedIn(ada, 2)
	page := p.Get("/account").Want(200, "Firefox on Linux", "Safari on iPhone")
	if here, there := strings.Index(page.Text(), "This browser"), strings.Index(page.Text(), "Safari on iPhone"); here > there {
		t.Error("this browser is not the first")
	}
	for range 2 { // a double click
		page.Submit("/account/sessions").WantTo("/account?done=ended")
	}
	left := p.Get("/account?done=ended").Want(200, "That browser is signed out, and its apps with it.")
	if left.HasForm("/account/sessions") {
		t.Error(left.Text())
	}
	other.Get("/account").Want(200, "Sign in to localhost")
	// A name that is not in the list, and one's own.
	form := page.Form("/account/sessions", "session", "x")
	p.Post("/account/sessions", form).WantTo("/account?done=ended")
	p.Get("/account").Want(200, "Your account")
	seen := other.SignedIn(ada, 3).Get("/account") // where this browser's session is another's
	form.Set("session", seen.Form("/account/sessions").Get("session"))
	p.Post("/account/sessions", form).WantTo("/signed-out")
	p.Get("/account").Want(200, "Sign in to localhost")
}

// No form of a stranger, and none of another browser or another session, ends anything.
func TestTokens(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	f.Person().SignedIn(ada, 2)
	eve := f.Person().SignedUp("eve@example.com")
	theirs := eve.Get("/account").Form("/account/sign-out")
	own := p.Get("/account").Form("/account/sessions")
	for _, path := range []string{"/account/sign-out", "/account/sign-out-everywhere", "/account/sessions"} {
		for name, form := range map[string]url.Values{"none": {}, "rubbish": {"t": {"x"}}, "another's": theirs} {
			if own.Get("session") != "" {
				form.Set("session", own.Get("session"))
			}
			s := p.Post(path, form).Want(403, "nothing was done")
			if !s.HasForm("/account/sessions") {
				t.Errorf("%s with the token %s ended something", path, name)
			}
		}
		p.Headers.Set("Sec-Fetch-Site", "cross-site")
		s := p.Post(path, own).Want(403, "came from another site")
		p.Headers.Del("Sec-Fetch-Site")
		p.Get(s.Link("Start again")).Want(200, "Your account")
		p.Headers.Set("Origin", "null")
		p.Post(path, url.Values{}).Want(403, "nothing was done")
		p.Headers.Del("Origin")
		f.Person().Post(path, own).Want(303)
		if form := p.Post(path, url.Values{"t": {"a", "b"}}).Want(400, "could not read that"); form.Link("Start again") != "/account" {
			t.Error(form.Body)
		}
		p.Post(path, url.Values{"t": {strings.Repeat("a", 70_000)}}).Want(413)
		p.Get(path).Want(405)
	}
	// A tab that stayed open while somebody else signed in.
	stale := p.Get("/account")
	p.SignedIn("eve@example.com", 2)
	fresh := stale.Submit("/account/sign-out-everywhere").Want(403, "nothing was done", "eve@example.com")
	fresh.Submit("/account/sign-out").WantTo("/signed-out")
	if s := eve.Get("/account").Want(200, "Your account"); strings.Count(s.Body, "<li>") != 1 {
		t.Error(s.Text())
	}
}

func TestDeadSession(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	page := p.Get("/account")
	f.DB.AdvanceForTest(13 * time.Hour)
	p.Post("/account/sessions", page.Form("/account/sign-out", "session", "x")).WantTo("/account")
	s := p.Get("/account").Want(200, "Sign in to localhost")
	for _, c := range p.HTTP.Jar.Cookies(webtest.URL(f.Server.URL)) {
		if c.Name == "idp_session" {
			t.Error("the dead session's cookie stays")
		}
	}
	s.Submit("/sign-in", "email", ada).Follow().Want(200, "Enter your code")
	p.Get("/sign-in").Want(200, "Sign in to localhost") // and no loop

	p.SignedIn(ada, 3)
	f.Suspend(ada)
	p.Get("/sign-in").WantTo("/account").Follow().Want(200, "Sign in to localhost")
}

func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	page := p.Get("/account")
	f.Outage.On.Store(true)
	for _, s := range []*webtest.Shown{
		p.Get("/account"), page.Submit("/account/sign-out"), page.Submit("/account/sign-out-everywhere"), p.Post("/account/sessions", page.Form("/account/sign-out")),
	} {
		s.Want(503, "Back in a moment")
		if s.Header.Get("Retry-After") == "" || s.Link("Try again") != "/account" || s.Link("日本語") != "/account?lang=ja" {
			t.Error(s.Header, s.Body)
		}
	}
	p.Get("/signed-out").WantTo("/account")
	f.Person().Get("/signed-out").Want(200, "You are signed out")
	f.Outage.On.Store(false)
	page.Submit("/account/sign-out").WantTo("/signed-out")
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	page := p.Get("/account").Want(200, "Your account")
	japanese := p.Get(page.Link("日本語")).Want(200, "Firefox（Linux）", "このブラウザー")
	if day := f.DB.Now().UTC().Format("2006年1月2日"); !strings.Contains(japanese.Body, `<time datetime="`+f.DB.Now().UTC().Format(time.DateOnly)+`">`+day+`</time>`) {
		t.Error(japanese.Body)
	}
	if !strings.Contains(japanese.Text(), "（UTC）") {
		t.Error(japanese.Text())
	}
	out := japanese.Submit("/account/sign-out").Follow().Want(200, "サインアウトしました")
	p.Get(out.Link("English")).Want(200, "You are signed out")
}

// What people and browsers are called is text, whatever it is.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	p.Headers.Set("User-Agent", `<script>alert(1)</script>`)
	p.SignedUp(ada)
	f.Rename(ada, `"><img src=x onerror=alert(1)>{{.}}`)
	f.Agent(ada, `<b>Firefox</b> on "><i>`)
	s := p.Get("/account").Want(200, `"><img src=x onerror=alert(1)>{{.}}`)
	for _, bad := range []string{"<img", "<script>alert", "<b>Firefox", "<i>"} {
		if strings.Contains(s.Body, bad) {
			t.Errorf("the page holds %s", bad)
		}
	}
	f.Agent(ada, "")
	p.Get("/account").Want(200, "Unknown browser")
}

func TestMethodsAndHeaders(t *testing.T) {
	t.Parallel()
	for _, https := range []bool{false, true} {
		f := webtest.On(t, https)
		p := f.Person().SignedUp(ada)
		for path, allow := range map[string]string{"/account": "GET, HEAD", "/account/sign-out": "POST", "/account/sign-out-everywhere": "POST", "/account/sessions": "POST", "/signed-out": "GET, HEAD", "/sign-out": "GET, HEAD, POST"} {
			if s := p.Do("PUT", path, nil).Want(405); s.Header.Get("Allow") != allow {
				t.Errorf("%s: %s", path, s.Header.Get("Allow"))
			}
			if s := p.Do(http.MethodHead, path, nil); s.Body != "" || len(s.Header.Values("Set-Cookie")) > 0 {
				t.Errorf("HEAD %s: %v", path, s.Header)
			}
		}
		s := p.Get("/account").Want(200, "Your account")
		for name, want := range map[string]string{"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
			if got := s.Header.Get(name); got != want {
				t.Errorf("%s is %q", name, got)
			}
		}
		if csp := s.Header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "; form-action 'self'") || strings.Contains(csp, "unsafe") {
			t.Error(csp)
		}
		if (s.Header.Get("Strict-Transport-Security") != "") != https {
			t.Error("HSTS")
		}
	}
}

func TestManySessions(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	f.Sessions(ada, 70)
	s := p.Get("/account").Want(200, "21 older ones are not shown", "This browser")
	if n := strings.Count(s.Body, "<li>"); n != 50 {
		t.Errorf("%d rows", n)
	}
}
