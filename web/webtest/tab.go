//go:build browser

package webtest

import (
	"context"
	"slices"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Tab is a page in Chromium.
type Tab struct {
	*Fixture
	ctx context.Context
}

// Tab opens a page in a browser of its own.
func (f *Fixture) Tab() Tab {
	f.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("allow-pre-commit-input", true), // else input before the first frame is thrown away
		chromedp.WSURLReadTimeout(time.Minute))
	ctx, stop := chromedp.NewExecAllocator(f.Context(), options...)
	f.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	f.Cleanup(stop)
	return Tab{f, ctx}
}

// Tab opens a browser that has what the person's has been given.
func (p *Person) Tab() Tab {
	p.Helper()
	b := p.Fixture.Tab()
	for _, c := range p.HTTP.Jar.Cookies(URL(p.Server.URL)) {
		b.Act(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: p.Server.URL + "/"})
			return err
		}))
	}
	return b
}

// Act does something with the page.
func (b Tab) Act(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	b.Must(chromedp.Do(b.ctx, actions...))
}

// Eventually waits until a JavaScript expression is true.
func (b Tab) Eventually(expression string) {
	b.Helper()
	if !b.within(30*time.Second, expression) {
		b.never(expression)
	}
}

// Press clicks on what a selector finds until a JavaScript expression is true. Chromium can lose
// a click that comes in the moment in which its target appears; a person clicks once more, too.
func (b Tab) Press(selector, expression string) {
	b.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		ctx, stop := context.WithTimeout(b.ctx, 5*time.Second) // the page may be gone already
		err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector)))
		stop()
		if b.within(5*time.Second, expression) {
			return
		}
		b.Logf("nothing came of a click on %s: %v", selector, err)
	}
	b.never(expression)
}

func (b Tab) within(limit time.Duration, expression string) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression)); err == nil && ok {
			return true
		}
	}
	return false
}

// never fails the test with what the page and the server say.
func (b Tab) never(expression string) {
	b.Helper()
	text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.href + " " + document.body.innerText`))
	log := b.Log.String()
	b.Fatalf("never true: %s\n%s\n%s", expression, text, log[max(0, len(log)-4000):])
}

// Paste puts a text into a field in one piece.
func (b Tab) Paste(field, text string) {
	b.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`(document.querySelector("`+field+`").select(), document.execCommand("insertText", false, "`+text+`"))`))
	b.Must(err)
}

// As makes the tab the browser of a person: it has that one's cookies.
func (b Tab) As(p *Person) Tab {
	b.Helper()
	for _, c := range p.HTTP.Jar.Cookies(URL(p.Server.URL)) {
		set := network.SetCookieParams{Name: c.Name, Value: c.Value, URL: p.Server.URL, SameSite: network.CookieSameSiteLax}
		b.Act(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, network.SetCookie, set)
			return err
		}))
	}
	return b
}

// Shoot shows a page as a browser that prefers a scheme does, and takes it if screenshots
// were asked for.
func (b Tab) Shoot(name, path, scheme string, width, height int64, before ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if *shots == "" {
		*shots = b.TempDir()
	}
	b.Act(emulate(scheme), chromedp.EmulateViewport(width, height), chromedp.Navigate(b.Server.URL+path))
	b.Act(before...)
	time.Sleep(600 * time.Millisecond) // frames
	b.shoot(name)
}
