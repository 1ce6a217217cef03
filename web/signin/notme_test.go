package signin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/web/webtest"
)

// ada is who others try to get in as.
const ada = "ada@example.com"

// The owner of an address, on any device, throws out who has signed in with a code that
// she did not ask for.
func TestNotMe(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	home := f.Person().SignedUp(ada)
	thief := f.Person().SignedIn(ada, 2)
	thief.Get("/account").Want(200, "Your account")

	phone := f.Person()
	link := f.NotMe(f.Mail(ada, 2))
	if strings.Contains(link, "ada") || strings.Contains(link, f.Mail(ada, 2).Code) {
		t.Error(link)
	}
	page := phone.Get(link).Want(200, "Wasn’t that you?", "Bookstore", "a…@example.com", "Firefox on Linux")
	if strings.Contains(page.Body, ada) {
		t.Error("the page tells the address to whoever looks over the shoulder")
	}
	thief.Get("/account").Want(200, "Your account") // looking does nothing
	phone.Do(http.MethodHead, link, nil).Want(200)
	for range 2 {
		page.Submit("/not-me").Want(200, "We have put a stop to that", "Somebody had signed in", "Change your mailbox’s password")
	}
	thief.Get("/account").Want(200, "Sign in to")
	home.Get("/account").Want(200, "Your account")
	phone.Get(phone.Get(page.Link("日本語")).Submit("/not-me").Want(200, "対処しました").Link("English")).Want(200, "Wasn’t")

	// Her own browser gets codes, the thief's does not, and sees no difference.
	known := home.Get(webtest.Authorize("prompt", "login")).Submit("/sign-in", "email", ada).Follow().Want(200)
	unknown := thief.Get(webtest.Authorize("prompt", "login")).Submit("/sign-in", "email", ada).Follow().Want(200)
	code := f.Code(ada, 3)
	if a, b := state(known), state(unknown); strings.Contains(a, "failed") || strings.Contains(b, "failed") {
		t.Error(a, b)
	}
	known.Submit("/verify", "code", code).Want(303)
	f.Person().ToCode("/register", "later@example.com")
	f.Code("later@example.com", 1) // the queue has come so far
	if mails, err := f.Inbox.List(f.Context(), ada, 0); err != nil || len(mails) != 3 {
		t.Errorf("%d mails, %v", len(mails), err)
	}
	if strings.Contains(f.Log.String(), ada) || !strings.Contains(f.Log.String(), "a…@example.com") {
		t.Error(f.Log)
	}

	// Who holds the link lifts the mute: the same who was asked to set it.
	page.Submit("/not-me").Submit("/not-me").Want(200, "Codes go to any browser again")
	f.Person().ToCode("/sign-in", ada)
	f.Code(ada, 4)
}

func TestNotMeKillsTheCode(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	thief := f.Person()
	waits := thief.ToCode("/register", ada)
	m := f.Mail(ada, 1)
	signs := thief.Get(m.Link)
	done := f.Person().Get(f.NotMe(m)).Submit("/not-me").Want(200, "does not work any more")
	if strings.Contains(done.Text(), "Somebody had signed in") {
		t.Error(done.Text())
	}
	waits.Submit("/verify", "code", m.Code).Want(410, "has expired")
	signs.Submit("/verify").Want(410, "has expired")
	thief.Get(m.Link).Want(410, "has expired")
	waits.Submit("/verify/resend").Want(410, "has expired")
}

// Programs that check mails, other sites, tokens of other mails and other browsers.
func TestNotMeOfNobody(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	thief := f.Person().SignedUp(ada)
	link := f.NotMe(f.Mail(ada, 1))
	owner := f.Person()
	page := owner.Get(link)
	form := page.Form("/not-me")
	f.Person().ToCode("/sign-in", "eve@example.com")
	other := owner.Get(f.NotMe(f.Mail("eve@example.com", 1))).Form("/not-me")

	scanner := f.Person()
	scanner.HTTP.Jar = nil
	scanner.Get(link).Want(200)
	scanner.Do(http.MethodPost, "/not-me", form).Want(403, "Nothing was done yet")
	f.Person().Do(http.MethodPost, "/not-me", form).Want(403, "Nothing was done yet")
	owner.Post("/not-me", url.Values{"t": form["t"]}).Want(403, "Nothing was done yet")
	owner.Post("/not-me", url.Values{"t": form["t"], "f": other["f"]}).Want(403, "Nothing was done yet")
	owner.Post("/not-me", url.Values{"t": {form.Get("t")[:200] + "AAAA"}, "f": form["f"]}).Want(400, "Start again")
	owner.Post("/not-me", url.Values{}).Want(400)
	owner.Get("/not-me").Want(400)
	owner.Get("/not-me?t=" + strings.Repeat("A", 5000)).Want(400)
	owner.Do(http.MethodPost, link, form).Want(200) // an address left over does not matter
	owner.Headers.Set("Sec-Fetch-Site", "cross-site")
	owner.Do(http.MethodPost, "/not-me", form).Want(403, "came from another site")
	owner.Headers.Del("Sec-Fetch-Site")
	thief.Get("/account").Want(200, "Sign in to")
}

// The same link again, a day later: it does not mute anew, and does not say so.
func TestNotMeAgain(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	owner := f.Person().SignedUp(ada)
	link := f.NotMe(f.Mail(ada, 1))
	anybody := f.Person()
	anybody.Get(link).Submit("/not-me").Want(200, "Until", "Send codes to any browser again")
	f.DB.AdvanceForTest(25 * time.Hour)
	back := owner.ToCode("/sign-in", ada)
	back.Submit("/verify", "code", f.Code(ada, 2)).Want(303)
	again := anybody.Get(link).Submit("/not-me").Want(200, "does not work any more")
	if again.HasForm("/not-me") || strings.Contains(again.Text(), "Until") {
		t.Error(again.Text())
	}
	owner.Get("/account").Want(200, ada)
}

func TestNotMeAfterAMonth(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Register(ada)
	p := f.Person()
	page := p.Get(f.NotMe(f.Mail(ada, 1)))
	f.DB.AdvanceForTest(29 * 24 * time.Hour)
	p.Get(f.NotMe(f.Mail(ada, 1))).Want(200)
	f.DB.AdvanceForTest(25 * time.Hour)
	p.Get(f.NotMe(f.Mail(ada, 1))).Want(410, "This link is too old")
	page.Submit("/not-me").Want(410, "This link is too old")
}

// The notice of a recovery and the mail that says that there is no account have the link,
// too.
func TestNotMeOfARecovery(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Register(ada)
	thief := f.Person()
	code := thief.Get(webtest.Authorize("first_screen", "reset_password")).Submit("/recover", "email", ada).Follow()
	code.Submit("/verify", "code", f.Code(ada, 2)).Want(303)
	f.Person().Get(f.NotMe(f.Mail(ada, 3))).Submit("/not-me").Want(200, "Somebody had signed in")
	thief.Get("/account").Want(200, "Sign in to")

	thief.Get(webtest.Authorize("first_screen", "reset_password")).Submit("/recover", "email", "eve@example.com").Follow()
	f.Person().Get(f.NotMe(f.Mail("eve@example.com", 1))).Submit("/not-me").Want(200, "does not work any more")
}

func TestNotMeDuringAnOutage(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	f.Register(ada)
	page := f.Person().Get(f.NotMe(f.Mail(ada, 1)))
	f.Outage.On.Store(true)
	away := page.Submit("/not-me").Want(503, "Back in a moment")
	f.Outage.On.Store(false)
	page.Get(away.Link("Try again")).Submit("/not-me").Want(200, "Somebody had signed in")
}
