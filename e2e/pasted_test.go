package e2e_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"idp/store"
	"idp/web/console/applications"
)

// The code that the console shows at the end of making an application, saved under the names
// that it says and run as it says, signs a person in and out.
func TestPastedCode(t *testing.T) {
	t.Parallel()
	python := must(virtualEnv("clients/logto-flask"))
	flask := func(python string) func(site *pastedApp) *exec.Cmd {
		return func(site *pastedApp) *exec.Cmd {
			_, port, _ := net.SplitHostPort(strings.TrimPrefix(site.home, "http://"))
			return site.command(python, "-m", "flask", "--app", "app", "run", "--port", port)
		}
	}
	node := func(site *pastedApp) *exec.Cmd { return site.command("node", "--env-file=.env", "app.mjs") }
	for _, c := range []struct {
		framework, callback, out string
		alg                      string
		packages                 string // folder of clients/ that has them
		run                      func(*pastedApp) *exec.Cmd
	}{
		{"flask", "/callback", "/", "ES256", "", flask(python)},
		{"express", "/logto/sign-in-callback", "", "ES256", "logto-express", node},
		{"oidc", "/callback", "", "RS256", "express-openid-connect", node},
		{"oidc", "/callback", "/", "RS256", "", flask(systemPython)},
		{"go", "/callback", "/", "RS256", "", func(site *pastedApp) *exec.Cmd { return site.command(site.build()) }},
		{"next", "/callback", "", "ES256", "logto-next", func(site *pastedApp) *exec.Cmd {
			_, port, _ := net.SplitHostPort(strings.TrimPrefix(site.home, "http://"))
			return site.command("node", "node_modules/next/dist/bin/next", "dev", "--webpack", "--hostname", "127.0.0.1", "--port", port)
		}},
	} {
		t.Run(c.framework+" "+c.packages, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, "sqlite")
			s.start()
			site := newPastedApp(s, c.framework, c.alg, c.callback, c.out)
			if c.packages != "" {
				if err := installed(filepath.Join("clients", c.packages)); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(must(filepath.Abs(filepath.Join("clients", c.packages, "node_modules"))), filepath.Join(site.dir, "node_modules")); err != nil {
					t.Fatal(err)
				}
			}
			site.runs(c.run(site))
			site.signInAndOut()
		})
	}
}

// pastedApp is an app in a folder of its own, as somebody makes it who pastes.
type pastedApp struct {
	appSite
	dir string
}

func newPastedApp(s *server, framework, alg, callback, out string) *pastedApp {
	s.t.Helper()
	home := "http://" + freeAddr(s.t)
	c := s.newClient("--type", "traditional", "--id-token-alg", alg, "--redirect-uri", home+callback, "--post-logout-redirect-uri", home+out)
	registered := store.Client{ID: c.ID, Type: store.Traditional, RedirectURIs: []string{home + callback}, PostLogoutRedirectURIs: []string{home + out}}
	snippets, err := applications.Snippets(s.endpoint, registered, c.Secret, framework)
	if err != nil || len(snippets) == 0 {
		s.t.Fatal("no code to paste", err)
	}
	app := &pastedApp{appSite{server: s, home: home}, s.t.TempDir()}
	for _, snippet := range snippets {
		if snippet.Save == "" {
			continue // a command
		}
		name := filepath.Join(app.dir, snippet.Save)
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(snippet.Text+"\n"), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	return app
}

// command is a command in the app's folder, with what its .env says.
func (a *pastedApp) command(name string, args ...string) *exec.Cmd {
	a.t.Helper()
	if strings.HasPrefix(name, "clients/") {
		name = must(filepath.Abs(name))
	}
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = a.dir, append(cleanEnv(), "NEXT_TELEMETRY_DISABLED=1")
	for _, file := range []string{".env", ".env.local"} {
		text, _ := os.ReadFile(filepath.Join(a.dir, file))
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				cmd.Env = append(cmd.Env, line)
			}
		}
	}
	return cmd
}

// build builds main.go with this module's versions of what it imports.
func (a *pastedApp) build() string {
	a.t.Helper()
	binary := filepath.Join(a.dir, "app")
	cmd := exec.Command("go", "build", "-o", binary, filepath.Join(a.dir, "main.go"))
	if out, err := cmd.CombinedOutput(); err != nil {
		a.t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

func (a *pastedApp) signInAndOut() {
	a.t.Helper()
	const email = "ada@example.com"
	b := tab{a.t, chromium(a.t)}
	b.do(chromedp.Navigate(a.home+"/"), chromedp.Click(chromedp.CSS("#sign-in, form button")), chromedp.WaitVisible(emailField))
	b.submit(emailField, email)
	b.do(chromedp.WaitVisible(codeField))
	b.submit(codeField, a.code(email, 1))
	b.do(chromedp.Click(chromedp.CSS(`form:has([name="confirm"]) button`))) // no account yet: asks
	a.says(b, "signed in")
	b.do(chromedp.Click(chromedp.CSS("#sign-out")), chromedp.WaitVisible(chromedp.CSS("#sign-in")))
	if at := get(b, chromedp.Location()); !strings.HasPrefix(at, a.home) {
		a.t.Errorf("signed out to %s", at)
	}
	a.refusedNothing()
}
