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

var shots = flag.String("shots", "", "write screenshots of every page into this folder: go test ./web/signin -run Shots -shots /tmp/shots")

// TestShots takes every page in every language, light and dark, on a desktop and
// on a phone of 320 px, for people to look at.
func TestShots(t *testing.T) {
	if *shots == "" {
		t.Skip("a tool: give -shots FOLDER")
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

// everyPage collects the HTML of all pages by going there.
func everyPage(f *fixture, lang string) map[string]string {
	p := f.person()
	p.headers.Set("Accept-Language", lang)
	pages := map[string]string{}
	keep := func(name string, s *shown) *shown { pages[name] = s.body; return s }
	const ada = "ada@example.com"

	first := keep("address", p.get(authorize()))
	keep("register", p.get(authorize("first_screen", "register", "login_hint", ada)))
	keep("address-invalid", first.submit("/sign-in", "email", "ada@example"))
	code := keep("code", first.submit("/sign-in", "email", "ada.lovelace@gmail.com").follow())
	keep("code-typo", p.toCode("/register", "ada@gmial.com"))
	keep("code-plain", p.toCode("/sign-in", "a.rather.long.name.of.a.person@subdomain.of.a.company.example.com"))
	keep("code-early", code.submit("/verify/resend"))
	typed := f.mail("ada.lovelace@gmail.com", 1)
	keep("confirm", code.submit("/verify", "code", typed))
	keep("code-wrong", code.submit("/verify", "code", wrong(typed)))
	keep("code-format", code.submit("/verify", "code", "12ab"))
	for range 3 {
		code.submit("/verify", "code", wrong(typed))
	}
	keep("spent", code.submit("/verify", "code", wrong(typed)))
	for n := range 9 {
		if s := p.get(authorize()).submit("/sign-in", "email", "many@example.com"); s.status == 429 {
			keep("address-limited", s)
			break
		} else if n == 8 {
			f.Fatal("no limit")
		}
	}

	f.register(ada)
	q := f.person()
	q.headers.Set("Accept-Language", lang)
	exists := q.toCode("/register", ada)
	keep("confirm-exists", exists.submit("/verify", "code", f.mail(ada, 2)))
	f.suspend(ada)
	keep("suspended", q.toCode("/sign-in", ada).submit("/verify", "code", f.mail(ada, 3)))

	used := p.toCode("/register", "used@example.com")
	used.submit("/verify", "code", f.mail("used@example.com", 1)).want(303)
	stale := exists.form("/verify")
	f.db.AdvanceForTest(48 * time.Second)
	again := f.person()
	again.headers.Set("Accept-Language", lang)
	keep("code-second", again.toCode("/sign-in", "second@example.com").submit2(f, again))
	f.db.AdvanceForTest(2 * time.Minute)
	keep("used", used.submit("/verify", "code", f.mail("used@example.com", 1)))
	f.db.AdvanceForTest(40 * time.Minute)
	keep("expired", q.do(http.MethodPost, "/verify", stale))
	f.db.AdvanceForTest(time.Hour)
	keep("restarted", q.get("/sign-in?r="+stale.Get("r")))

	fresh := f.person()
	fresh.headers.Set("Accept-Language", lang)
	keep("cookies", fresh.do(http.MethodPost, "/sign-in", first.form("/sign-in")))
	keep("bookmark", fresh.get("/sign-in"))
	keep("missing", fresh.get("/nowhere"))
	keep("client", fresh.get(authorize("client_id", "nobody")))
	keep("request", fresh.get("/oidc/auth?client_id=shop&client_id=shop"))
	keep("mismatch", fresh.get(authorize("redirect_uri", "https://shop.example/callbacks/now")))
	fresh.get(authorize())
	keep("broken", fresh.get("/sign-in?r=x"))
	live := fresh.get(authorize())
	keep("gone", fresh.get("/verify?c=x&r="+live.form("/sign-in").Get("r")))
	keep("bad", fresh.do(http.MethodPost, "/sign-in", map[string][]string{"r": {"a", "b"}}))
	fresh.headers.Set("Sec-Fetch-Site", "cross-site")
	keep("cross", fresh.do(http.MethodPost, "/sign-in", live.form("/sign-in")))
	fresh.headers.Del("Sec-Fetch-Site")
	f.outage.on.Store(true)
	keep("unavailable", live.submit("/sign-in", "email", ada))
	f.outage.on.Store(false)
	return pages
}

// submit2 has a second code sent.
func (s *shown) submit2(f *fixture, p *person) *shown {
	f.db.AdvanceForTest(48 * time.Second)
	return s.submit("/verify/resend").follow()
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
