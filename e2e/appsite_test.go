package e2e_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"idp/e2e/rig"

	"github.com/chromedp/chromedp"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// appSite is somebody else's website with a way to sign in, a process of its own. What
// is clicked has the ids sign-in and sign-out, and what its client library learned is
// shown in elements with the ids id-token, userinfo and access-token. It is at another
// host than the provider for cookies, as apps are.
type appSite struct {
	*rig.Server
	home    string   // without a slash at the end
	env     []string // of its process
	first   string   // path that sends whoever is not signed in to the provider
	private string   // path of a page that shows the claims
	refresh string   // path of the same page after the app had its tokens refreshed
}

// newAppSite registers an app with flags of idp client create. Its redirect URI is
// home+callback and its post-logout redirect URI home+out.
func newAppSite(s *rig.Server, callback, out string, flags ...string) appSite {
	s.T.Helper()
	addr := rig.FreeAddr(s.T)
	c := s.NewClient(append(flags, "--redirect-uri", "http://"+addr+callback, "--post-logout-redirect-uri", "http://"+addr+out)...)
	return appSiteOf(s, addr, c)
}

// appSiteOf is the website of an app that is registered.
func appSiteOf(s *rig.Server, addr string, c rig.Client) appSite {
	s.T.Helper()
	home := "http://" + addr
	_, port, _ := net.SplitHostPort(addr)
	env := append(rig.CleanEnv(), "PORT="+port, "HOME_URL="+home, "ENDPOINT="+s.Endpoint, "ISSUER="+s.Endpoint+"/oidc",
		"CLIENT_ID="+c.ID, "CLIENT_SECRET="+c.Secret)
	return appSite{Server: s, home: home, env: env, first: "/sign-in", private: "/", refresh: "/refresh"}
}

// runs starts the app's process, waits until it answers, and ends it with the test.
func (a appSite) runs(cmd *exec.Cmd) {
	a.T.Helper()
	var log rig.LockedBuffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		a.T.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	a.T.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // Apache ends its children
		<-exited
		if a.T.Failed() {
			a.T.Logf("the app's log:\n%s\nthe provider's:\n%s", log.String(), a.Log.String())
		}
	})
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", strings.TrimPrefix(a.home, "http://")); err == nil {
			_ = conn.Close()
			break
		}
		select {
		case <-exited:
			a.T.Fatal("the app ended")
		default:
		}
		if time.Now().After(deadline) {
			a.T.Fatal("the app does not listen")
		}
	}
	// Its first page, which a development server compiles only now: longer than a tab waits.
	if res, err := (&http.Client{Timeout: 2 * time.Minute}).Get(a.home + "/"); err != nil {
		a.T.Fatal(err)
	} else {
		_ = res.Body.Close()
	}
}

// shown is what a page of the app shows.
type shown struct {
	IDToken, Userinfo struct{ Sub, Email string }
	access            string
}

// shows reads the page, which must be about email.
func (a appSite) shows(b tab, email string) (p shown) {
	a.T.Helper()
	b.sees("sign out")
	for id, v := range map[string]any{"#id-token": &p.IDToken, "#userinfo": &p.Userinfo} {
		if err := json.Unmarshal([]byte(b.text(id)), v); err != nil {
			a.T.Fatal(id, err)
		}
	}
	if p.IDToken.Email != email || p.Userinfo.Email != email || p.IDToken.Sub == "" || p.Userinfo.Sub != p.IDToken.Sub {
		a.T.Errorf("%s signed in, but the app shows %+v", email, p)
	}
	p.access = b.text("#access-token")
	if status, info := a.Userinfo(p.access); status != 200 || info["email"] != email {
		a.T.Errorf("the app's access token: status %d %v", status, info)
	}
	return p
}

