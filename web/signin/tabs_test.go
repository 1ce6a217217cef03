package signin_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/web/webtest"
)

// Tabs, browsers, the address bar and the way back.

// The address form sent again, by a double click or from the page before, leads to
// the same challenge, and its page tells the waits as they are.
func TestAddressSentTwice(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada = "ada@example.com"
	p := f.Person()
	first := p.Get(webtest.Authorize("first_screen", "register"))
	again := func() *webtest.Shown {
		return first.Submit("/register", "email", ada).Follow().Want(200, "Enter your code", ada)
	}
	again()
	code := f.Code(ada, 1)
	f.DB.AdvanceForTest(20 * time.Second)
	newest := again()
	if s := newest.Text(); !regexp.MustCompile("in 0:(40|3.)").MatchString(s) || strings.Contains(s, "Earlier codes") {
		t.Error(s)
	}
	if mails, err := f.Inbox.List(f.Context(), ada, 0); err != nil || len(mails) != 1 {
		t.Errorf("%d mails, %v", len(mails), err)
	}
	newest.Submit("/verify", "code", webtest.Wrong(code)).Want(422, "4 tries left")
	f.DB.AdvanceForTest(41 * time.Second)
	again().Want(200, "Earlier codes still work.") // the wait is over: one more mail
	f.Code(ada, 2)
	f.DB.AdvanceForTest(121 * time.Second)
	again()
	f.Code(ada, 3)
	last := again().Want(200, "All codes for this sign-in have been sent")
	last.Submit("/verify", "code", webtest.Wrong(code)).Want(422, "3 tries left") // no page's code costs another's try
	last.Submit("/verify", "code", code).Want(303)
}

func TestOtherBrowser(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada = "ada@example.com"
	page := f.Person().ToCode("/register", ada)
	form := page.Form("/verify", "code", f.Code(ada, 1))
	stranger := f.Person()
	stranger.Do(http.MethodPost, "/verify", form).Want(400, "blocking cookies")
	stranger.Get(webtest.Authorize())
	stranger.Do(http.MethodPost, "/verify", form).Want(400, "Start again in your app")
	stranger.Get("/verify/status?c=" + form.Get("c")).Want(404)
	mixed := stranger.ToCode("/sign-in", "eve@example.com").Form("/verify", "code", form.Get("code"), "c", form.Get("c"))
	stranger.Do(http.MethodPost, "/verify", mixed).Want(400, "Start again")
	if s := page.Submit("/verify", "code", form.Get("code")); s.Status != 303 {
		t.Errorf("the owner was disturbed: %d %s", s.Status, s.Text())
	}
}

func TestTabsGoTheirOwnWays(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	one := p.ToCode("/register", "one@example.com")
	two := p.ToCode("/register", "two@example.com")
	mixed := one.Form("/verify", "code", f.Code("two@example.com", 1), "c", two.Form("/verify").Get("c"))
	p.Do(http.MethodPost, "/verify", mixed).Want(400, "Start again") // r of one, c of the other
	for email, page := range map[string]*webtest.Shown{"two@example.com": two, "one@example.com": one} {
		if s := page.Submit("/verify", "code", f.Code(email, 1)); s.Status != 303 {
			t.Errorf("%s: %d %s", email, s.Status, s.Text())
		}
	}
}

func TestCookiesBlocked(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	page := p.Get(webtest.Authorize("state", "a b&c"))
	p.HTTP.Jar = nil
	s := page.Submit("/sign-in", "email", "ada@example.com").Want(400, "Your browser is blocking cookies")
	again, _ := url.Parse(s.Link("Try again"))
	if again.Path != "/oidc/auth" || again.Query().Get("state") != "a b&c" {
		t.Error(again)
	}
	f.Person().Get(again.String()).Want(200, "Sign in to Bookstore")
}

