package signin_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Tabs, browsers, the address bar and the way back.

// The address form sent again, by a double click or from the page before, leads to
// the same challenge, and its page tells the waits as they are.
func TestAddressSentTwice(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const ada = "ada@example.com"
	p := f.person()
	first := p.get(authorize("first_screen", "register"))
	again := func() *shown {
		return first.submit("/register", "email", ada).follow().want(200, "Enter your code", ada)
	}
	again()
	code := f.mail(ada, 1)
	f.db.AdvanceForTest(20 * time.Second)
	newest := again()
	if s := newest.text(); !regexp.MustCompile("in 0:(40|3.)").MatchString(s) || strings.Contains(s, "Earlier codes") {
		t.Error(s)
	}
	if mails, err := f.inbox.List(f.Context(), ada, 0); err != nil || len(mails) != 1 {
		t.Errorf("%d mails, %v", len(mails), err)
	}
	newest.submit("/verify", "code", wrong(code)).want(422, "4 tries left")
	f.db.AdvanceForTest(41 * time.Second)
	again().want(200, "Earlier codes still work.") // the wait is over: one more mail
	f.mail(ada, 2)
	f.db.AdvanceForTest(121 * time.Second)
	again()
	f.mail(ada, 3)
	last := again().want(200, "All codes for this sign-in have been sent")
	last.submit("/verify", "code", wrong(code)).want(422, "3 tries left") // no page's code costs another's try
	last.submit("/verify", "code", code).want(303)
}

func TestOtherBrowser(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const ada = "ada@example.com"
	page := f.person().toCode("/register", ada)
	form := page.form("/verify", "code", f.mail(ada, 1))
	stranger := f.person()
	stranger.do(http.MethodPost, "/verify", form).want(400, "blocking cookies")
	stranger.get(authorize())
	stranger.do(http.MethodPost, "/verify", form).want(400, "Start again in your app")
	stranger.get("/verify/status?c=" + form.Get("c")).want(404)
	mixed := stranger.toCode("/sign-in", "eve@example.com").form("/verify", "code", form.Get("code"), "c", form.Get("c"))
	stranger.do(http.MethodPost, "/verify", mixed).want(400, "Start again")
	if s := page.submit("/verify", "code", form.Get("code")); s.status != 303 {
		t.Errorf("the owner was disturbed: %d %s", s.status, s.text())
	}
}

func TestTabsGoTheirOwnWays(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	one := p.toCode("/register", "one@example.com")
	two := p.toCode("/register", "two@example.com")
	mixed := one.form("/verify", "code", f.mail("two@example.com", 1), "c", two.form("/verify").Get("c"))
	p.do(http.MethodPost, "/verify", mixed).want(400, "Start again") // r of one, c of the other
	for email, page := range map[string]*shown{"two@example.com": two, "one@example.com": one} {
		if s := page.submit("/verify", "code", f.mail(email, 1)); s.status != 303 {
			t.Errorf("%s: %d %s", email, s.status, s.text())
		}
	}
}

func TestCookiesBlocked(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	page := p.get(authorize("state", "a b&c"))
	p.http.Jar = nil
	s := page.submit("/sign-in", "email", "ada@example.com").want(400, "Your browser is blocking cookies")
	again, _ := url.Parse(s.link("Try again"))
	if again.Path != "/oidc/auth" || again.Query().Get("state") != "a b&c" {
		t.Error(again)
	}
	f.person().get(again.String()).want(200, "Sign in to Bookstore")
}

