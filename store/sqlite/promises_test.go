package sqlite_test

import (
	"path/filepath"
	"testing"

	"idp/store/enginetest"
	"idp/store/sqlite"
	"idp/store/sqlstore"
)

func reopen(t testing.TB, path string) *sqlite.Engine {
	t.Helper()
	e, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestPromises(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, "BLOB", func(t *testing.T) func() sqlstore.Engine {
		path := filepath.Join(t.TempDir(), "idp.db")
		return func() sqlstore.Engine { return reopen(t, path) }
	})
}
