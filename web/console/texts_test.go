package console_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// errorsFiles begin the names of those that hold reasons of package admin, which are no texts
// of pages: errors.json, errors-AREA.json.
const errorsFiles = "errors"

var (
	inTemplate = regexp.MustCompile(`\bt "((?:[^"\\]|\\.)+)"`)
	valueOf    = regexp.MustCompile(`\{\{[^{}]*\}\}|%[a-z]`)
)

// Every text of the console has its translation, with the same values in it, and none is
// left of a text that is gone.
func TestTextsAreTranslated(t *testing.T) {
	t.Parallel()
	used := usedTexts(t)
	if len(used) < 40 {
		t.Fatalf("only %d texts were found", len(used))
	}
	folders, err := filepath.Glob("shell/texts/*")
	if err != nil || len(folders) == 0 {
		t.Fatal(folders, err)
	}
	for _, folder := range folders {
		known := map[string]string{} // files, by text
		said := map[string]string{}
		files, err := filepath.Glob(folder + "/*.json")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			for english, translated := range read(t, file) {
				switch {
				case strings.TrimSpace(translated) == "":
					t.Errorf("%s: %q is empty", file, english)
				case !slices.Equal(values(english), values(translated)):
					t.Errorf("%s: %q has the values %v, want %v", file, english, values(translated), values(english))
				case known[english] != "" && said[english] != translated:
					t.Errorf("%q is translated differently in %s and in %s", english, known[english], file)
				case used[english] == "" && !strings.HasPrefix(filepath.Base(file), errorsFiles):
					t.Errorf("%s: %q is used nowhere", file, english)
				}
				known[english], said[english] = file, translated
			}
		}
		for english, where := range used {
			if known[english] == "" {
				t.Errorf("%s lacks %q (%s)", folder, english, where)
			}
		}
	}
}

func read(t *testing.T, file string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	if err := json.Unmarshal(raw, &texts); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return texts
}

func values(text string) []string {
	found := valueOf.FindAllString(text, -1)
	if !strings.Contains(text, "%") {
		slices.Sort(found) // fields may stand in any order
	}
	return found
}

// usedTexts are the texts of templates, and what code gives to T and N.
func usedTexts(t *testing.T) map[string]string {
	t.Helper()
	used := map[string]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir():
			return err
		case strings.HasSuffix(path, ".html"):
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range inTemplate.FindAllStringSubmatch(string(raw), -1) {
				used[strings.ReplaceAll(m[1], `\"`, `"`)] = path
			}
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if text := literalOf(n); text != "" {
					used[text] = path
				}
				return true
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return used
}

// literalOf is the text in v.T("…"), shell.N("…") and N("…").
func literalOf(n ast.Node) string {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return ""
	}
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	lit, ok := call.Args[0].(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING || name != "T" && name != "N" {
		return ""
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return text
}
