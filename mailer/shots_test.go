//go:build browser

package mailer_test

import (
	"context"
	"flag"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"idp/store"
)

var (
	shots     = flag.String("shots", "", "write screenshots of the mails into this folder: go test -tags browser ./mailer -run Shots -shots FOLDER")
	shotsLang = flag.String("shots-lang", "en,ja,ar", "languages to take them in, or all")
)

// Every mail is drawn at the width of a phone and of a desktop's reading pane, light
// and dark, for people to look at; none may scroll sideways.
func TestShots(t *testing.T) {
	t.Parallel()
	folder := *shots
	if folder == "" {
		folder = t.TempDir() // the mails are drawn and measured all the same
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	langs := strings.Split(*shotsLang, ",")
	if *shotsLang == "all" {
		langs = locales
	}
	mails := map[string]string{}
	for _, lang := range langs {
		for _, usage := range slices.Concat(coded, codeless) {
			mails[string(usage)+"."+lang] = render(t, withLinks(usage, lang)).HTML
		}
		mails["Plain."+lang] = render(t, message(store.UsageSignIn, lang)).HTML
		long := withLinks(store.UsageSignIn, lang)
		long.Code, long.App, long.Place = "01234-56789-ABCDE-FGHJK-MNPQRS", strings.Repeat("Donaudampfschifffahrt", 2), "2001:db8:1234:5678:9abc:def0:1234:5678"
		mails["Long."+lang] = render(t, long).HTML
		text := render(t, withLinks(store.UsageSignIn, lang)).Text
		mails["Text."+lang] = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><pre dir="auto" style="unicode-bidi:plaintext;white-space:pre-wrap;overflow-wrap:anywhere">` + html.EscapeString(text) + "</pre>"
	}
	gallery := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, mails[strings.TrimPrefix(r.URL.Path, "/")])
	}))
	t.Cleanup(gallery.Close)
	ctx := browserTab(t)
	for name := range mails {
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{320, 600} {
				if err := chromedp.Do(ctx, prefers(scheme), chromedp.EmulateViewport(width, 240), chromedp.Navigate(gallery.URL+"/"+name)); err != nil {
					t.Fatal(err)
				}
				wide, err := chromedp.Run(ctx, chromedp.Evaluate[bool](outside))
				if err != nil || wide {
					t.Errorf("%s at %d px: scrolls sideways %t, %v", name, width, wide, err)
				}
				png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s.%d.%s.png", name, width, scheme)), png, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// outside tells that a mail is wider than the window; what sticks out to the left of a
// page that reads from the right is not in its scrollWidth.
const outside = `document.documentElement.scrollWidth > innerWidth ||
	[...document.querySelectorAll("td, p, h1, li, a, pre")].some(e => { const r = e.getBoundingClientRect(); return r.left < 0 || r.right > innerWidth })`

func browserTab(t *testing.T) context.Context {
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	return ctx
}

func prefers(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	})
}
