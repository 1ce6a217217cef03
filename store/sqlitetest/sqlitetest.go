// Package sqlitetest gives tests real SQLite files that have the schema already: it is
// migrated once for a test binary, and copied. Under the race detector a migration takes a
// second, which would be most of the time of most tests.
package sqlitetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"idp/store/sqlite"
)

// File gives the path of a database with the newest schema and nothing in it, in a folder
// of the test's own.
func File(t testing.TB) string {
	t.Helper()
	content, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "idp.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// migrated is the content of the file that all others are copied from.
var migrated = sync.OnceValues(func() (content []byte, err error) {
	dir, err := os.MkdirTemp("", "idp-sqlite-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "idp.db")
	e, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	// Closing moves what is in the log into the file.
	if err := errors.Join(e.Migrate(context.Background()), e.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})
