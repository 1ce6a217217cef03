package idp_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/conformance.md is worth what its tests are: each that it names is there.
func TestConformanceNamesTests(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "node_modules":
			return fs.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		for _, m := range declared.FindAllSubmatch(text, -1) {
			there[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(string(text), -1)
	if len(named) < 100 {
		t.Errorf("%d tests are named", len(named))
	}
	for _, name := range named {
		if !there[name] {
			t.Errorf("docs/conformance.md names %s, which is not there", name)
		}
	}
}

// A link from one page of docs/ to another leads somewhere, and each page about mail is
// found from docs/email.md.
func TestDocsLinks(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(([^):#]+)(?:#[^)]*)?\)`)
	fromMail := map[string]bool{"docs/email.md": true}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			to := filepath.ToSlash(filepath.Join("docs", m[1]))
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
			}
			fromMail[to] = fromMail[to] || page == "docs/email.md"
		}
	}
	for _, page := range pages {
		if strings.HasPrefix(page, "docs/email") && !fromMail[page] {
			t.Errorf("docs/email.md does not lead to %s", page)
		}
	}
}
