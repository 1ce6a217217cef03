package reseal_test

import (
	"io/fs"
	"os"
	"regexp"
	"testing"

	"idp/reseal"
)

var (
	table  = regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\n\)`)
	sealed = regexp.MustCompile(`(?m)^\s+sealed\s+BLOB`)
)

// A table with something sealed in it that no rotation knows would be lost with the secret.
func TestEverySealedColumnIsSealedAnew(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, name := range reseal.Tables() {
		known[name] = true
	}
	found := 0
	err := fs.WalkDir(os.DirFS("../migrations/sqlite"), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile("../migrations/sqlite/" + path)
		for _, m := range table.FindAllStringSubmatch(string(text), -1) {
			if !sealed.MatchString(m[2]) {
				continue
			}
			if found++; !known[m[1]] {
				t.Errorf("%s: what is sealed in the table %s is not sealed anew", path, m[1])
			}
		}
		return err
	})
	if err != nil || found < 6 {
		t.Fatalf("only %d tables were found: %v", found, err)
	}
}