// A browser opens two tabs at once: each is given a cookie, the later one stays.
func TestTwoTabsInANewBrowser(t *testing.T) {
	t.Parallel()
	f := setup(t)
	one := f.person().get(authorize("state", "a b&c"))
	p := f.person() // the second tab's cookie is what the browser keeps
	p.get(authorize())
	leads := func(broken *shown) {
		t.Helper()
		broken.want(400, "Start again")
		fresh := p.get(broken.link("Start again")).want(200)
		code := fresh.submit("/sign-in", "email", "ada@example.com").follow().want(200)
		if r, _ := url.Parse(p.get("/cancel?r=" + code.form("/verify").Get("r")).header.Get("Location")); r.Query().Get("state") != "a b&c" {
			t.Error(r)
		}
	}
	leads(p.do(http.MethodPost, "/sign-in", one.form("/sign-in", "email", "")))
	leads(p.get(one.link("Create an account")))
	japanese := p.get(one.link("日本語")).want(400, "アプリからやり直してください")
	leads(p.get(japanese.link("English")))
	posted := p.do(http.MethodPost, "/sign-in", one.form("/sign-in"))
	leads(p.get(p.get(posted.link("日本語")).want(400, "アプリからやり直してください").link("English")))

	// From page to page of a tab whose cookie is lost later.
	mine := p.get(authorize("state", "a b&c", "login_hint", "ada@example.com"))
	register := p.get(mine.link("Create an account")).want(200, "Create your")
	back := p.get(p.get(register.link("日本語")).link("English")).submit("/register", "email", "").want(422)
	leave := p.get(back.link("Sign in")).want(200).form("/sign-in")
	if again, _ := url.ParseQuery(leave.Get("again")); again.Get("state") != "a b&c" {
		t.Error(leave)
	}
}

// What a form left in the address bar is the page that it was on.
func TestAddressBar(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	const ada = "ada@example.com"
	page := p.toCode("/sign-in", ada)
	typed := f.mail(ada, 1)
	for path, fields := range map[string][]string{"/verify": {"code", wrong(typed)}, "/verify/resend": nil} {
		s := page.submit(path, fields...)
		bar := page.action(path)
		if s.status != 422 && s.status != 429 || s.action(path) == "" {
			t.Errorf("%s: %d", path, s.status)
		}
		back := p.get(bar)
		if path == "/verify/resend" {
			back = back.follow()
		}
		back.want(200, "Enter your code", ada)
	}
	p.get("/verify/resend").follow().follow().want(200, "Sign in to localhost")
	p.get("/verify/resend?r=a&r=b").want(400)
	other := p.toCode("/sign-in", "bob@example.com") // the body decides, whatever the address says
	p.do(http.MethodPost, other.action("/verify")+"&r=x&c=y&code=1", page.form("/verify", "code", wrong(typed))).want(422, "3 tries left")
	ask := page.submit("/verify", "code", typed).want(200, "Create an account?")
	p.get(ask.action("/verify")).want(200, "Enter your code")
	ask.submit("/verify").want(303)
}

func TestBookmarksAndBrokenLinks(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := f.person()
	p.get("/verify").follow().want(200, "Sign in to localhost")
	p.get("/cancel").want(200, "Sign in to localhost")
	p.get("/sign-in?again=x").want(400, "Start again in your app")
	p.get("/sign-in?lang=ja").want(200, "localhost にサインイン")
	p.get("/register").want(200, "localhost のアカウントを作成") // remembered
	english := p.get("/nowhere?lang=en").want(404, "no such page")
	p.get(english.link("日本語")).want(404, "ページが見つかりません")
	for _, path := range []string{"//evil.example/x", "////evil.example", "/%5c%5cevil.example", "/.//evil.example"} {
		if s := p.get(f.server.URL + path).want(404); strings.Contains(s.body, `href="//`) || strings.Contains(s.body, `href="/\`) {
			t.Error(s.body)
		}
	}
	q := f.person()
	r := q.get(authorize()).form("/sign-in").Get("r")
	q.get("/sign-in?r="+r[:len(r)-2]+"AA").want(400, "Start again in your app")
	q.get("/verify?r="+r).want(400, "Start again")
	q.get("/verify?r="+r+"&c=x").want(400, "Start again")
	q.get("/sign-in?r=").want(200, "Sign in to localhost")
}
