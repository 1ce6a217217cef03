package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"idp/e2e/rig"
)

// @logto/express from npm, unmodified.
func TestLogtoExpress(t *testing.T) {
	onNode(t, "logto-express", "/logto/sign-in-callback", "--type", "traditional")
}

// @logto/browser from npm, unmodified: the tokens live in the browser, so CORS and
// rotation for public clients are tried, too.
func TestLogtoBrowser(t *testing.T) {
	onNode(t, "logto-browser", "/callback", "--type", "spa")
}

// @logto/next from npm, unmodified.
func TestLogtoNext(t *testing.T) {
	onNode(t, "logto-next", "/callback", "--type", "traditional")
}

// express-openid-connect from npm, unmodified. It takes RS256 unless told otherwise.
func TestExpressOpenIDConnect(t *testing.T) {
	onNode(t, "express-openid-connect", "/callback", "--type", "traditional", "--id-token-alg", "RS256")
}

// onNode walks through two of an app on an unmodified client library from npm: a folder
// of clients/ with the packages in its lock file, a build script where it needs one, and
// app.mjs that serves it.
func onNode(t *testing.T, dir, callback string, flags ...string) {
	t.Helper()
	t.Parallel()
	dir = filepath.Join("clients", dir)
	if err := installed(dir); err != nil {
		t.Fatalf("npm ci: %v (install Node.js and npm)", err)
	}
	command := func(env []string, name string, args ...string) *exec.Cmd {
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.Env = dir, append(env, "NODE_ENV=production", "NEXT_TELEMETRY_DISABLED=1") // nothing reports home
		return cmd
	}
	if out, err := command(rig.CleanEnv(), "npm", "run", "build", "--if-present").CombinedOutput(); err != nil {
		t.Fatalf("npm run build: %v\n%s", err, out)
	}
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		start := func() appSite {
			a := newAppSite(s, callback, "", flags...)
			a.first, a.private = "/profile", "/profile"
			a.runs(command(a.env, "node", "app.mjs"))
			return a
		}
		start().walk(start())
	})
}

// installs holds what puts the packages of each folder in place: once, however many
// tests of one folder start together.
var installs = struct {
	sync.Mutex
	by map[string]func() error
}{by: map[string]func() error{}}

// installed puts the npm packages of a folder in place, as its lock file names them,
// unless they are there. No package's scripts run.
func installed(dir string) error {
	installs.Lock()
	once, ok := installs.by[dir]
	if !ok {
		once = sync.OnceValue(func() error { return installPackages(dir) })
		installs.by[dir] = once
	}
	installs.Unlock()
	return once()
}

func installPackages(dir string) error {
	want, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return err
	}
	done := filepath.Join(dir, "node_modules", ".installed") // npm ci starts by removing the folder
	if have, err := os.ReadFile(done); err == nil && string(have) == string(want) {
		return nil
	}
	cmd := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	return os.WriteFile(done, want, 0o644)
}
