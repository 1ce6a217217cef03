package e2e_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// link finds in a mail the link that leads to a page.
func (s *server) link(l letter, path string) string {
	s.t.Helper()
	found := regexp.MustCompile(regexp.QuoteMeta(s.endpoint+path+"?t=") + `[0-9A-Za-z_-]+`).FindString(l.Text)
	if found == "" || !strings.Contains(l.HTML, found) {
		s.t.Fatalf("the mail has no link to %s:\n%s", path, l.Text)
	}
	return found
}

// The link in the mail signs in by a button in the browser that asked; another browser
// is shown the code. With scripts and without.
func TestSignInByLink(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--otp-link")
	for _, script := range []bool{true, false} {
		t.Run(fmt.Sprintf("script=%t", script), func(t *testing.T) { signInByLink(t, d, script) })
	}
}

func signInByLink(t *testing.T, d dev, script bool) {
	b, other := tab{t, chromium(t)}, tab{t, chromium(t)}
	if !script {
		set(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	}
	email := fmt.Sprintf("ada.%t@example.com", script)
	b.do(chromedp.Navigate(d.shop+"/sign-up"), chromedp.WaitVisible(emailField))
	b.submit(emailField, email)
	b.do(chromedp.WaitVisible(codeField))
	mail := d.letter(email, 1)
	link := d.link(mail, "/verify/link")

	other.do(chromedp.Navigate(link))
	other.sees(mail.Code)
	other.sees("in the browser where you asked for it")
	other.accessible("elsewhere")

	b.do(chromedp.Navigate(link))
	b.sees("Create your")
	if script {
		b.accessible("link")
	}
	b.do(chromedp.Click(chromedp.CSS(`form[action^="/verify"] button`)))
	b.sees("signed in as")
	other.do(chromedp.Navigate(link))
	other.sees(mail.Code) // it was shown to who reads the mail, and is worth nothing now
	b.do(chromedp.Navigate(link))
	b.sees("used this code already")
}

// The owner of an address, on another device, throws out who signed in with a code of
// hers.
func TestNotMeInTheBrowser(t *testing.T) {
	t.Parallel()
	d := startDev(t)
	thief, owner := tab{t, chromium(t)}, tab{t, chromium(t)}
	thief.do(chromedp.Navigate(d.shop+"/sign-up"), chromedp.WaitVisible(emailField))
	thief.submit(emailField, "ada@example.com")
	thief.do(chromedp.WaitVisible(codeField))
	mail := d.letter("ada@example.com", 1)
	thief.submit(codeField, mail.Code)
	thief.sees("signed in as")

	owner.do(chromedp.Navigate(d.link(mail, "/not-me")))
	owner.sees("a…@example.com")
	owner.accessible("not me")
	thief.do(chromedp.Navigate(d.endpoint + "/account"))
	thief.sees("Your account") // looking does nothing
	owner.do(chromedp.Click(chromedp.CSS(`form[action="/not-me"] button`)))
	owner.sees("Somebody had signed in")
	owner.accessible("disowned")
	thief.do(chromedp.Navigate(d.endpoint+"/account"), chromedp.WaitVisible(emailField))
	owner.do(chromedp.Click(chromedp.CSS(`form[action="/not-me"] button`)))
	owner.sees("sign in anywhere as before")
	owner.accessible("unmuted")
}

// On both engines, over HTTP: muted for strangers, not for a browser that signed in
// before, and nobody sees a difference.
func TestMuteOverHTTP(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *server) {
		app := s.newClient()
		home := newVisitor(t, s)
		home.signUp(s.request(app), "ada@example.com")
		stranger := newVisitor(t, s)
		p := stranger.enter(s.request(app), "ada@example.com").is(200)
		owner := newVisitor(t, s)
		page := owner.get(strings.TrimPrefix(s.link(s.letter("ada@example.com", 2), "/not-me"), s.endpoint)).is(200)
		owner.submit(page, "/not-me").is(200, "does not work any more")
		stranger.submit(p, "/verify", "code", s.code("ada@example.com", 2)).is(410)

		again := newVisitor(t, s).enter(s.request(app), "ada@example.com").is(200)
		r := s.request(app, "prompt", "login")
		known := home.enter(r, "ada@example.com").is(200)
		home.submit(known, "/verify", "code", s.code("ada@example.com", 3)).answer(r)
		newVisitor(t, s).enter(s.request(app), "later@example.com").is(200)
		s.code("later@example.com", 1) // the queue has come so far
		if n := len(s.inbox("ada@example.com")); n != 3 {
			t.Errorf("%d mails, want 3: a stranger's went out", n)
		}
		if again.form("/verify") == nil || again.form("/verify/resend") == nil {
			t.Error("the stranger sees that it did not")
		}
	})
}
