//go:build browser

package signin_test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var shots = flag.String("shots", "", "write screenshots of every page into this folder: go test -tags browser ./web/signin -run Shots -shots FOLDER")

// TestShots takes every page in every language, light and dark, on a desktop and
// on a phone of 320 px, for people to look at.
func TestShots(t *testing.T) {
	if *shots == "" {
		*shots = t.TempDir() // the pages are visited and measured all the same
	}
	for _, lang := range []string{"en", "ja"} {
		f := setup(t, shortWaits)
		pages := everyPage(f, lang)
		gallery := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if html, ok := pages[strings.TrimPrefix(r.URL.Path, "/page/")]; ok {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				fmt.Fprint(w, html)
				return
			}
			if r.URL.Path == "/verify/status" {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, `{"mail":"sent","nextSendIn":40,"triesLeft":5,"done":false}`)
				return
			}
			f.handler.ServeHTTP(w, r)
		}))
		defer gallery.Close()
		take(t, gallery.URL, lang, pages)
	}
}

func take(t *testing.T, url, lang string, pages map[string]string) {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	defer stop()
	ctx, stop = chromedp.NewContext(ctx)
	defer stop()
	if err := os.MkdirAll(*shots, 0o750); err != nil {
		t.Fatal(err)
	}
	for name := range pages {
		for _, scheme := range []string{"light", "dark"} {
			for size, width := range map[string]int64{"desktop": 900, "phone": 320} {
				err := chromedp.Do(ctx, emulate(scheme), chromedp.EmulateViewport(width, 640), chromedp.Navigate(url+"/page/"+name))
				if err != nil {
					t.Fatal(name, err)
				}
				time.Sleep(settle(name))
				wide, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`))
				if err != nil || wide {
					t.Errorf("%s %s at %d px: scrolls sideways %t, %v", lang, name, width, wide, err)
				}
				png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
				if err != nil {
					t.Fatal(name, err)
				}
				file := filepath.Join(*shots, strings.Join([]string{name, lang, size, scheme}, ".")+".png")
				if err := os.WriteFile(file, png, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func emulate(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	})
}

// settle is how long a page's script takes to show what it has asked for.
func settle(name string) time.Duration {
	if strings.HasPrefix(name, "code") {
		return 1200 * time.Millisecond
	}
	return 0
}
