//go:build browser

package signin_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"idp/otp"
	"idp/web/webtest"
)

// The code page submits by itself what came in one piece, each value once; it
// counts down, and tells of the mail.
func TestScripts(t *testing.T) {
	f := webtest.New(t, func(c *otp.Config) { c.ResendWaits = []time.Duration{5 * time.Second} })
	b := f.Tab()
	b.Act(chromedp.Navigate(f.Server.URL + webtest.Authorize("first_screen", "register")))
	b.Eventually(`document.activeElement.id === "email"`)
	b.Act(chromedp.SendKeys(chromedp.CSS("#email"), "ada@example.com\r"), chromedp.WaitVisible(chromedp.CSS("#code")))
	b.Eventually(`document.activeElement.id === "code"`)
	b.Eventually(`document.querySelector("#again button").disabled && /0:0[1-5]/.test(document.querySelector(".wait").innerText)`)
	code := f.Code("ada@example.com", 1)
	b.Eventually(`document.querySelector("#mail").innerText === "The mail has been sent."`)
	b.Eventually(`!document.querySelector("#again button").disabled && document.querySelector(".wait").hidden`)

	b.Act(chromedp.SendKeys(chromedp.CSS("#code"), webtest.Wrong(code)))
	time.Sleep(500 * time.Millisecond)
	b.Eventually(`!document.querySelector("[role=alert]")`) // typed: waits for the button
	b.Paste("#code", webtest.Wrong(code))
	b.Eventually(`/4 tries left/.test(document.querySelector("[role=alert]")?.innerText) && document.activeElement.id === "code"`)
	b.Paste("#code", webtest.Wrong(code))
	time.Sleep(500 * time.Millisecond)
	b.Eventually(`/4 tries left/.test(document.querySelector("[role=alert]")?.innerText)`) // the same again is not sent
	b.Paste("#code", code[:3]+" "+code[3:])
	done := f.Log // the app's host does not exist: the access log tells of the redirect
	for end := time.Now().Add(30 * time.Second); !strings.Contains(done.String(), "method=POST route=/verify status=303"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the right code was not sent")
		}
	}
}

// The open page tells by itself that the mail has bounced, after it was sent.
func TestBounceComesLive(t *testing.T) {
	f := webtest.New(t)
	b := f.Tab()
	b.Act(chromedp.Navigate(f.Server.URL + webtest.Authorize("first_screen", "register")))
	b.Act(chromedp.SendKeys(chromedp.CSS("#email"), "ada@example.com\r"), chromedp.WaitVisible(chromedp.CSS("#code")))
	f.Code("ada@example.com", 1)
	b.Eventually(`document.querySelector("#mail").innerText === "The mail has been sent."`)
	bounce(f, true)
	b.Eventually(`/ada@example.com refuses it/.test(document.querySelector("#mail").innerText)`)
}
