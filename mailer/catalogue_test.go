package mailer_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

func TestCataloguesAreComplete(t *testing.T) {
	t.Parallel()
	english := readCatalogue(t, "locales/en.json")
	files, _ := filepath.Glob("locales/*.json")
	if len(files) != len(locales) {
		t.Fatalf("found %v", files)
	}
	for _, file := range files {
		c := readCatalogue(t, file)
		if c["life.other"] == "" || !strings.Contains(c["life.other"], "{minutes}") {
			t.Errorf("%s has no minutes", file)
		}
		if got, want := withoutForms(c), withoutForms(english); !slices.Equal(got, want) {
			t.Errorf("%s has the keys %v, want %v", file, got, want)
		}
		for key, want := range english {
			got := c[key]
			if strings.HasPrefix(key, "life.") {
				continue // the plural forms are the language's own
			}
			if got == "" {
				t.Errorf("%s: %q is empty", file, key)
			}
			if a, b := placeholders(got), placeholders(want); !slices.Equal(a, b) {
				t.Errorf("%s: %q has placeholders %v, want %v", file, key, a, b)
			}
		}
	}
}

// alike are words that a language shares with English.
var alike = map[string][]string{"colon": {"ja", "de", "es", "fr", "ko", "pt-BR", "zh-CN", "ar"}, "browser": {"de"}}

func TestNothingIsLeftInEnglish(t *testing.T) {
	t.Parallel()
	english := readCatalogue(t, "locales/en.json")
	for _, locale := range locales[1:] {
		for key, text := range readCatalogue(t, "locales/"+locale+".json") {
			if text == english[key] && !slices.Contains(alike[key], locale) {
				t.Errorf("%s: %q is the English text: %q", locale, key, text)
			}
		}
	}
}

func withoutForms(c map[string]string) []string {
	keys := slices.Collect(maps.Keys(c))
	keys = slices.DeleteFunc(keys, func(key string) bool { return strings.HasPrefix(key, "life.") })
	slices.Sort(keys)
	return keys
}

func placeholders(text string) []string {
	found := placeholder.FindAllString(text, -1)
	slices.Sort(found)
	return found
}

func readCatalogue(t *testing.T, file string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]string
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return c
}
