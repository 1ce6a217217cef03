//go:build browser

package signin_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/animation"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"

	"idp/otp"
	"idp/web/webtest"
)

// asksOf has a network show a proof for all codes but the first, of so many bits.
func asksOf(bits int) func(*otp.Config) {
	return func(c *otp.Config) { asksEarly(c); c.ProofBits = bits }
}

// toProof types an address of whose network a proof is asked.
func toProof(f *webtest.Fixture, b webtest.Tab) {
	f.Person().ToCode("/sign-in", "first@example.com")
	b.Act(chromedp.Navigate(f.Server.URL + webtest.Authorize()))
	b.Eventually(`document.activeElement.id === "email"`)
	b.Act(chromedp.SendKeys(chromedp.CSS("#email"), "ada@example.com\r"))
}

// The page does the work of the default by itself, and goes on to the code.
func TestProofScriptWorks(t *testing.T) {
	f := webtest.New(t, asksOf(otp.DefaultConfig().ProofBits))
	b := f.Tab()
	toProof(f, b)
	b.Act(chromedp.WaitVisible(chromedp.CSS("#code")))
	if !strings.Contains(f.Log.String(), "route=/sign-in status=429") {
		t.Error("no proof was asked for")
	}
	f.Code("ada@example.com", 1)
}

// While the page works it shows how far it is, and answers.
func TestProofScriptShowsProgress(t *testing.T) {
	f := webtest.New(t, asksOf(24)) // a part in a second, all in a quarter of a minute
	b := f.Tab()
	toProof(f, b)
	b.Eventually(`document.querySelector("progress")?.value > 0`)
	b.Eventually(`getComputedStyle(document.querySelector(".held")).visibility === "hidden"`)
	b.Act(chromedp.Click(chromedp.CSS(".alternative a")), chromedp.WaitVisible(chromedp.CSS("#email")))
}

// Whose browser runs no scripts waits for the button, and comes to the code by it; all of
// that is told on the page.
func TestProofWithoutScripts(t *testing.T) {
	f := webtest.New(t, asksOf(otp.DefaultConfig().ProofBits))
	b := f.Tab()
	b.Scripts(false)
	f.Person().ToCode("/sign-in", "first@example.com")
	b.Act(chromedp.Navigate(f.Server.URL+webtest.Authorize()), chromedp.SendKeys(chromedp.CSS("#email"), "ada@example.com\r"), chromedp.WaitReady(chromedp.CSS("#proof")))
	b.Eventually(`document.querySelector("main").innerText.includes("Please wait half a minute. Then a button appears here.")`)
	b.Eventually(`getComputedStyle(document.querySelector(".held button")).visibility === "hidden"`)
	b.Eventually(`[...document.querySelectorAll(".scripted")].every(e => getComputedStyle(e).display === "none")`)

	hurried(b)
	b.Eventually(`getComputedStyle(document.querySelector(".held button")).visibility === "visible"`)
	b.Press("#proof button", `/half a minute|early/.test(document.querySelector("[role=alert]")?.innerText)`) // too early for the server
	f.DB.AdvanceForTest(31 * time.Second)
	hurried(b)
	b.Eventually(`getComputedStyle(document.querySelector(".held button")).visibility === "visible"`)
	b.Press("#proof button", `document.querySelector("#code") !== null`)
	b.Act(chromedp.SendKeys(chromedp.CSS("#code"), f.Code("ada@example.com", 1)+"\r"))
	b.Eventually(`document.querySelector("h1").innerText !== "Enter your code"`)
}

// hurried has half a minute of a page's animations pass in half a second.
func hurried(b webtest.Tab) {
	b.Helper()
	b.Act(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, animation.SetPlaybackRate, animation.SetPlaybackRateParams{PlaybackRate: 60})
		return err
	}))
}

// The service's script and frame are let in, and its token sends the form.
func TestPersonScript(t *testing.T) {
	w := newWidget(t)
	f := webtest.Guarded(t, w.endpoint(), asksEarly)
	b := f.Tab()
	toProof(f, b)
	b.Act(chromedp.WaitVisible(chromedp.CSS("#code")))
	f.Code("ada@example.com", 1)
	if w.mu.Lock(); len(w.taken) != 1 {
		t.Errorf("the service took %d tokens", len(w.taken))
	}
	w.mu.Unlock()
}

// Whose browser does not get the service is told of the button.
func TestPersonScriptIsAway(t *testing.T) {
	w := newWidget(t)
	w.broken.Store(true)
	f := webtest.Guarded(t, w.endpoint(), asksEarly)
	b := f.Tab()
	toProof(f, b)
	b.Eventually(`document.querySelector("#wait")?.innerText === "Please wait half a minute. Then a button appears here." && document.querySelector("#ask").hidden`)
}

// The pages of the proof, as people see them who wait for the work, and for a service that does not come.
func TestProofShots(t *testing.T) {
	w := newWidget(t)
	w.broken.Store(true)
	for _, lang := range webtest.ShotLanguages() {
		f := webtest.New(t, asksOf(26)) // the work outlasts the picture
		pages := proofPages(f, lang)
		pages["noscript-proof"], pages["noscript-proof-early"] = pages["proof"], pages["proof-early"]
		f.Shots(lang, pages)
		f = webtest.Guarded(t, w.endpoint(), asksEarly)
		pages = personPages(f, lang)
		pages["noscript-person"] = pages["person"]
		f.Shots(lang, pages)
	}
}

// personPages are what a network is shown that has to prove that people are there.
func personPages(f *webtest.Fixture, lang string) map[string]string {
	p := f.Person()
	p.Headers.Set("Accept-Language", lang)
	p.ToCode("/sign-in", "first@example.com")
	proof := p.Get(webtest.Authorize()).Submit("/sign-in", "email", "ada.lovelace@example.com")
	return map[string]string{"person": proof.Body, "person-failed": proof.Submit("/sign-in", "token", "program").Body}
}
