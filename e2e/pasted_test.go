package e2e_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"idp/e2e/rig"

	"github.com/chromedp/chromedp"

	"idp/store"
	"idp/web/console/applications"
)

// The code that the console shows at the end of making an application, saved under the names
// that it says and run as it says, signs a person in and out.
func TestPastedCode(t *testing.T) {
	t.Parallel()
	python := rig.Must(virtualEnv("clients/logto-flask"))
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
			s := rig.NewServer(t, "sqlite")
			s.Start()
			site := newPastedApp(s, store.Traditional, c.framework, c.callback, c.out, "--id-token-alg", c.alg)
			if c.packages != "" {
				if err := installed(filepath.Join("clients", c.packages)); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(rig.Must(filepath.Abs(filepath.Join("clients", c.packages, "node_modules"))), filepath.Join(site.dir, "node_modules")); err != nil {
					t.Fatal(err)
				}
			}
			site.runs(c.run(site))
			site.signInAndOut()
		})
	}
}

// A page without a server: the packages are bundled as the guide's development server would.
func TestPastedPage(t *testing.T) {
	t.Parallel()
	const packages = "clients/logto-browser"
	if err := installed(packages); err != nil {
		t.Fatal(err)
	}
	s := rig.NewServer(t, "sqlite")
	s.Start()
	site := newPastedApp(s, store.SPA, "spa", "/callback", "")
	modules := rig.Must(filepath.Abs(packages + "/node_modules"))
	if err := os.Symlink(modules, filepath.Join(site.dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(strings.TrimPrefix(site.home, "http://"))
	cmd := site.command(modules+"/.bin/esbuild", "main.js", "--bundle", "--format=esm", "--outdir=.", "--allow-overwrite",
		"--servedir=.", "--serve-fallback=index.html", "--serve="+host+":"+port)
	_ = rig.Must(cmd.StdinPipe()) // it ends with its input,
	cmd.WaitDelay = time.Second   // which the process that npm's script started has after the script
	site.runs(cmd)
	site.signInAndOut()
}

// A program at the command line prints where to sign in, and is told who did.
func TestPastedProgram(t *testing.T) {
	t.Parallel()
	s := rig.NewServer(t, "sqlite")
	s.Start()
	site := newPastedApp(s, store.Native, "native", "/callback", "/")
	var out rig.LockedBuffer
	cmd := site.command(site.build())
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	var address string
	for end := time.Now().Add(30 * time.Second); address == "" && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		_, line, _ := strings.Cut(out.String(), "Open ")
		address, _, _ = strings.Cut(line, "\n")
	}
	const email = "ada@example.com"
	b := tab{t, chromium(t)}
	b.do(chromedp.Navigate(address), chromedp.WaitVisible(emailField))
	site.signIn(b, email)
	b.sees("signed in")
	if err := cmd.Wait(); err != nil || !strings.Contains(out.String(), "Signed in as "+email) {
		t.Errorf("%v: %s", err, out.String())
	}
}

// A machine's commands get it a token.
func TestPastedCommands(t *testing.T) {
	t.Parallel()
	s := rig.NewServer(t, "sqlite")
	s.Start()
	site := newPastedApp(s, store.Machine, "machine", "", "", "--role", "Management API access")
	script := strings.ReplaceAll(site.snippets[1].Text, "$RESOURCE", store.ManagementIndicator) // the console asks the roles for it
	cmd := site.command("sh", "-c", script)
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), `"access_token"`) || !strings.Contains(string(out), `"scope":"all"`) {
		t.Errorf("%v: %s", err, out)
	}
}

// pastedApp is an app in a folder of its own, as somebody makes it who pastes.
type pastedApp struct {
	appSite
	dir      string
	snippets []applications.Snippet
}

// newPastedApp registers an app and saves the code for it. A machine has no callback.
func newPastedApp(s *rig.Server, kind store.ClientType, framework, callback, out string, flags ...string) *pastedApp {
	s.T.Helper()
	home := "http://" + rig.FreeAddr(s.T)
	registered := store.Client{Type: kind}
	if callback != "" {
		registered.RedirectURIs, registered.PostLogoutRedirectURIs = []string{home + callback}, []string{home + out}
		flags = append(flags, "--redirect-uri", home+callback, "--post-logout-redirect-uri", home+out)
	}
	c := s.NewClient(append(flags, "--type", string(kind))...)
	registered.ID = c.ID
	snippets, err := applications.Snippets(s.Endpoint, registered, c.Secret, framework)
	if err != nil || len(snippets) == 0 {
		s.T.Fatal("no code to paste", err)
	}
	app := &pastedApp{appSite{Server: s, home: home}, s.T.TempDir(), snippets}
	for _, snippet := range snippets {
		if snippet.Save == "" {
			continue // a command
		}
		name := filepath.Join(app.dir, snippet.Save)
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			s.T.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(snippet.Text+"\n"), 0o600); err != nil {
			s.T.Fatal(err)
		}
	}
	return app
}

// command is a command in the app's folder, with what its .env says.
func (a *pastedApp) command(name string, args ...string) *exec.Cmd {
	a.T.Helper()
	if strings.HasPrefix(name, "clients/") {
		name = rig.Must(filepath.Abs(name))
	}
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = a.dir, append(rig.CleanEnv(), "NEXT_TELEMETRY_DISABLED=1")
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
	a.T.Helper()
	binary := filepath.Join(a.dir, "app")
	cmd := exec.Command("go", "build", "-o", binary, filepath.Join(a.dir, "main.go"))
	if out, err := cmd.CombinedOutput(); err != nil {
		a.T.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

func (a *pastedApp) signInAndOut() {
	a.T.Helper()
	const email = "ada@example.com"
	b := tab{a.T, chromium(a.T)}
	b.do(chromedp.Navigate(a.home+"/"), chromedp.Click(chromedp.CSS("#sign-in, form button")), chromedp.WaitVisible(emailField))
	a.signIn(b, email)
	a.says(b, "signed in")
	b.do(chromedp.Click(chromedp.CSS("#sign-out")), chromedp.WaitVisible(chromedp.CSS("#sign-in")))
	if at := get(b, chromedp.Location()); !strings.HasPrefix(at, a.home) {
		a.T.Errorf("signed out to %s", at)
	}
	refusedNothing(a.Server)
}

// signIn signs up, in a tab that shows the first page.
func (a *pastedApp) signIn(b tab, email string) {
	a.T.Helper()
	b.submit(emailField, email)
	b.do(chromedp.WaitVisible(codeField))
	b.submit(codeField, a.Code(email, 1))
	b.do(chromedp.Click(chromedp.CSS(`form:has([name="confirm"]) button`))) // no account yet: asks
}
