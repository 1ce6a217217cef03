package locales_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"idp/web/locales"
)

// A text is missing where a template shows it, unused where none does.
func TestTextsAreUsedAndComplete(t *testing.T) {
	t.Parallel()
	used := usedKeys(t)
	english := catalogue(t, "en.json")
	if got, want := keys(english), slices.Sorted(maps.Keys(used)); !slices.Equal(got, want) {
		t.Errorf("unused: %v; missing: %v", without(got, want), without(want, got))
	}
	for _, l := range locales.Load().All() {
		texts := catalogue(t, l.Tag+".json")
		if got, want := keys(texts), keys(english); !slices.Equal(got, want) {
			t.Errorf("%s: unused %v; missing %v", l.Tag, without(got, want), without(want, got))
		}
		for key, want := range english {
			if got := texts[key]; !slices.Equal(fields(got), fields(want)) {
				t.Errorf("%s: %q has the fields %v, want %v", l.Tag, key, fields(got), fields(want))
			}
			for form, text := range texts[key] {
				if strings.TrimSpace(text) == "" {
					t.Errorf("%s: %q (%s) is empty", l.Tag, key, form)
				}
			}
			for _, n := range []int{0, 1, 2, 5, 11, 100} { // panics where a plural form is missing
				if len(texts[key]) > 1 || used[key] {
					l.Count(key, n)
				}
			}
		}
	}
	files, _ := filepath.Glob("*.json")
	if len(files) != len(locales.Load().All()) {
		t.Errorf("%d catalogues, %d languages", len(files), len(locales.Load().All()))
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	s := locales.Load()
	for _, c := range []struct {
		ui             []string
		chosen, accept string
		want           string
	}{
		{nil, "", "", "en"},
		{nil, "", "ja", "ja"},
		{nil, "", "de-DE,ja;q=0.8,en;q=0.2", "ja"},
		{nil, "", "tlh", "en"},
		{nil, "", ";;;", "en"},
		{nil, "", strings.Repeat("ja,", 1000), "en"},
		{nil, "en", "ja", "en"},
		{nil, "rubbish!", "ja", "ja"},
		{[]string{"fr", "ja-JP"}, "en", "en", "ja"},
		{[]string{"en-AU"}, "ja", "ja", "en"},
	} {
		for range 2 { // the second time from memory
			if got := s.Choose(c.ui, c.chosen, c.accept); got.Tag != c.want {
				t.Errorf("%+v: got %s", c, got.Tag)
			}
		}
	}
}

var (
	shown   = regexp.MustCompile(`\{\{(t|n) "([^"]+)"`)
	literal = regexp.MustCompile(`"([a-z]+)"`)
	field   = regexp.MustCompile(`\{\{[^{}]*\}\}`)
)

// usedKeys finds the texts of all templates; true for those that count. A key with
// $ stands for one per variant: the words of the Go file beside the template.
func usedKeys(t *testing.T) map[string]bool {
	t.Helper()
	used := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".html" || strings.Contains(path, "testdata") {
			return err
		}
		for _, m := range shown.FindAllStringSubmatch(read(t, path), -1) {
			rest, isVariant := strings.CutPrefix(m[2], "$.")
			if !isVariant {
				used[m[2]] = m[1] == "n"
				continue
			}
			for _, name := range variants(t, path) {
				used[name+"."+rest] = m[1] == "n"
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return used
}

// variants reads the names of a template's variants from where they are declared.
func variants(t *testing.T, path string) (names []string) {
	source := read(t, "../signin/pages.go")
	name := strings.TrimSuffix(filepath.Base(path), ".html")
	_, list, found := strings.Cut(source, `"`+name+`": {`)
	list, _, _ = strings.Cut(list, "}")
	for _, m := range literal.FindAllStringSubmatch(list, -1) {
		names = append(names, m[1])
	}
	if !found || len(names) == 0 {
		t.Fatalf("no variants of %s", path)
	}
	return names
}

// catalogue reads the texts by key and plural form; a text that does not count has
// the form "".
func catalogue(t *testing.T, file string) map[string]map[string]string {
	t.Helper()
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(read(t, file)), &raw); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	out := map[string]map[string]string{}
	for key, value := range raw {
		var text string
		if json.Unmarshal(value, &text) == nil {
			out[key] = map[string]string{"": text}
			continue
		}
		var forms map[string]string
		if err := json.Unmarshal(value, &forms); err != nil {
			t.Fatalf("%s: %s: %v", file, key, err)
		}
		out[key] = forms
	}
	return out
}

func keys(c map[string]map[string]string) []string { return slices.Sorted(maps.Keys(c)) }

// fields are what the forms of a text have in them, each once.
func fields(forms map[string]string) []string {
	all := map[string]bool{}
	for _, text := range forms {
		for _, f := range field.FindAllString(text, -1) {
			all[f] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func without(a, b []string) (out []string) {
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