// walk is one person's way: sign up, into the other apps without a question, twice back
// to fresh tokens, out of all of them, and in again.
func (a appSite) walk(others ...appSite) tab {
	a.T.Helper()
	const email = "ada@example.com"
	b := tab{a.T, chromium(a.T)}
	prove := func(mails int) {
		a.T.Helper()
		b.do(chromedp.WaitVisible(emailField))
		if at := get(b, chromedp.Location()); !strings.HasPrefix(at, a.Endpoint+"/") {
			a.T.Fatalf("the address is asked for at %s", at)
		}
		b.submit(emailField, email)
		b.do(chromedp.WaitVisible(codeField))
		b.submit(codeField, a.Code(email, mails))
	}
	b.do(chromedp.Navigate(a.home + "/"))
	a.says(b, "signed out")
	b.do(chromedp.Navigate(a.home + a.first))
	prove(1)
	b.do(chromedp.Click(chromedp.CSS(`form:has([name="confirm"]) button`))) // no account yet: asks
	seen := []shown{a.enters(b, email)}

	for _, other := range others {
		b.do(chromedp.Navigate(other.home + other.first))
		other.enters(b, email)
	}
	if mails := len(a.Inbox(email)); mails != 1 {
		a.T.Errorf("the other apps cost mail: %d in all", mails)
	}

	for i := range 2 { // with the first refresh token, and with its successor
		a.DaysPass()
		b.do(chromedp.Navigate(a.home + a.refresh))
		seen = append(seen, a.shows(b, email))
		if seen[i].access == seen[i+1].access || seen[i].IDToken.Sub != seen[i+1].IDToken.Sub {
			a.T.Errorf("not refreshed: %+v", seen)
		}
	}

	for _, app := range append([]appSite{a}, others...) { // from the second on, idp has no session any more
		b.do(chromedp.Navigate(app.home+app.private), chromedp.Click(chromedp.CSS("#sign-out")))
		app.says(b, "signed out")
	}
	refusedNothing(a.Server)
	if status, _ := a.Userinfo(seen[2].access); status != 401 {
		a.T.Errorf("signed out, but the access token lives: status %d", status)
	}

	b.do(chromedp.Navigate(a.home+"/"), chromedp.Click(chromedp.CSS("#sign-in")))
	prove(2)
	if again := a.enters(b, email); again.IDToken.Sub != seen[0].IDToken.Sub {
		a.T.Errorf("the subject was %s and is %s", seen[0].IDToken.Sub, again.IDToken.Sub)
	}
	return b
}

// says waits until the tab is in the app, which says the words.
func (a appSite) says(b tab, words string) {
	a.T.Helper()
	b.sees(words)
	if at := get(b, chromedp.Location()); !strings.HasPrefix(at, a.home+"/") {
		a.T.Errorf("at %s, not in the app at %s", at, a.home)
	}
}

// enters waits until the tab is back in the app, and reads its private page.
func (a appSite) enters(b tab, email string) shown {
	a.T.Helper()
	a.says(b, "sign out")
	b.do(chromedp.Navigate(a.home + a.private))
	return a.shows(b, email)
}

// refusedNothing fails the test if the provider refused a protocol request: a client
// library may hide that, as Logto's do for the revocation.
func refusedNothing(s *rig.Server) {
	s.T.Helper()
	for line := range strings.Lines(s.Log.String()) {
		var request struct {
			Route  string
			Status int
		}
		if json.Unmarshal([]byte(line), &request) == nil && strings.HasPrefix(request.Route, "/oidc/") && request.Status >= 400 {
			s.T.Errorf("refused: %s", line)
		}
	}
}

// systemPython is the Python that has the system's packages: another one may come
// before it on PATH.
const systemPython = "/usr/bin/python3"

// virtualEnv makes the folder's virtual environment as its requirements.txt says,
// unless it is there, and gives its Python.
func virtualEnv(dir string) (string, error) {
	venv := dir + "/.venv"
	python := venv + "/bin/python"
	want, err := os.ReadFile(dir + "/requirements.txt")
	if err != nil {
		return "", err
	}
	if have, err := os.ReadFile(venv + "/requirements.txt"); err == nil && string(have) == string(want) {
		return python, nil
	}
	for _, args := range [][]string{
		{systemPython, "-m", "venv", "--clear", venv},
		{python, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--requirement", dir + "/requirements.txt"},
		{python, "-m", "pip", "check"},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return python, os.WriteFile(venv+"/requirements.txt", want, 0o644)
}
