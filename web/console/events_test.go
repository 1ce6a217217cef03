package console_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"idp/store"
	"idp/web/webtest"
)

// writers are the packages that write into the audit log, seen from here.
var writers = []string{"admin", "audit", "mailer", "op", "otp", "store/sqlstore", "web/account", "web/signin", "web/console"}

var aKind = regexp.MustCompile(`"([a-z_]+\.(?:[a-z_]+ed|set|signed_in|signed_out|signed_out_everywhere))"`)

// Whatever is written into the audit log is named in words, and can be filtered for.
func TestKindsOfEntriesAreNamed(t *testing.T) {
	t.Parallel()
	filter := webtest.New(t).Operator(store.RoleViewer).Get("/console/audit-log").Want(200).Body
	seen := map[string]bool{}
	for _, dir := range writers {
		err := filepath.WalkDir(filepath.Join("../..", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, m := range aKind.FindAllStringSubmatch(string(source), -1) {
				if kind := m[1]; !seen[kind] && !strings.Contains(filter, `<option value="`+kind+`"`) {
					t.Errorf("%s: nothing is said of entries %s", path, kind)
				}
				seen[m[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) < 50 {
		t.Errorf("only %d kinds were found", len(seen))
	}
}
