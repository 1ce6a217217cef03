package idp_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// shared purposes are sealed in one package and opened in another.
var shared = []string{"mail", "inbox", "connector"}

// Two packages that derive a key for the same purpose have the same key without
// knowing it, and what one of them makes is worth something to the other.
func TestPurposesOfKeysAreDistinct(t *testing.T) {
	t.Parallel()
	users := map[string][]string{} // packages, by purpose
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		for _, purpose := range purposes(t, path, file) {
			if !slices.Contains(users[purpose], dir) {
				users[purpose] = append(users[purpose], dir)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(users) < 8 {
		t.Fatalf("only %d purposes were found", len(users))
	}
	for purpose, dirs := range users {
		if len(dirs) > 1 && !slices.Contains(shared, purpose) {
			t.Errorf("the key for %q is derived in %s: give each its own purpose", purpose, strings.Join(dirs, " and "))
		}
	}
}

// purposes are the literals given to Ring.MAC and Ring.Sealer.
func purposes(t *testing.T, path string, file *ast.File) (found []string) {
	t.Helper()
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || method.Sel.Name != "MAC" && method.Sel.Name != "Sealer" {
			return true
		}
		literal, ok := call.Args[0].(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			t.Errorf("%s: the purpose of %s is no string literal", path, method.Sel.Name)
			return true
		}
		purpose, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		found = append(found, purpose)
		return true
	})
	return found
}
