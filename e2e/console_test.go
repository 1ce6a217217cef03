package e2e_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/e2e/rig"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// enterConsole signs an owner in to the console, with a code from the mailbox.
func enterConsole(s *rig.Server, b tab, email string) {
	s.T.Helper()
	s.Run("admin", "add", email)
	b.do(chromedp.Navigate(s.Endpoint + "/console"))
	b.submit(emailField, email)
	b.do(chromedp.WaitVisible(codeField))
	b.submit(codeField, s.Code(email, 1))
	b.do(chromedp.WaitVisible(chromedp.CSS("nav.menu, .open-menu")))
}

// filled is an instance of whose kinds of things there are some, with names that people have,
// and one that somebody wants to break the pages with.
const filled = `
resources:
  - {indicator: https://api.shop.example, name: Shop API, scopes: [{name: "read:orders", description: Look at orders}, {name: "write:orders"}]}
roles:
  - {name: clerk, type: User, description: Works in the shop, scopes: {https://api.shop.example: ["read:orders"]}}
  - {name: nightly, type: MachineToMachine}
clients:
  - {id: bookstorebookstore, name: Bookstore, type: traditional, redirectUris: ["https://shop.example/callback"], postLogoutRedirectUris: ["https://shop.example/"]}
  - {id: singlepageapp00, name: '<b>“Reading” 📚</b> קריאה & a name so long that it has no end and no place on a phone of 320 px', type: spa, redirectUris: ["https://a-very-long-name-of-a-host.example.com/a/very/long/path/that/goes/on/and/on/callback"]}
  - {id: nativeapp0000, name: Reader, type: native, redirectUris: ["com.example.reader:/callback"]}
  - {id: nightlyjob000, name: Nightly, type: m2m, roles: [nightly]}
templates:
  - {templateType: SignIn, languageTag: en, subject: "Sign in to {{ application.name }}", content: "<p>Your code is {{ code }}</p>"}
experience: {signInMode: SignInAndRegister, color: {primaryColor: "#8a2be2", isDarkModeEnabled: true, darkPrimaryColor: "#c9a0ff"}}
hooks:
  - {name: CRM, url: "https://crm.example/hook", events: [User.Created], disabled: true}
`

const filledPeople = `email,name,username,suspended,roles,customData
ada@example.com,Ada Lovelace,ada,,clerk,"{""plan"": ""pro""}"
grace@example.com,"<script>alert(1)</script> ""Grace"" 🚢 غريس",,true,,
a.very.long.address.that.does.not.fit.on.a.phone@a-very-long-name-of-a-host.example.com,,,,,
`

// fill makes the instance as above.
func fill(s *rig.Server) {
	s.T.Helper()
	for name, text := range map[string]string{"filled.yaml": filled, "people.csv": filledPeople} {
		if err := os.WriteFile(filepath.Join(s.Dir, name), []byte(text), 0o600); err != nil {
			s.T.Fatal(err)
		}
	}
	s.Run("apply", "-f", "filled.yaml")
	s.Run("user", "import", "people.csv")
}

var (
	consoleLink  = regexp.MustCompile(`<a\b[^>]*\bhref="(/console[^"#]*)`)
	consoleAsset = regexp.MustCompile(`(?:href|src)="(/static/[^"]+)"`)
	fromOutside  = regexp.MustCompile(`(?:src|<link[^>]*href|action)="(?:https?:)?//[^"]*`)
	inPlace      = regexp.MustCompile(`<style|<script>| style="| on[a-z]+="`)
	ofOne        = regexp.MustCompile(`[0-9]|%|[A-Za-z]{13}`) // a step of a path that names one thing
)

// consolePages are the pages that links of the console lead to, two of each kind, and of the
// kinds with a query one.
func consolePages(t *testing.T, client *http.Client, endpoint string) map[string]string {
	t.Helper()
	pages, kinds := map[string]string{}, map[string]int{}
	waiting := []string{"/console"}
	for len(waiting) > 0 {
		path := waiting[0]
		waiting = waiting[1:]
		if _, seen := pages[path]; seen {
			continue
		}
		res := rig.Must(client.Get(endpoint + path))
		body := string(rig.Must(io.ReadAll(res.Body)))
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK || !strings.Contains(res.Header.Get("Content-Type"), "text/html") {
			if res.StatusCode != http.StatusOK {
				t.Errorf("%s: a link leads to %d", path, res.StatusCode)
			}
			continue
		}
		pages[path] = body
		for _, m := range consoleLink.FindAllStringSubmatch(body, -1) {
			to := strings.ReplaceAll(m[1], "&amp;", "&")
			kind := kindOf(to)
			if _, seen := pages[to]; seen || strings.Contains(to, "lang=") || slices.Contains(waiting, to) || kinds[kind] >= 1 {
				continue
			}
			kinds[kind]++
			waiting = append(waiting, to)
		}
	}
	return pages
}

func kindOf(path string) string {
	path, query, _ := strings.Cut(path, "?")
	steps := strings.Split(path, "/")
	for i, s := range steps {
		if i > 2 && (ofOne.MatchString(s) || i > 3 && steps[3] == "templates") { // of the mails
			steps[i] = "*"
		}
	}
	names := regexp.MustCompile(`=[^&]*`).ReplaceAllString(query, "")
	return strings.Join(steps, "/") + "?" + names
}

