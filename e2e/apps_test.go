package e2e_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// webApp is an app on an unmodified client library: a folder of clients/ with the
// npm packages in its lock file, a build script where it needs one, and app.mjs that
// serves it. clients/page.mjs says what its pages show.
type webApp struct {
	dir      string
	flags    []string // of idp client create
	callback string   // path of the redirect URI
}

// runningApp is a webApp that is registered and served.
type runningApp struct {
	client
	url string
}

// test walks through the app on both engines.
func (w webApp) test(t *testing.T) {
	t.Parallel()
	if err := installed(w.folder()); err != nil {
		t.Fatalf("npm ci: %v (install Node.js and npm)", err)
	}
	build := exec.Command("npm", "run", "build", "--if-present")
	build.Dir, build.Env = w.folder(), appEnv()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("npm run build: %v\n%s", err, out)
	}
	onBoth(t, w.walk)
}

func (w webApp) folder() string { return filepath.Join("clients", w.dir) }

// appEnv is for all that runs in a client folder: nothing reports home.
func appEnv() []string { return append(cleanEnv(), "NEXT_TELEMETRY_DISABLED=1") }

// walk is one person's way: sign up through the app, into a second app without a
// question, a refreshed token, and out again.
func (w webApp) walk(t *testing.T, s *server) {
	const email = "ada@example.com"
	app, second := w.start(t, s), w.start(t, s)
	b := tab{t, chromium(t)}

	b.do(chromedp.Navigate(app.url+"/profile"), chromedp.WaitVisible(emailField))
	b.submit(emailField, email)
	b.do(chromedp.WaitVisible(codeField))
	b.submit(codeField, s.code(email, 1))
	b.do(chromedp.Click(chromedp.CSS(`form:has([name="confirm"]) button`))) // no account yet: idp asks
	b.signedInAs(app, email)

	b.do(chromedp.Navigate(app.url + "/profile"))
	access := b.changed("#access-token", "")
	sub := b.profile(app, email)

	b.do(chromedp.Navigate(second.url + "/profile"))
	b.signedInAs(second, email)
	if mails := len(s.inbox(email)); mails != 1 {
		t.Errorf("the second app cost mail: %d in all", mails)
	}

	b.do(chromedp.Navigate(app.url + "/profile"))
	refreshes := 1
	if app.Secret == "" {
		refreshes = 2 // a public client's refresh token was replaced: the app has to use the new one
	}
	for range refreshes {
		b.do(chromedp.Click(chromedp.CSS("#refresh")))
		access = b.changed("#access-token", access)
		if again := b.profile(app, email); again != sub {
			t.Errorf("refreshed to %s, was %s", again, sub)
		}
	}

	b.signOut(app)
	b.do(chromedp.Navigate(second.url))
	b.signOut(second) // idp has no session by now
	b.do(chromedp.Click(chromedp.CSS("#sign-in")), chromedp.WaitVisible(emailField))

	s.refusedNothing()
	if status, _ := s.userinfo(access); status != http.StatusUnauthorized {
		t.Errorf("userinfo after signing out: %d", status)
	}
}

// start registers the app, serves it and waits for it.
func (w webApp) start(t *testing.T, s *server) runningApp {
	t.Helper()
	address := freeAddr(t)
	// Not "localhost" as idp has: app and provider are two sites.
	url := "http://" + address
	c := s.newClient(append([]string{"--redirect-uri", url + w.callback, "--post-logout-redirect-uri", url}, w.flags...)...)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "node", "app.mjs")
	var log lockedBuffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = w.folder(), &log, &log
	cmd.Env = append(appEnv(), "NODE_ENV=production", "ENDPOINT="+s.endpoint, "CLIENT_ID="+c.ID, "CLIENT_SECRET="+c.Secret,
		"BASE_URL="+url, "PORT="+address[strings.LastIndex(address, ":")+1:])
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", w.dir, log.String())
		}
	})
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if resp, err := http.Get(url); err == nil {
			_ = resp.Body.Close()
			return runningApp{c, url}
		}
	}
	t.Fatalf("%s is not ready", w.dir)
	return runningApp{}
}

// profile checks what the protected page tells of the person, and gives the subject.
func (b tab) profile(app runningApp, email string) (sub string) {
	b.t.Helper()
	var claims, userinfo struct{ Aud, Email, Sub string }
	if err := json.Unmarshal([]byte(b.text("#claims")), &claims); err != nil || claims.Aud != app.ID || claims.Email != email || claims.Sub == "" {
		b.t.Errorf("claims %+v: %v", claims, err)
	}
	if err := json.Unmarshal([]byte(b.text("#userinfo")), &userinfo); err != nil || userinfo.Email != email || userinfo.Sub != claims.Sub {
		b.t.Errorf("userinfo %+v: %v", userinfo, err)
	}
	return claims.Sub
}

func (b tab) signedInAs(app runningApp, email string) {
	b.t.Helper()
	b.sees("signed in as " + email)
	b.at(app)
}

// signOut clicks, and is back in the app without a question.
func (b tab) signOut(app runningApp) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS("#sign-out")))
	b.sees("signed out")
	b.at(app)
}

// at fails the test unless the tab shows the app.
func (b tab) at(app runningApp) {
	b.t.Helper()
	if where := get(b, chromedp.Location()); !strings.HasPrefix(where, app.url+"/") {
		b.t.Errorf("at %s, not in the app at %s", where, app.url)
	}
}

// changed waits until an element's text is another one than before, also over
// changes of the page, and gives it.
func (b tab) changed(selector, before string) string {
	b.t.Helper()
	read := chromedp.Evaluate[string]("(document.querySelector(" + strconv.Quote(selector) + ") || {innerText: ''}).innerText")
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
		text, err := chromedp.Run(ctx, read)
		cancel()
		if err == nil && text != "" && text != before {
			return text
		}
	}
	b.t.Fatalf("%s stays %q:\n%s", selector, before, get(b, chromedp.Evaluate[string](bodyText)))
	return ""
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
		if json.Unmarshal([]byte(line), &request) == nil && strings.Contains(request.Route, "/oidc/") && request.Status >= 400 {
			s.t.Errorf("refused: %s", line)
		}
	}
}
