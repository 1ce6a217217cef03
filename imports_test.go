package idp_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rule says what files under a folder may import of this module, and which
// outside modules are confined to them.
type rule struct {
	dir    string
	may    []string // prefixes inside the module; the folder itself always
	reason string
}

// The first rule whose folder matches holds.
var rules = []rule{
	{"cmd", []string{"idp"}, "composes everything"},
	{"e2e", []string{"idp"}, "tests the whole product"},
	{"bench", []string{"idp"}, "drives the whole product"},
	{"store/address", []string{"idp/store"}, "reads addresses into store.Email"},
	{"store/sqlstore", []string{"idp/store"}, "operations over an engine"},
	{"store/enginetest", []string{"idp/store", "idp/migrations"}, "what scripts rely on"},
	{"store/storetest", []string{"idp/store", "idp/migrations"}, "the contract"},
	{"store/pgtest", []string{}, "starts a Postgres for tests"},
	{"store/postgres", []string{"idp/store", "idp/migrations"}, "an engine"},
	{"store/sqlitetest", []string{"idp/store"}, "a SQLite file for tests"},
	{"store/sqlite", []string{"idp/store", "idp/migrations"}, "an engine"},
	{"store", nil, "the domain: standard library only"},
	{"migrations", []string{"idp/store"}, "schema"},
	{"keyring", []string{"idp/store"}, "derived keys"},
	{"op", []string{"idp/store", "idp/keyring"}, "never otp, mailer or web"},
	{"otp", []string{"idp/store", "idp/keyring"}, "never op, mailer or web"},
	{"mailer", []string{"idp/store", "idp/keyring"}, "never op, otp or web"},
	{"audit", []string{"idp/store", "idp/keyring"}, "the record of who did what"},
	{"reseal", []string{"idp/store", "idp/keyring", "idp/audit"}, "brings a database under a new secret"},
	{"webhook", []string{"idp/store", "idp/keyring", "idp/audit"}, "posts what happened; never op, otp, mailer or web"},
	{"admin", []string{"idp/store", "idp/keyring", "idp/audit", "idp/mailer", "idp/webhook", "idp/doctor"}, "the functions of administrators, without HTTP"},
	{"config", []string{"idp/store", "idp/audit", "idp/admin"}, "configuration as code: package admin by a file"},
	{"web/api", []string{"idp/store", "idp/audit", "idp/admin", "idp/web"}, "the management API: package admin over HTTP"},
	{"web/console", []string{"idp/store", "idp/keyring", "idp/audit", "idp/admin", "idp/mailer", "idp/webhook", "idp/web"}, "package admin, and what its types are made of, for people"},
	{"idptest", []string{}, "for the tests of apps: the standard library only"},
	{"doctor", []string{"idp/store", "idp/mailer"}, "looks from outside: at the DNS, and at the server as clients meet it"},
	{"web/webtest", []string{"idp"}, "the pages and everything behind them, for tests"},
	{"web", []string{"idp/store", "idp/keyring"}, "declares the interfaces it needs of op, otp and mailer"},
}

// confined modules may be imported under these folders only. Tests may use more.
var confined = map[string][]string{
	"github.com/jackc/pgx":           {"store/postgres", "store/pgtest", "e2e/rig"},
	"modernc.org/sqlite":             {"store/sqlite", "e2e/rig"},
	"github.com/pressly/goose":       {"migrations", "store/postgres", "store/sqlite"},
	"github.com/zitadel/oidc":        {"op"},
	"github.com/aws/aws-sdk-go":      {"mailer/ses"},
	"github.com/aws/smithy-go":       {"mailer/ses"},
	"github.com/wneessen/go-mail":    {"mailer/smtp"},
	"github.com/emersion/go-msgauth": {"mailer/smtp"},
	"github.com/coreos/go-oidc":      {"cmd/idp/internal/bookstore"},
	"github.com/alecthomas/kong":     {"cmd/idp"},
	"github.com/prometheus":          {"cmd/idp/internal/metrics"},
	"github.com/danielgtaylor/huma":  {"web/api"},
	"go.opentelemetry.io":            {"cmd/idp/internal/traces"},
}

// Import directions are a test, not a habit (docs/decisions/0002-layout.md).
func TestImportDirections(t *testing.T) {
	t.Parallel()
	seen := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || filepath.Dir(path) == "." {
			return nil
		}
		seen++
		check(t, filepath.ToSlash(path))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 50 {
		t.Fatalf("only %d files were looked at", seen)
	}
}

func check(t *testing.T, path string) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	i := slices.IndexFunc(rules, func(r rule) bool { return under(path, r.dir) })
	if i < 0 {
		t.Errorf("%s: no rule for this folder; add one", path)
		return
	}
	isTest := strings.HasSuffix(path, "_test.go")
	for _, spec := range file.Imports {
		imp, _ := strconv.Unquote(spec.Path.Value)
		inside := imp == "idp" || strings.HasPrefix(imp, "idp/")
		switch {
		case under(imp, "idp/cmd") && !under(path, "cmd"):
			t.Errorf("%s imports %s: nobody imports cmd", path, imp)
		case isTest:
		case inside && !under(imp, "idp/"+rules[i].dir) && !slices.ContainsFunc(rules[i].may, func(p string) bool { return under(imp, p) }):
			t.Errorf("%s imports %s: %s (%s)", path, imp, rules[i].dir, rules[i].reason)
		case !inside && rules[i].dir == "store" && strings.Contains(strings.Split(imp, "/")[0], "."):
			t.Errorf("%s imports %s: store imports the standard library only", path, imp)
		}
		for module, dirs := range confined {
			if !isTest && strings.HasPrefix(imp, module) && !slices.ContainsFunc(dirs, func(d string) bool { return under(path, d) }) {
				t.Errorf("%s imports %s, which is confined to %s", path, imp, strings.Join(dirs, ", "))
			}
		}
	}
}

func under(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }
