package e2e_test

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// nodeApp is an app on an unmodified client library from npm: a folder of clients/
// with the packages in its lock file, a build script where it needs one, and app.mjs
// that serves it. clients/page.mjs says what its pages show.
type nodeApp struct {
	dir      string
	flags    []string // of idp client create
	callback string   // path of the redirect URI
}

// test walks through the app on both engines.
func (n nodeApp) test(t *testing.T) {
	t.Parallel()
	if err := installed(n.folder()); err != nil {
		t.Fatalf("npm ci: %v (install Node.js and npm)", err)
	}
	build := exec.Command("npm", "run", "build", "--if-present")
	build.Dir, build.Env = n.folder(), n.env()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("npm run build: %v\n%s", err, out)
	}
	onBoth(t, n.walk)
}

func (n nodeApp) folder() string { return filepath.Join("clients", n.dir) }

// env is for all that runs in the folder: nothing reports home.
func (n nodeApp) env(more ...string) []string {
	return append(append(cleanEnv(), "NODE_ENV=production", "NEXT_TELEMETRY_DISABLED=1"), more...)
}

// start registers the app and serves it.
func (n nodeApp) start(s *server) appSite {
	s.t.Helper()
	address := freeAddr(s.t)
	// Not "localhost" as idp has: app and provider are two sites.
	home := "http://" + address
	c := s.newClient(append([]string{"--redirect-uri", home + n.callback, "--post-logout-redirect-uri", home}, n.flags...)...)
	cmd := exec.Command("node", "app.mjs")
	cmd.Dir = n.folder()
	cmd.Env = n.env("ENDPOINT="+s.endpoint, "CLIENT_ID="+c.ID, "CLIENT_SECRET="+c.Secret, "BASE_URL="+home, "PORT="+address[strings.LastIndex(address, ":")+1:])
	a := appSite{server: s, home: home}
	a.runs(cmd)
	return a
}

// walk is one person's way: sign up on the way to a protected page, into a second app
// without a question, twice back to fresh tokens, and out of both.
func (n nodeApp) walk(t *testing.T, s *server) {
	const email = "ada@example.com"
	app, second := n.start(s), n.start(s)
	b := tab{t, chromium(t)}

	b.do(chromedp.Navigate(app.home+"/profile"), chromedp.WaitVisible(emailField))
	b.submit(emailField, email)
	b.do(chromedp.WaitVisible(codeField))
	b.submit(codeField, s.code(email, 1))
	b.do(chromedp.Click(chromedp.CSS(`form:has([name="confirm"]) button`))) // no account yet: idp asks
	b.back(app, "signed in as "+email)
	b.do(chromedp.Navigate(app.home + "/profile"))
	seen := []shown{app.shows(b, email)}

	b.do(chromedp.Navigate(second.home + "/profile"))
	b.back(second, "signed in as "+email)
	if mails := len(s.inbox(email)); mails != 1 {
		t.Errorf("the second app cost mail: %d in all", mails)
	}

	for i := range 2 { // with the first refresh token, and with its successor
		s.daysPass()
		b.do(chromedp.Navigate(app.home + "/refresh"))
		seen = append(seen, app.shows(b, email))
		if seen[i].access == seen[i+1].access || seen[i].IDToken.Sub != seen[i+1].IDToken.Sub {
			t.Errorf("not refreshed: %+v", seen)
		}
	}

	for _, a := range []appSite{app, second} { // when the second one signs out, idp has no session any more
		b.do(chromedp.Navigate(a.home), chromedp.Click(chromedp.CSS("#sign-out")))
		b.back(a, "signed out")
	}
	b.do(chromedp.Click(chromedp.CSS("#sign-in")), chromedp.WaitVisible(emailField))

	s.refusedNothing()
	if status, _ := s.userinfo(seen[2].access); status != http.StatusUnauthorized {
		t.Errorf("signed out, but the access token lives: status %d", status)
	}
}

// back waits until the tab is back in the app, which says the words.
func (b tab) back(a appSite, words string) {
	b.t.Helper()
	b.sees(words)
	if at := get(b, chromedp.Location()); !strings.HasPrefix(at, a.home+"/") {
		b.t.Errorf("at %s, not in the app at %s", at, a.home)
	}
}

// refusedNothing fails the test if the provider refused a protocol request: a client
// library may hide that, as Logto's do for the revocation.
func (s *server) refusedNothing() {
	s.t.Helper()
	for line := range strings.Lines(s.log.String()) {
		var request struct {
			Route  string
			Status int
		}
		if json.Unmarshal([]byte(line), &request) == nil && strings.HasPrefix(request.Route, "/oidc/") && request.Status >= 400 {
			s.t.Errorf("refused: %s", line)
		}
	}
}