// A browser opens two tabs at once: each is given a cookie, the later one stays.
func TestTwoTabsInANewBrowser(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	one := f.Person().Get(webtest.Authorize("state", "a b&c"))
	p := f.Person() // the second tab's cookie is what the browser keeps
	p.Get(webtest.Authorize())
	leads := func(broken *webtest.Shown) {
		t.Helper()
		broken.Want(400, "Start again")
		fresh := p.Get(broken.Link("Start again")).Want(200)
		code := fresh.Submit("/sign-in", "email", "ada@example.com").Follow().Want(200)
		if r, _ := url.Parse(p.Get("/cancel?r=" + code.Form("/verify").Get("r")).Header.Get("Location")); r.Query().Get("state") != "a b&c" {
			t.Error(r)
		}
	}
	leads(p.Do(http.MethodPost, "/sign-in", one.Form("/sign-in", "email", "")))
	leads(p.Get(one.Link("Create an account")))
	japanese := p.Get(one.Link("日本語")).Want(400, "アプリからやり直してください")
	leads(p.Get(japanese.Link("English")))
	posted := p.Do(http.MethodPost, "/sign-in", one.Form("/sign-in"))
	leads(p.Get(p.Get(posted.Link("日本語")).Want(400, "アプリからやり直してください").Link("English")))

	// From page to page of a tab whose cookie is lost later.
	mine := p.Get(webtest.Authorize("state", "a b&c", "login_hint", "ada@example.com"))
	register := p.Get(mine.Link("Create an account")).Want(200, "Create your")
	back := p.Get(p.Get(register.Link("日本語")).Link("English")).Submit("/register", "email", "").Want(422)
	leave := p.Get(back.Link("Sign in")).Want(200).Form("/sign-in")
	if again, _ := url.ParseQuery(leave.Get("again")); again.Get("state") != "a b&c" {
		t.Error(leave)
	}
}

// What a form left in the address bar is the page that it was on.
func TestAddressBar(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	const ada = "ada@example.com"
	page := p.ToCode("/sign-in", ada)
	typed := f.Code(ada, 1)
	for path, fields := range map[string][]string{"/verify": {"code", webtest.Wrong(typed)}, "/verify/resend": nil} {
		s := page.Submit(path, fields...)
		bar := page.Action(path)
		if s.Status != 422 && s.Status != 429 || s.Action(path) == "" {
			t.Errorf("%s: %d", path, s.Status)
		}
		back := p.Get(bar)
		if path == "/verify/resend" {
			back = back.Follow()
		}
		back.Want(200, "Enter your code", ada)
	}
	p.Get("/verify/resend").Follow().Follow().Want(200, "Sign in to localhost")
	p.Get("/verify/resend?r=a&r=b").Want(400)
	other := p.ToCode("/sign-in", "bob@example.com") // the body decides, whatever the address says
	p.Do(http.MethodPost, other.Action("/verify")+"&r=x&c=y&code=1", page.Form("/verify", "code", webtest.Wrong(typed))).Want(422, "3 tries left")
	ask := page.Submit("/verify", "code", typed).Want(200, "Create an account?")
	p.Get(ask.Action("/verify")).Want(200, "Enter your code")
	ask.Submit("/verify").Want(303)
}

func TestBookmarksAndBrokenLinks(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	p.Get("/verify").Follow().Want(200, "Sign in to localhost")
	p.Get("/cancel").Want(200, "Sign in to localhost")
	p.Get("/sign-in?again=x").Want(400, "Start again in your app")
	p.Get("/sign-in?lang=ja").Want(200, "localhost にサインイン")
	p.Get("/register").Want(200, "localhost のアカウントを作成") // remembered
	english := p.Get("/nowhere?lang=en").Want(404, "no such page")
	p.Get(english.Link("日本語")).Want(404, "ページが見つかりません")
	for _, path := range []string{"//evil.example/x", "////evil.example", "/%5c%5cevil.example", "/.//evil.example"} {
		if s := p.Get(f.Server.URL + path).Want(404); strings.Contains(s.Body, `href="//`) || strings.Contains(s.Body, `href="/\`) {
			t.Error(s.Body)
		}
	}
	q := f.Person()
	r := q.Get(webtest.Authorize()).Form("/sign-in").Get("r")
	q.Get("/sign-in?r="+r[:len(r)-8]+"AAAAAAAA").Want(400, "Start again in your app")
	q.Get("/verify?r="+r).Want(400, "Start again")
	q.Get("/verify?r="+r+"&c=x").Want(400, "Start again")
	q.Get("/sign-in?r=").Want(200, "Sign in to localhost")
}
