package e2e_test

import (
	"os/exec"
	"testing"

	"idp/e2e/rig"

	"github.com/chromedp/cdproto/network"
)

// The app of Logto's Python guide with PyPI's logto, unmodified.
func TestLogtoFlask(t *testing.T) {
	t.Parallel()
	const dir = "clients/logto-flask"
	python, err := virtualEnv(dir)
	if err != nil {
		t.Fatal(err)
	}
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		a := newAppSite(s, "/callback", "/", "--type", "traditional")
		cmd := exec.Command(python, dir+"/app.py")
		cmd.Env = a.env
		a.runs(cmd)
		b := a.walk()

		// All tokens are in one cookie, which browsers take up to 4096 bytes of; a
		// Flask app has its own things to put there.
		for _, c := range set(b, network.GetCookies, network.GetCookiesParams{URLs: []string{a.home}}).Cookies {
			t.Logf("cookie %s: %d bytes", c.Name, c.Size)
			if c.Name == "session" && c.Size > 2048 {
				t.Errorf("the session cookie has %d bytes", c.Size)
			}
		}
	})
}

// A Flask app with Debian's Authlib, unmodified.
func TestAuthlibFlask(t *testing.T) {
	t.Parallel()
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		a := newAppSite(s, "/callback", "/signed-out", "--type", "traditional")
		cmd := exec.Command(systemPython, "clients/authlib-flask/app.py")
		cmd.Env = a.env
		a.runs(cmd)
		a.walk()
	})
}
