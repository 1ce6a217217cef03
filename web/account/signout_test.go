package account_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/store"
	"idp/web/webtest"
)

// endSession is where an app sends the browser to sign out. Without a grant of the
// app it asks.
func endSession(more ...string) string {
	q := url.Values{"client_id": {"shop"}, "post_logout_redirect_uri": {webtest.AfterSignOut}, "state": {"a b"}}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return "/oidc/session/end?" + q.Encode()
}

const goodbye = webtest.AfterSignOut + "?state=a+b"

func TestAskedToSignOut(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	page := p.Get(endSession()).Want(200, "Sign out of localhost?", "You are signed in as ada@example.com", "Bookstore wants to sign you out.")
	if csp := page.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https:") {
		t.Errorf("the answer leads to the app: %s", csp)
	}
	p.Get(page.Link("Stay signed in")).Want(200, "Your account")
	japanese := p.Get(page.Link("日本語")).Want(200, "localhost からサインアウトしますか？", "Bookstore")
	p.Get(japanese.Link("English")).Submit("/sign-out").WantTo(goodbye)
	page.Submit("/sign-out").WantTo(goodbye) // a double click
	p.Get("/account").Want(200, "Sign in to localhost")
	p.Get(page.Link("日本語")).WantTo("/signed-out")
	p.Get(endSession()).WantTo(goodbye) // nobody is signed in
}

func TestAskedByNobody(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	page := p.Get("/oidc/session/end").Want(200, "Sign out of localhost?")
	if strings.Contains(page.Text(), "wants to sign you out") || !strings.HasSuffix(page.Header.Get("Content-Security-Policy"), "; form-action 'self'") {
		t.Error(page.Text())
	}
	f.Must(f.DB.DeleteClient(t.Context(), "shop", time.Time{}))
	p.Get(endSession()).Want(200, "Sign out of localhost?")
	page.Submit("/sign-out").WantTo("/signed-out").Follow().Want(200, "You are signed out")
	p.Get("/oidc/session/end").Want(200, "You are signed out", "Sign in again")
}

func TestSignOutFormsOfOthers(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	page := p.Get(endSession())
	form := page.Form("/sign-out")
	eve := f.Person().SignedUp("eve@example.com")
	theirs := eve.Get(endSession()).Form("/sign-out")
	eve.Post("/sign-out", form).Want(403, "nothing was done", "eve@example.com")
	eve.Get("/sign-out?o=" + form.Get("o")).WantTo("/account")
	eve.Post("/sign-out", url.Values{"o": {theirs.Get("o")}}).Want(403, "nothing was done", "Sign out of localhost?")
	eve.Post("/sign-out", url.Values{"o": {theirs.Get("o")}, "t": {form.Get("t")}}).Want(403, "nothing was done")
	eve.Post("/sign-out", url.Values{"o": {"x"}, "t": {theirs.Get("t")}}).Want(403, "nothing was done", "Your account")
	eve.Post("/sign-out", url.Values{}).Want(403, "nothing was done")
	f.Person().Post("/sign-out", form).WantTo("/signed-out")
	eve.Headers.Set("Sec-Fetch-Site", "cross-site")
	eve.Post("/sign-out", theirs).Want(403, "came from another site")
	eve.Headers.Del("Sec-Fetch-Site")
	eve.Get("/account").Want(200, "Your account")

	// Another person has signed in since the question was asked: they are asked anew.
	p.SignedIn("eve@example.com", 2)
	again := page.Submit("/sign-out").Want(403, "nothing was done", "You are signed in as eve@example.com")
	f.DB.AdvanceForTest(61 * time.Minute)
	again.Submit("/sign-out").Want(403, "nothing was done", "Your account") // too old
	p.Get("/account").Submit("/account/sign-out").WantTo("/signed-out")
	again.Submit("/sign-out").WantTo("/signed-out")
	p.Get("/sign-out").WantTo("/account")
}

func TestSignOutWithoutDatabase(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	page := p.Get(endSession())
	f.Outage.On.Store(true)
	s := page.Submit("/sign-out").Want(503, "Back in a moment")
	if s.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	f.Outage.On.Store(false)
	p.Get(s.Link("Try again")).Want(200, "Bookstore wants to sign you out.").Submit("/sign-out").WantTo(goodbye)
}

// The app's address to go back to is not registered.
func TestSignedOutAndNotSentBack(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	s := p.Get(endSession("post_logout_redirect_uri", webtest.AfterSignOut+"s")).Want(400, "You are signed out", "we do not know", webtest.AfterSignOut)
	if !strings.Contains(s.Body, "/bye<mark>s</mark>") {
		t.Error(s.Body)
	}
	p.Get(s.Link("日本語")).Want(400, "サインアウトしました", "/bye")
	p.SignedUp(ada)
	p.Get(endSession("post_logout_redirect_uri", "https://evil.example/")).Want(200, "サインアウトしますか", "戻れません", "vil.example").Submit("/sign-out").WantTo("/signed-out")
}

// The app's wish for a language counts, as at a sign-in.
func TestSignOutInTheAppsLanguage(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	page := p.Get(endSession("ui_locales", "xx ja")).Want(200, "サインアウトしますか")
	p.Get(page.Link("English")).Want(200, "Sign out of")
}

func TestSignOutIsNoGet(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	page := p.Get(endSession())
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		p.Do(method, "/sign-out?"+page.Form("/sign-out").Encode(), nil).Want(200)
		p.Do(method, endSession(), nil).Want(200)
	}
	p.Get("/account").Want(200, "Your account")
}

func TestHostileAppName(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Must(f.DB.CreateClient(t.Context(), store.Client{ID: "evil", Name: `<script>alert(1)</script>`, Type: store.SPA, RedirectURIs: []string{"https://evil.example/cb"}, IDTokenAlg: "ES256", PKCE: true}))
	p := f.Person().SignedUp(ada)
	s := p.Get("/oidc/session/end?client_id=evil").Want(200, "<script>alert(1)</script> wants")
	if strings.Contains(s.Body, "<script>alert") {
		t.Error(s.Body)
	}
}
