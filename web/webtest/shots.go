//go:build browser

package webtest

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var shots = flag.String("shots", "", "write screenshots of every page into this folder: go test -tags browser ./web/signin ./web/account -run Shots -shots FOLDER -languages de,ar")

var languages = flag.String("languages", "en,ja,de,ar", "the languages of the screenshots, or all")

// ShotLanguages are those that Shots is to be called for: by default those that need
// the most room, and one of each direction.
func ShotLanguages() []string {
	if *languages == "all" {
		return Languages()
	}
	return strings.Split(*languages, ",")
}

// Shots takes pages, by name, light and dark, on a desktop and on a phone of 320 px,
// for people to look at. One whose name begins with "noscript-" is taken without scripts.
func (f *Fixture) Shots(lang string, pages map[string]string) {
	f.Helper()
	if *shots == "" {
		*shots = f.TempDir() // the pages are visited and measured all the same
	}
	f.Must(os.MkdirAll(*shots, 0o750))
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
		f.Handler.ServeHTTP(w, r)
	}))
	defer gallery.Close()
	b := f.Tab()
	for name := range pages {
		for _, scheme := range []string{"light", "dark"} {
			desktop := int64(900)
			if strings.Contains(pages[name], `id="menu"`) { // the console's, which is beside the page
				desktop = 1280
			}
			for size, width := range map[string]int64{"desktop": desktop, "phone": 320} {
				b.Act(emulate(scheme), scripts(!strings.HasPrefix(name, "noscript-")), chromedp.EmulateViewport(width, 640), chromedp.Navigate(gallery.URL+"/page/"+name))
				time.Sleep(settle(name))
				shot := strings.Join([]string{name, lang, size, scheme}, ".")
				b.shoot(shot)
				if name == "address" || name == "account" {
					b.Act(chromedp.Click(chromedp.CSS(".languages summary")))
					b.shoot("languages-" + shot)
				}
			}
		}
	}
}

// shoot takes the page as it stands, and measures it.
func (b Tab) shoot(name string) {
	b.Helper()
	wide, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`))
	if err != nil || wide {
		b.Errorf("%s: scrolls sideways %t, %v", name, wide, err)
	}
	if pale, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](pale)); err != nil || len(pale) > 0 {
		b.Errorf("%s: less contrast than WCAG AA asks for: %q, %v", name, pale, err)
	}
	// A page that fits is taken without measuring it first: Chromium moves a
	// right-to-left one aside when it takes the whole of a page no taller than the window.
	take := chromedp.FullScreenshot(100)
	if fits, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`document.documentElement.scrollHeight <= innerHeight`)); err == nil && fits {
		take = chromedp.CaptureScreenshot()
	}
	png, err := chromedp.Run(b.ctx, take)
	b.Must(err)
	b.Must(os.WriteFile(filepath.Join(*shots, name+".png"), png, 0o600))
}

// pale lists texts whose contrast with what is behind them is less than WCAG 2.2 (1.4.3) asks for at AA, by the
// colours that the browser has worked out: 4.5, and 3 where the text is large. What is
// disabled is exempt.
const pale = `(() => {
	const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
	const rgba = (color) => {
		canvas.clearRect(0, 0, 1, 1);
		canvas.fillStyle = color;
		canvas.fillRect(0, 0, 1, 1);
		return [...canvas.getImageData(0, 0, 1, 1).data].map((n, i) => (i < 3 ? n : n / 255));
	};
	const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
	const light = (c) => c.slice(0, 3).map((n) => n / 255).map((n) => (n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4))
		.reduce((sum, n, i) => sum + n * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = (e) => {
		const layers = [];
		for (; e; e = e.parentElement) layers.unshift(rgba(getComputedStyle(e).backgroundColor));
		return layers.reduce((under, top) => over(top, under), rgba("Canvas"));
	};
	const found = new Set();
	const all = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (all.nextNode()) {
		const e = all.currentNode.parentElement;
		const text = all.currentNode.data.trim();
		const style = getComputedStyle(e);
		if (!text || !e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) || e.closest(":disabled, [aria-disabled=true], svg, option, noscript, .unseen, iframe")) continue;
		const back = behind(e);
		const [a, b] = [light(over(rgba(style.color), back)), light(back)];
		const size = parseFloat(style.fontSize);
		const least = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
		const is = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (is < least) found.add(is.toFixed(2) + " " + text.slice(0, 40));
	}
	return [...found];
})()`

func emulate(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	})
}

func scripts(on bool) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	})
}

// Scripts says whether the tab runs the scripts of pages that it opens from now on.
func (b Tab) Scripts(on bool) {
	b.Helper()
	b.Act(scripts(on))
}

// settle is how long a page's script takes to show what it has asked for.
func settle(name string) time.Duration {
	if strings.HasPrefix(name, "code") {
		return 1200 * time.Millisecond
	}
	return 0
}
