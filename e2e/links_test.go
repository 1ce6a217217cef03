package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"idp/e2e/rig"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

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
	mail := d.Letter(email, 1)
	link := d.Link(mail, "/verify/link")

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
	mail := d.Letter("ada@example.com", 1)
	thief.submit(codeField, mail.Code)
	thief.sees("signed in as")

	owner.do(chromedp.Navigate(d.Link(mail, "/not-me")))
	owner.sees("a…@example.com")
	owner.accessible("not me")
	thief.do(chromedp.Navigate(d.Endpoint + "/account"))
	thief.sees("Your account") // looking does nothing
	owner.do(chromedp.Click(chromedp.CSS(`form[action="/not-me"] button`)))
	owner.sees("Somebody had signed in")
	owner.accessible("disowned")
	thief.do(chromedp.Navigate(d.Endpoint+"/account"), chromedp.WaitVisible(emailField))
	owner.do(chromedp.Click(chromedp.CSS(`form[action="/not-me"] button`)))
	owner.sees("sign in anywhere as before")
	owner.accessible("unmuted")
}

// On both engines, over HTTP: muted for strangers, not for a browser that signed in
// before, and nobody sees a difference.
func TestMuteOverHTTP(t *testing.T) {
	t.Parallel()
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		app := s.NewClient()
		home := rig.NewVisitor(t, s)
		home.SignUp(s.Request(app), "ada@example.com")
		stranger := rig.NewVisitor(t, s)
		p := stranger.Enter(s.Request(app), "ada@example.com").Is(200)
		owner := rig.NewVisitor(t, s)
		page := owner.Get(strings.TrimPrefix(s.Link(s.Letter("ada@example.com", 2), "/not-me"), s.Endpoint)).Is(200)
		owner.Submit(page, "/not-me").Is(200, "does not work any more")
		stranger.Submit(p, "/verify", "code", s.Code("ada@example.com", 2)).Is(410)

		again := rig.NewVisitor(t, s).Enter(s.Request(app), "ada@example.com").Is(200)
		r := s.Request(app, "prompt", "login")
		known := home.Enter(r, "ada@example.com").Is(200)
		home.Submit(known, "/verify", "code", s.Code("ada@example.com", 3)).Answer(r)
		rig.NewVisitor(t, s).Enter(s.Request(app), "later@example.com").Is(200)
		s.Code("later@example.com", 1) // the queue has come so far
		if n := len(s.Inbox("ada@example.com")); n != 3 {
			t.Errorf("%d mails, want 3: a stranger's went out", n)
		}
		if again.Form("/verify") == nil || again.Form("/verify/resend") == nil {
			t.Error("the stranger sees that it did not")
		}
	})
}
