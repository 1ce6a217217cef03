package account_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/store/sqlstore"
	"idp/web/webtest"
)

// Whoever signs out everywhere with a session that went cold meanwhile is not told that it
// was done while another browser goes on.
func TestSignOutEverywhereWithColdSession(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	page := p.Get("/account").Want(200)
	f.DB.AdvanceForTest(11 * time.Hour)
	thief := f.Person().SignedIn(ada, 2)
	f.DB.AdvanceForTest(2 * time.Hour)
	done := page.Submit("/account/sign-out-everywhere")
	if done.Location() == "/signed-out" && strings.Contains(thief.Get("/account").Text(), "Your account") {
		t.Error("the page says that it is done, and the other browser goes on:", done.Follow().Text())
	}
}

// The same after the thief has ended the owner's session.
func TestSignOutEverywhereAfterThief(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	page := p.Get("/account").Want(200)
	thief := f.Person().SignedIn(ada, 2)
	thief.Get("/account").Submit("/account/sessions").Want(303)
	done := page.Submit("/account/sign-out-everywhere")
	if done.Location() == "/signed-out" && strings.Contains(thief.Get("/account").Text(), "Your account") {
		t.Error("the page says that it is done, and the thief goes on:", done.Follow().Text())
	}
}

// A browser that was closed and opened has lost its session cookie, not its other one: the
// session from before ends with this one, and is not listed as another browser.
func TestOwnEarlierSession(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	u := webtest.URL(f.Server.URL)
	kept := []*http.Cookie{}
	for _, c := range p.HTTP.Jar.Cookies(u) {
		if !strings.Contains(c.Name, "session") {
			kept = append(kept, c)
		}
	}
	p.HTTP.Jar, _ = cookiejar.New(nil)
	p.HTTP.Jar.SetCookies(u, kept)
	p.SignedIn(ada, 2)
	if page := p.Get("/account").Want(200, "Your account"); page.HasForm("/account/sessions") {
		t.Error("this browser's own earlier session is listed as another one")
	}
}

// An app asks to sign out, the session goes cold before the answer: what the app holds
// ends as it does without the question (see op's lastSession).
func TestAnswerAfterSessionWentCold(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person().SignedUp(ada)
	direct := p.Get(webtest.Authorize("prompt", "none", "scope", "openid offline_access")).Want(303)
	code := webtest.URL(direct.Location()).Query().Get("code")
	tok := p.Post("/oidc/token", url.Values{"grant_type": {"authorization_code"}, "client_id": {"shop"}, "code": {code}, "redirect_uri": {webtest.Callback}, "code_verifier": {webtest.Verifier}})
	refresh := between(tok.Body, `"refresh_token":"`, `"`)
	if refresh == "" {
		t.Fatal(tok.Body)
	}
	ask := p.Get("/oidc/session/end?client_id=shop&state=x").Want(200)
	f.Must(expire(f, ada))
	done := ask.Submit("/sign-out").Want(303)
	again := p.Post("/oidc/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {"shop"}, "refresh_token": {refresh}})
	if again.Status == 200 {
		t.Errorf("the person said yes and was sent to %q, and the app's refresh token lives", done.Location())
	}
}

func between(s, a, b string) string {
	_, s, ok := strings.Cut(s, a)
	if !ok {
		return ""
	}
	s, _, _ = strings.Cut(s, b)
	return s
}

// expire has an account's sessions go cold.
func expire(f *webtest.Fixture, email string) error {
	var s sqlstore.Script
	s.Do(`UPDATE session SET idle_at = 1 WHERE user_id = (SELECT id FROM users WHERE email = $1)`, email)
	return f.Outage.Run(f.Context(), &s)
}
