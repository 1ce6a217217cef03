package e2e_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/chromedp/chromedp"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// appSite is somebody else's website with a way to sign in, a process of its own. Its
// pages show what its client library learned in elements with the ids id-token,
// userinfo and access-token. It is at another host than the provider for cookies, as
// apps are.
type appSite struct {
	*server
	home    string // without a slash at the end
	private string // path of a page that shows the claims
	signIn  string // what is clicked on the home page to sign in
	out     string // what the home page says when nobody is signed in
	refresh string // path of the same page after the app had its tokens refreshed
}

// newAppSite gives an app's address and what its process gets to know. Its client has
// the redirect URI home+callback and the post-logout redirect URI home+out.
func newAppSite(s *server, callback, out string) (home string, env []string) {
	s.t.Helper()
	addr := freeAddr(s.t)
	_, port, _ := net.SplitHostPort(addr)
	home = "http://" + addr
	c := s.newClient("--type", "traditional", "--redirect-uri", home+callback, "--post-logout-redirect-uri", home+out)
	return home, append(cleanEnv(), "PORT="+port, "HOME_URL="+home, "ENDPOINT="+s.endpoint, "ISSUER="+s.endpoint+"/oidc",
		"CLIENT_ID="+c.ID, "CLIENT_SECRET="+c.Secret)
}

// runs starts the app's process, waits until it listens, and ends it with the test.
func (a appSite) runs(cmd *exec.Cmd) {
	a.t.Helper()
	var log lockedBuffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	a.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // Apache ends its children
		<-exited
		if a.t.Failed() {
			a.t.Logf("the app's log:\n%s\nthe provider's:\n%s", log.String(), a.log.String())
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", strings.TrimPrefix(a.home, "http://")); err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-exited:
			a.t.Fatal("the app ended")
		default:
		}
		if time.Now().After(deadline) {
			a.t.Fatal("the app does not listen")
		}
	}
}

// shown is what a page of the app shows.
type shown struct {
	IDToken, Userinfo struct{ Sub, Email string }
	access            string
}

// shows reads the page, which must be about email.
func (a appSite) shows(b tab, email string) (p shown) {
	a.t.Helper()
	b.sees("sign out")
	for id, v := range map[string]any{"#id-token": &p.IDToken, "#userinfo": &p.Userinfo} {
		if err := json.Unmarshal([]byte(b.text(id)), v); err != nil {
			a.t.Fatal(id, err)
		}
	}
	if p.IDToken.Email != email || p.Userinfo.Email != email || p.IDToken.Sub == "" || p.Userinfo.Sub != p.IDToken.Sub {
		a.t.Errorf("%s signed in, but the app shows %+v", email, p)
	}
	p.access = b.text("#access-token")
	if status, info := a.userinfo(p.access); status != 200 || info["email"] != email {
		a.t.Errorf("the app's access token: status %d %v", status, info)
	}
	return p
}

// walk is what a person does in a browser: signs in, comes back to fresh tokens,
// signs out, signs in again.
func (a appSite) walk() tab {
	a.t.Helper()
	b := tab{a.t, chromium(a.t)}
	email := strings.ToLower(strings.NewReplacer("/", ".").Replace(a.t.Name())) + "@example.com"
	enter := func(n int) shown {
		a.t.Helper()
		b.do(chromedp.Navigate(a.home + "/"))
		b.sees(a.out)
		b.do(chromedp.Click(chromedp.CSS(a.signIn)), chromedp.WaitVisible(emailField))
		if at := get(b, chromedp.Location()); !strings.HasPrefix(at, a.endpoint+"/") {
			a.t.Fatalf("the address is asked for at %s", at)
		}
		b.submit(emailField, email)
		b.do(chromedp.WaitVisible(codeField))
		b.submit(codeField, a.code(email, n))
		if n == 1 { // no account yet: asks
			b.do(chromedp.Click(chromedp.CSS(`form:has(input[name="confirm"]) button`)))
		}
		p := a.shows(b, email)
		if at := get(b, chromedp.Location()); at != a.home+a.private {
			a.t.Errorf("back in the app at %s", at)
		}
		return p
	}
	first, last := enter(1), shown{}
	seen := map[string]bool{first.access: true}
	for range 2 { // with the first refresh token, and with its successor
		a.daysPass()
		b.do(chromedp.Navigate(a.home + a.refresh))
		last = a.shows(b, email)
		if seen[last.access] {
			a.t.Error("the access token was not refreshed")
		}
		seen[last.access] = true
	}
	b.do(chromedp.Click(chromedp.CSS(`a[href*="out"]`)))
	b.sees(a.out)
	if at := get(b, chromedp.Location()); at != a.home+"/" {
		a.t.Errorf("signed out, and at %s", at)
	}
	if status, _ := a.userinfo(last.access); status != 401 {
		a.t.Errorf("signed out, but the access token lives: status %d", status)
	}
	last = enter(2)
	if last.IDToken.Sub != first.IDToken.Sub {
		a.t.Errorf("the subject was %s and is %s", first.IDToken.Sub, last.IDToken.Sub)
	}
	return b
}

// daysPass makes all refresh tokens so old that their use replaces them, and that none
// before them is answered any more.
func (s *server) daysPass() {
	s.t.Helper()
	driver, source := "sqlite", "file:"+s.database+"?_pragma=busy_timeout(5000)"
	if s.engine == "postgres" {
		driver, source = "pgx", s.database
	}
	db := must(sql.Open(driver, source))
	defer func() { _ = db.Close() }()
	const days = 10 * 24 * time.Hour // of 14 without use; from 70 % of them it is replaced
	if _, err := db.Exec(`UPDATE oidc_grant SET refresh_made = refresh_made - $1`, days.Microseconds()); err != nil {
		s.t.Fatal(err)
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
