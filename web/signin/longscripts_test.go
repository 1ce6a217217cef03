//go:build browser

package signin_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"idp/otp"
	"idp/web/webtest"
)

// pasted pastes as people do: from the clipboard, with the keys.
func pasted(b webtest.Tab, text string) {
	b.Helper()
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		b.Act(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, browser.SetPermission, browser.SetPermissionParams{
				Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted})
			return err
		}))
	}
	b.Act(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	}))
	copied := chromedp.Evaluate[bool]("navigator.clipboard.writeText(`"+text+"`).then(() => true)", chromedp.EvalAwaitPromise)
	b.Act(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := copied(ctx, t)
		return err
	}))
	b.Act(chromedp.Focus(chromedp.CSS("#code")), chromedp.KeyEvent("v", func(p *input.DispatchKeyEventParams) { p.Modifiers, p.Text, p.Commands = 2, "", []string{"paste"} }))
}

// However a long code comes out of a mail, pasting it is all there is to do.
func TestLongCodeIsPasted(t *testing.T) {
	f := webtest.New(t, func(c *otp.Config) { c.Limits.RecipientSends = nil })
	const ada = "ada@example.com"
	f.Register(ada)
	guessed(f, ada, "en")
	for how, change := range map[string]func(string) string{
		"as it is": func(code string) string { return code },
		"spaces":   func(code string) string { return "  " + strings.ReplaceAll(code, "-", " ") + " " },
		"one line": func(code string) string { return strings.ToLower(strings.ReplaceAll(code, "-", "")) },
		"wrapped":  func(code string) string { return code[:12] + "\r\n" + code[12:] + "\n" },
		"dashes":   func(code string) string { return strings.ReplaceAll(code, "-", "\u2013") },
	} {
		sent, err := f.Inbox.List(t.Context(), ada, 0)
		f.Must(err)
		b := f.Tab()
		b.Act(chromedp.Navigate(f.Server.URL + webtest.Authorize()))
		b.Eventually(`document.activeElement.id === "email"`)
		b.Act(chromedp.SendKeys(chromedp.CSS("#email"), ada+"\r"), chromedp.WaitVisible(chromedp.CSS("#code")))
		b.Eventually(`document.querySelector("#code").className === "long" && /26 letters and digits/.test(document.querySelector("#code-hint").innerText)`)
		code := f.Mail(ada, len(sent)+1).Code
		before := strings.Count(f.Log.String(), "method=POST route=/verify status=303")
		pasted(b, change(code))
		for end := time.Now().Add(30 * time.Second); strings.Count(f.Log.String(), "method=POST route=/verify status=303") == before; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: what was pasted is not sent", how)
			}
		}
	}
}

// A long code is whole in the field, also on a phone.
func TestLongCodeFits(t *testing.T) {
	f := webtest.New(t)
	const ada = "ada@example.com"
	f.Register(ada)
	guessed(f, ada, "en")
	b := f.Tab()
	b.Act(chromedp.EmulateViewport(320, 640), chromedp.Navigate(f.Server.URL+webtest.Authorize()))
	b.Eventually(`document.activeElement.id === "email"`)
	b.Act(chromedp.SendKeys(chromedp.CSS("#email"), ada+"\r"), chromedp.WaitVisible(chromedp.CSS("#code")))
	b.Act(chromedp.SendKeys(chromedp.CSS("#code"), "WWWWW-WWWWW-WWWWW-WWWWW-WWWWWW"))
	b.Eventually(`document.querySelector("#code").scrollWidth <= document.querySelector("#code").clientWidth`)
}
