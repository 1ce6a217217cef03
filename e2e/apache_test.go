package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"idp/e2e/rig"
)

// Debian's Apache with mod_auth_openidc, unmodified.
func TestApacheModAuthOpenIDC(t *testing.T) {
	t.Parallel()
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		a := newAppSite(s, "/private/callback", "/", "--type", "traditional")
		a.first, a.private, a.refresh = "/private/", "/private/", "/private/refresh/"
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS("clients/apache")); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("/usr/sbin/apache2", "-f", dir+"/httpd.conf", "-D", "FOREGROUND")
		if os.Geteuid() == 0 { // then it serves as another user, who has to reach the pages
			cmd.Args = append(cmd.Args, "-D", "ROOT")
			if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil {
				t.Fatal(err)
			}
		}
		cmd.Env = append(a.env, "FOLDER="+dir)
		t.Cleanup(func() {
			if log, err := os.ReadFile(filepath.Join(dir, "error.log")); err == nil && t.Failed() {
				t.Logf("Apache's log:\n%s", log)
			}
		})
		a.runs(cmd)
		a.walk()
	})
}
