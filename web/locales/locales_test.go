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
	"time"

	"idp/store"
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
				if l.Tag != "en" && !same[key] && slices.Contains(slices.Collect(maps.Values(want)), text) {
					t.Errorf("%s: %q is still in English", l.Tag, key)
				}
			}
			for _, n := range []int{0, 1, 2, 5, 11, 100, 1_000_000} { // panics where a plural form is missing
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

// same are the texts that are the same words in other languages.
var same = map[string]bool{"code.label": true, "code.wait": true, "account.name": true, "mismatch.client": true, "not_me.browser": true, "wait.minutes": true}

// What fills a field keeps its own direction in a right-to-left text.
func TestFieldsAreIsolatedRightToLeft(t *testing.T) {
	t.Parallel()
	for _, l := range locales.Load().All() {
		app, email := l.Text("address.sign_in"), l.Text("choose.continue")
		if isolated := strings.Contains(app, "\u2068{{.App}}\u2069") && strings.Contains(email, "\u2066{{.Email}}\u2069"); isolated != (l.Dir == "rtl") {
			t.Errorf("%s: %q %q", l.Tag, app, email)
		}
	}
}

// Nothing of the templates is left in a text that counts.
func TestCount(t *testing.T) {
	t.Parallel()
	s := locales.Load()
	for tag, want := range map[string]string{
		"en": "You have 1 try left.", "de": "Sie haben noch 1 Versuch.", "fr": "Il vous reste 1 essai.",
		"ko": "1번 더 시도할 수 있습니다.", "ar": "تبقّت لديك محاولة واحدة.",
	} {
		if got := s.Find(tag).Count("code.tries", 1); got != want {
			t.Errorf("%s: %q", tag, got)
		}
	}
	for n, want := range map[int]string{2: "محاولتان", 3: "3 محاولات", 11: "11 محاولة", 100: "100 محاولة"} {
		if got := s.Find("ar").Count("code.tries", n); !strings.Contains(got, want) {
			t.Errorf("%d: %q", n, got)
		}
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	s := locales.Load()
	for _, c := range []struct {
		wait   time.Duration
		en, ja string
	}{
		{0, "1 minute", "1分"},
		{time.Minute, "1 minute", "1分"},
		{61 * time.Second, "2 minutes", "2分"},
		{90 * time.Minute, "90 minutes", "90分"},
		{90*time.Minute + 1, "2 hours", "2時間"},
		{23*time.Hour + time.Second, "24 hours", "24時間"},
	} {
		for tag, want := range map[string]string{"en": c.en, "ja": c.ja} {
			if got := s.Find(tag).Wait(c.wait); got != want {
				t.Errorf("%s in %s is %q, not %q", c.wait, tag, got, want)
			}
		}
	}
}

// The operator's fallback is taken where nobody has a wish that can be met.
func TestFallback(t *testing.T) {
	t.Parallel()
	s := locales.Load()
	for _, c := range []struct {
		auto                     bool
		fallback, chosen, accept string
		want                     string
	}{
		{true, "ja", "", "de", "de"},
		{true, "ja", "", "el", "ja"},
		{true, "ja", "", "el", "ja"}, // from memory
		{true, "ja", "", "", "ja"},
		{false, "ja", "", "de", "ja"},
		{false, "ja", "de", "fr", "de"},
		{false, "", "", "de", "en"},
	} {
		if got := s.Choose(store.LanguageInfo{AutoDetect: c.auto, Fallback: c.fallback}, nil, c.chosen, c.accept); got.Tag != c.want {
			t.Errorf("%+v: %s", c, got.Tag)
		}
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
		{nil, "", "nl-NL,ja;q=0.8,en;q=0.2", "ja"},
		{nil, "", "tlh", "en"},
		{nil, "", ";;;", "en"},
		{nil, "", strings.Repeat("ja,", 1000), "en"},
		{nil, "en", "ja", "en"},
		{nil, "rubbish!", "ja", "ja"},
		{[]string{"nl", "ja-JP"}, "en", "en", "ja"},
		{[]string{"en-AU"}, "ja", "ja", "en"},
		{[]string{"pt-PT"}, "", "en", "pt-BR"}, // the nearer of the two
		{[]string{"es-419"}, "", "en", "es"},
		{[]string{"fr-CA"}, "", "en", "fr"},
		{[]string{"ar-EG"}, "", "en", "ar"},
		{[]string{"zh-Hans"}, "", "en", "zh-CN"},
		{[]string{"zh-TW"}, "", "en-US", "en"}, // another script: the browser's language is as good
		{nil, "", "zh-TW", "zh-CN"},            // better than a foreign language
		{nil, "", "zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7", "zh-CN"},
		{nil, "", "zh-Hant-TW,en;q=0.8", "en"},
		{nil, "", "pt-PT,en;q=0.9", "pt-BR"},
		{nil, "", "ar-MA,fr;q=0.9", "ar"},
		{nil, "", "fr-CA,en-CA;q=0.9", "fr"},
		{nil, "", "de-CH,fr-CH;q=0.9", "de"},
	} {
		for range 2 { // the second time from memory
			if got := s.Choose(store.DefaultExperience().Language, c.ui, c.chosen, c.accept); got.Tag != c.want {
				t.Errorf("%+v: got %s", c, got.Tag)
			}
		}
	}
}

var (
	shown   = regexp.MustCompile(`\{\{(t|n) "([^"]+)"`)
	literal = regexp.MustCompile(`"([a-z_]+)"`)
	field   = regexp.MustCompile(`\{\{[^{}]*\}\}`)
)

// usedKeys finds the texts of all templates; true for those that count. A key with
// $ stands for one per variant: the words of the Go file beside the template.
func usedKeys(t *testing.T) map[string]bool {
	t.Helper()
	used := map[string]bool{"wait.minutes": true, "wait.hours": true} // in Go: see Wait
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && d.Name() == "console" { // has catalogues of its own
			return filepath.SkipDir
		}
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