// Every page of the console keeps to axe's rules on a desktop and a phone, light and dark, in
// English; in Japanese, too, does not scroll sideways; does not move while it loads; runs nothing
// inline and loads nothing from elsewhere; and weighs less than 60 kB with all that it needs.
func TestEveryPageOfTheConsole(t *testing.T) {
	t.Parallel()
	s := rig.NewServer(t, "sqlite")
	fill(s)
	s.Start()
	shots := os.Getenv("IDP_TEST_SHOTS")
	for _, lang := range []string{"en", "ja"} {
		for _, screen := range []screen{{"desktop", 1280, 800}, {"phone", 320, 640}} {
			t.Run(lang+" "+screen.name, func(t *testing.T) {
				t.Parallel()
				b := tab{t, chromium(t)}
				set(b, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
					UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36", AcceptLanguage: lang})
				enterConsole(s, b, lang+"."+screen.name+"."+owner)
				pages := consolePages(t, b.client(s.Endpoint, lang), s.Endpoint)
				if len(pages) < 30 {
					t.Errorf("only %d pages were found", len(pages))
				}
				t.Logf("%d pages", len(pages))
				for _, path := range slices.Sorted(maps.Keys(pages)) {
					isLight(t, s.Endpoint, path, pages[path])
					b.everyWay(s.Endpoint, path, lang, screen, shots)
				}
			})
		}
	}
}

// screen is one that pages are looked at on, in CSS pixels.
type screen struct {
	name string
	w, h int64
}

// isLight holds a page to what it may load.
func isLight(t *testing.T, endpoint, path, body string) {
	t.Helper()
	if found := fromOutside.FindString(body); found != "" && !strings.Contains(found, endpoint) {
		t.Errorf("%s loads from elsewhere: %s", path, found)
	}
	if found := inPlace.FindString(body); found != "" {
		t.Errorf("%s has something inline: %s", path, found)
	}
	weight := zipped(body)
	for _, m := range consoleAsset.FindAllStringSubmatch(body, -1) {
		res := rig.Must(http.Get(endpoint + m[1]))
		weight += zipped(string(rig.Must(io.ReadAll(res.Body))))
		_ = res.Body.Close()
	}
	if weight > 60_000 {
		t.Errorf("%s weighs %d bytes", path, weight)
	}
}

func zipped(text string) int {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.Len()
}

// everyWay looks at a page in each scheme.
func (b tab) everyWay(endpoint, path, lang string, screen screen, shots string) {
	b.t.Helper()
	set(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: screen.w, Height: screen.h, DeviceScaleFactor: 1, Mobile: screen.name == "phone"})
	b.do(chromedp.Navigate(endpoint + path))
	for _, scheme := range []string{"light", "dark"} {
		if scheme == "dark" && lang != "en" && shots == "" {
			continue // nothing but colours differs, and those are looked at in English
		}
		name := strings.Join([]string{path, lang, screen.name, scheme}, " ")
		set(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		b.do(chromedp.Sleep(50 * time.Millisecond))
		if get(b, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > window.innerWidth`)) {
			b.t.Errorf("%s scrolls sideways: %s", name, get(b, chromedp.Evaluate[string](widest)))
		}
		if list := get(b, chromedp.Evaluate[string](outOfSight)); list != "" {
			b.t.Errorf("%s has columns that nobody sees: %s", name, list)
		}
		switch {
		case lang != "en": // what is to be heard and seen is the same
		case scheme == "light" && screen.name == "desktop":
			b.accessible(name)
		case scheme == "light": // what depends on the room
			b.accessible(name, "color-contrast", "target-size", "scrollable-region-focusable", "aria-hidden-focus", "button-name", "link-name", "label", "region")
		default: // what depends on the colours
			b.accessible(name, "color-contrast", "link-in-text-block")
		}
		if shots != "" {
			b.shoot(shots, name)
		}
	}
	if moved := get(b, chromedp.Evaluate[float64](moves, chromedp.EvalAwaitPromise)); moved > 0.01 {
		b.t.Errorf("%s on a %s moves while it loads: %.3f", path, screen.name, moved)
	}
}

// widest names the elements that stick out.
const widest = `[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(-3).map(e => e.outerHTML.slice(0, 150)).join(' | ')`

// outOfSight names a list whose last columns are outside of the screen. Mails by language have more
// of them than a phone has room for.
const outOfSight = `[...document.querySelectorAll('main .list:not(.matrix)')].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.outerHTML.slice(0, 150)).join(' | ')`

// moves is how much of a page has moved by itself (CLS).
const moves = `new Promise(done => { let sum = 0;
	new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput) sum += e.value; }).observe({type: 'layout-shift', buffered: true});
	setTimeout(() => done(sum), 50); })`

func (b tab) shoot(dir, name string) {
	b.t.Helper()
	if err := os.MkdirAll(dir, 0o750); err != nil {
		b.t.Fatal(err)
	}
	file := strings.NewReplacer("/", "_", " ", ".", "?", "-", "=", "-", "&", "-").Replace(name)
	png := get(b, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%.150s.png", file)), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// client is a client with the cookies of the tab.
func (b tab) client(endpoint, lang string) *http.Client {
	b.t.Helper()
	jar := rig.Must(cookiejar.New(nil))
	at := rig.Must(url.Parse(endpoint))
	for _, c := range set(b, network.GetCookies, network.GetCookiesParams{URLs: []string{endpoint + "/console"}}).Cookies {
		jar.SetCookies(at, []*http.Cookie{{Name: c.Name, Value: c.Value, Path: "/"}})
	}
	return &http.Client{Jar: jar, Transport: speaks(lang)}
}

// speaks asks for a language.
type speaks string

func (s speaks) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Accept-Language", string(s))
	return http.DefaultTransport.RoundTrip(r)
}
