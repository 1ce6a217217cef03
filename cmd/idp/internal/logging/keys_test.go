package logging

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

// A line is written for what is in its attributes: of one whose key is not on the list only the name
// would be seen, and that by nobody before the line is needed.
func TestWhatTheProgramLogsIsAllowed(t *testing.T) {
	t.Parallel()
	lines := 0
	root := filepath.Join("..", "..", "..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"node_modules", "testdata", "bench", "e2e"}, d.Name())):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			for _, key := range keysOf(call) {
				lines++
				if !allowed(key) {
					t.Errorf("%s: %q is not on the list, and would be dropped", files.Position(call.Pos()), key)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if lines < 60 {
		t.Errorf("only %d attributes were found", lines)
	}
}

// keysOf are the keys of a call of a logger: behind its message, or from the first argument of With on. A
// key that is no literal ends them.
func keysOf(call *ast.CallExpr) (keys []string) {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	if method.Sel.Name != "nag" && !slices.Contains([]string{"log", "logger", "slog"}, strings.ToLower(lastName(method.X))) {
		return nil
	}
	args := call.Args
	switch name := strings.TrimSuffix(method.Sel.Name, "Context"); name {
	case "With":
	case "Debug", "Info", "Warn", "Error", "Log", "nag":
		// The message may be put together: it is behind the context, context and level, or level and what is said at times only.
		before := 0
		switch {
		case name == "Log" || name == "nag":
			before = 2
		case name != method.Sel.Name:
			before = 1
		}
		if len(args) <= before {
			return nil
		}
		args = args[before+1:]
	default:
		return nil
	}
	for ; len(args) > 1 && isText(args[0]); args = args[2:] {
		key, err := strconv.Unquote(args[0].(*ast.BasicLit).Value)
		if err != nil {
			return keys
		}
		keys = append(keys, key)
	}
	return keys
}

// lastName is x of x, and of a.b.x.
func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

func isText(e ast.Expr) bool {
	literal, ok := e.(*ast.BasicLit)
	return ok && literal.Kind == token.STRING
}
