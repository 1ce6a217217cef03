package mailer_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

func TestCataloguesAreComplete(t *testing.T) {
	t.Parallel()
	english := readCatalogue(t, "locales/en.json")
	files, _ := filepath.Glob("locales/*.json")
	if len(files) < 2 {
		t.Fatalf("found %v", files)
	}
	for _, file := range files {
		c := readCatalogue(t, file)
		if got, want := slices.Sorted(maps.Keys(c)), slices.Sorted(maps.Keys(english)); !slices.Equal(got, want) {
			t.Errorf("%s has the keys %v, want %v", file, got, want)
		}
		for key, want := range english {
			got := c[key]
			if got == "" {
				t.Errorf("%s: %q is empty", file, key)
			}
			if a, b := placeholders(got), placeholders(want); !slices.Equal(a, b) {
				t.Errorf("%s: %q has placeholders %v, want %v", file, key, a, b)
			}
		}
	}
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
