package sqlite_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"idp/store"
	"idp/store/sqlite"
	"idp/store/sqlstore"
	"idp/store/storetest"
)

func open(t *testing.T, path string) *sqlite.Engine {
	t.Helper()
	e, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func TestEngine(t *testing.T) {
	t.Parallel()
	storetest.RunEngine(t, func(t *testing.T) func() storetest.Migrator {
		path := filepath.Join(t.TempDir(), "data", "idp.db")
		return func() storetest.Migrator { return open(t, path) }
	})
}

func TestClosedAndBroken(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "idp.db")
	e := open(t, path)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	var s sqlstore.Script
	s.Do(`SELECT 1`)
	if err := e.Run(t.Context(), &s); store.CodeOf(err) != store.Unavailable {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); store.CodeOf(err) != store.Unavailable {
		t.Error(err)
	}
}

// The texts of searches are made of what is searched: those that were prepared are not kept
// for ever.
func TestPreparedStatementsAreBounded(t *testing.T) {
	t.Parallel()
	if n, err := sqlite.PreparedForTest(filepath.Join(t.TempDir(), "idp.db"), 2000); err != nil || n > 512 {
		t.Errorf("%d are kept: %v", n, err)
	}
}
