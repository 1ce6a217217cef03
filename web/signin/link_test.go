package signin_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/store"
	"idp/web/webtest"
)

// state gives how a challenge stands, as the page that waits for its code is told.
func state(page *webtest.Shown) string {
	said := page.Get("/verify/status?c=" + url.QueryEscape(page.Form("/verify").Get("c"))).Want(200).Body
	return regexp.MustCompile(`"nextSendIn":\d+,`).ReplaceAllString(said, "") // which a test that is slow sees change
}

func untilSent(page *webtest.Shown) {
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(state(page), `"sent"`) {
			return
		}
	}
	page.Fatal("the mail was not sent")
}

// The link signs in, by its button, in the browser that asked for the code.
func TestLink(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada = "ada@example.com"
	p := f.Person()
	waits := p.ToCode("/register", ada)
	m := f.Mail(ada, 1)
	if !strings.HasPrefix(m.Link, f.Server.URL+"/verify/link?t=") || strings.Contains(m.Link, m.Code) || len(m.Link) > 1300 {
		t.Fatalf("%d bytes: %s", len(m.Link), m.Link)
	}
	link := p.Get(m.Link).Want(200, "Create your Bookstore account", ada, "Create account")
	if link.Header.Get("Referrer-Policy") != "no-referrer" || link.Header.Get("Cache-Control") != "no-store" {
		t.Error(link.Header)
	}
	p.Get(p.Get(link.Link("日本語")).Want(200, "Bookstore のアカウントを作成").Link("English")).Want(200, ada)
	done := link.Submit("/verify").Want(303)
	if !strings.HasPrefix(done.Location(), webtest.Callback+"?") {
		t.Error(done.Location())
	}
	link.Submit("/verify").WantTo(done.Location()) // a double click
	waits.Submit("/verify", "code", m.Code).WantTo(done.Location())
	if s := state(waits); !strings.Contains(s, `"done":true`) {
		t.Error("the first tab is not told: ", s)
	}
	p.Get(m.Link).Want(410, "You used this code already")
	f.Person().Get(m.Link).Want(200, m.Code) // elsewhere it never was more than the code
	f.DB.AdvanceForTest(time.Minute)
	link.Submit("/verify").Want(410, "You used this code already")
	if regexp.MustCompile(`\?t=|\b` + m.Code + `\b`).MatchString(f.Log.String()) {
		t.Error("the link is logged: ", f.Log)
	}
}

// Programs that check mails open links, follow forms, have cookies or none: nothing
// comes of it, and the code is as good as before.
func TestLinkAndScanners(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada = "ada@example.com"
	p := f.Person()
	waits := p.ToCode("/register", ada)
	untilSent(waits)
	m, before := f.Mail(ada, 1), state(waits)
	scanner := f.Person()
	visitor := f.Person() // has a cookie of ours
	visitor.Get(webtest.Authorize())
	mine := p.Get(m.Link).Form("/verify")
	for _, s := range []*webtest.Person{scanner, visitor} {
		shown := s.Get(m.Link).Want(200, "Your code", m.Code, "in the browser where you asked for it")
		if shown.HasForm("/verify") || shown.Header.Get("Set-Cookie") != "" {
			t.Error("there is something to press")
		}
		s.Do(http.MethodHead, m.Link, nil).Want(200)
		s.Do(http.MethodPost, m.Link, url.Values{"code": {m.Code}}).Want(405)
		s.Do(http.MethodPost, m.Link, url.Values{}).Want(405)
		s.Do(http.MethodPost, "/verify", mine).Want(400)
	}
	for _, purpose := range []string{"prefetch", "prefetch;prerender"} {
		p.Headers.Set("Sec-Purpose", purpose)
		p.Get(m.Link).Want(200)
		p.Do(http.MethodHead, m.Link, nil).Want(200)
	}
	if after := state(waits); after != before {
		t.Errorf("was %s, is %s", before, after)
	}
	p.Get(m.Link).Submit("/verify").Want(303)
}

func TestLinkThatIsNone(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada = "ada@example.com"
	p := f.Person()
	waits := p.ToCode("/register", ada)
	untilSent(waits)
	m := f.Mail(ada, 1)
	before := state(waits)
	at, sealed, _ := strings.Cut(m.Link, "t=")
	broken := at + "t="
	for _, bad := range []string{"", "x", sealed[:len(sealed)-4] + "AAAA", strings.Repeat("A", 2000), waits.Form("/verify").Get("c"), strings.TrimPrefix(f.NotMe(m), "/not-me?t=")} {
		p.Get(broken+bad).Want(400, "Start again in your app")
	}
	p.Get(broken + strings.Repeat("A", 5000)).Want(400)
	p.Get(m.Link + "&t=x").Want(400)
	p.Get("/not-me?t="+sealed).Want(400, "Start again in your app") // neither is worth anything as the other
	if after := state(waits); after != before {
		t.Errorf("was %s, is %s", before, after)
	}
}

// The link's button goes the way of a typed code: the same tries, the same ends.
func TestLinkEnds(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	open := func(email string) (*webtest.Person, *webtest.Shown, store.Message) {
		p := f.Person()
		return p, p.ToCode("/sign-in", email), f.Mail(email, 1)
	}
	p, _, m := open("new@example.com")
	ask := p.Get(m.Link).Want(200, "Sign in to Bookstore").Submit("/verify").Want(200, "Create an account?")
	ask.Submit("/verify").Want(303)

	p, waits, m := open("spent@example.com")
	link := p.Get(m.Link)
	for range 5 {
		waits.Submit("/verify", "code", webtest.Wrong(m.Code))
	}
	p.Get(m.Link).Want(410, "a new code").Submit("/sign-in").Follow().Want(200, "Enter your code")
	link.Submit("/verify").Want(410, "a new code")

	p, _, m = open("late@example.com")
	link = p.Get(m.Link)
	f.DB.AdvanceForTest(11 * time.Minute)
	p.Get(m.Link).Want(410, "has expired")
	link.Submit("/verify").Want(422, "too old")
	f.Person().Get(m.Link).Want(410, "This link is too old")
	f.DB.AdvanceForTest(55 * time.Minute)
	p.Get(m.Link).Want(410, "has expired").Submit("/sign-in").Follow().Want(200, "Enter your code")
}

// An app's long state does not make a link that mail programs break.
func TestLongLinkIsLeftOut(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	for length, want := range map[int]bool{100: true, 2000: false} {
		email := "ada" + string('0'+rune(length%7)) + "@example.com"
		f.Person().Get(webtest.Authorize("state", strings.Repeat("s", length))).Submit("/sign-in", "email", email).Follow().Want(200)
		if m := f.Mail(email, 1); (m.Link != "") != want || len(m.Link) > 1800 {
			t.Errorf("state of %d: %q", length, m.Link)
		}
	}
}

func TestLinkDuringAnOutage(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Person()
	p.ToCode("/sign-in", "ada@example.com")
	m := f.Mail("ada@example.com", 1)
	f.Outage.On.Store(true)
	p.Get(m.Link).Want(503, "Back in a moment")
	p.Get(f.NotMe(m)).Want(200, "That was not me")
	f.Outage.On.Store(false)
	p.Get(m.Link).Submit("/verify").Want(200, "Create an account?")
}
