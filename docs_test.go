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

// A link from one page to another, or to a heading, leads somewhere; each page about mail is
// found from docs/email.md, and each page of docs/ from the README or a page that is.
func TestDocsLinks(t *testing.T) {
	t.Parallel()
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md"} {
		some, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, some...)
	}
	link := regexp.MustCompile(`\]\(([^):#]*)(#[^)]*)?\)`)
	found := map[string]map[string]bool{} // pages that lead somewhere, by where
	for _, page := range pages {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			to := filepath.ToSlash(filepath.Join(filepath.Dir(page), m[1]))
			if m[1] == "" {
				to = page
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
				continue
			}
			if m[2] != "" && !headings(t, to)[m[2][1:]] {
				t.Errorf("%s links to %s%s: there is no such heading", page, m[1], m[2])
			}
			if found[to] == nil {
				found[to] = map[string]bool{}
			}
			found[to][page] = true
		}
	}
	for _, page := range pages {
		switch {
		case strings.HasPrefix(page, "docs/email") && page != "docs/email.md" && !found[page]["docs/email.md"]:
			t.Errorf("docs/email.md does not lead to %s", page)
		case strings.HasPrefix(page, "docs/decisions/0") && !found[page]["docs/decisions/README.md"]:
			t.Errorf("docs/decisions/README.md does not lead to %s", page)
		case filepath.Dir(page) == "docs" && !strings.HasPrefix(page, "docs/email-") && !found[page]["README.md"]:
			t.Errorf("README.md does not lead to %s", page)
		}
	}
}

func read(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// headings gives the names under which GitHub lets link to the headings of a page.
func headings(t *testing.T, page string) map[string]bool {
	t.Helper()
	text := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(read(t, page), "")
	out := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		out[strings.ReplaceAll(name, " ", "-")] = true
	}
	return out
}

// The management API's page has each of its nouns.
func TestManagementAPIPageHasEachNoun(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("web/api/*.go")
	if err != nil {
		t.Fatal(err)
	}
	page, nouns := read(t, "docs/management-api.md"), map[string]bool{}
	for _, file := range files {
		for _, m := range regexp.MustCompile(`(?:operation\{http\.Method\w+, |(?m:^const \w+ += ))"(/[a-z-]+)`).FindAllStringSubmatch(read(t, file), -1) {
			nouns[m[1]] = true
		}
	}
	if len(nouns) < 12 {
		t.Fatalf("only %d nouns were found", len(nouns))
	}
	for noun := range nouns {
		if !strings.Contains(page, "| `"+noun) && !strings.Contains(page, ", `"+noun) {
			t.Errorf("docs/management-api.md does not say what %s is", noun)
		}
	}
}
