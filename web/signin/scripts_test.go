//go:build browser

package signin_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"idp/otp"
)

// tab is a page in Chromium.
type tab struct {
	*fixture
	ctx context.Context
}

func (f *fixture) tab() tab {
	f.Helper()
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	options = append(options, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true))
	ctx, stop := chromedp.NewExecAllocator(f.Context(), options...)
	f.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	f.Cleanup(stop)
	return tab{f, ctx}
}

func (b tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	b.must(chromedp.Do(b.ctx, actions...))
}

// eventually waits until a JavaScript expression is true.
func (b tab) eventually(expression string) {
	b.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression)); err == nil && ok {
			return
		}
	}
	text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.href + " " + document.body.innerText`))
	b.Fatalf("never true: %s\n%s", expression, text)
}

// paste puts a text into the code field in one piece.
func (b tab) paste(text string) {
	b.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`(document.querySelector("#code").select(), document.execCommand("insertText", false, "`+text+`"))`))
	b.must(err)
}

// The code page submits by itself what came in one piece, each value once; it
// counts down, and tells of the mail.
func TestScripts(t *testing.T) {
	f := setup(t, func(c *otp.Config) { c.ResendWaits = []time.Duration{3 * time.Second} })
	b := f.tab()
	b.do(chromedp.Navigate(f.server.URL + authorize("first_screen", "register")))
	b.eventually(`document.activeElement.id === "email"`)
	b.do(chromedp.SendKeys(chromedp.CSS("#email"), "ada@example.com\r"), chromedp.WaitVisible(chromedp.CSS("#code")))
	b.eventually(`document.activeElement.id === "code"`)
	b.eventually(`document.querySelector("#again button").disabled && /0:0[123]/.test(document.querySelector(".wait").innerText)`)
	code := f.mail("ada@example.com", 1)
	b.eventually(`document.querySelector("#mail").innerText === "The mail has been sent."`)
	b.eventually(`!document.querySelector("#again button").disabled && document.querySelector(".wait").hidden`)

	b.do(chromedp.SendKeys(chromedp.CSS("#code"), wrong(code)))
	time.Sleep(500 * time.Millisecond)
	b.eventually(`!document.querySelector("[role=alert]")`) // typed: waits for the button
	b.paste(wrong(code))
	b.eventually(`/4 tries left/.test(document.querySelector("[role=alert]")?.innerText) && document.activeElement.id === "code"`)
	b.paste(wrong(code))
	time.Sleep(500 * time.Millisecond)
	b.eventually(`/4 tries left/.test(document.querySelector("[role=alert]")?.innerText)`) // the same again is not sent
	b.paste(code[:3] + " " + code[3:])
	done := f.log // the app's host does not exist: the access log tells of the redirect
	for end := time.Now().Add(5 * time.Second); !strings.Contains(done.String(), "method=POST route=/verify status=303"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the right code was not sent")
		}
	}
}
