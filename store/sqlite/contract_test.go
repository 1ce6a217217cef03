package sqlite_test

import (
	"testing"

	"idp/store/sqlite"
	"idp/store/sqlitetest"
	"idp/store/sqlstore"
	"idp/store/storetest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Open {
		path := sqlitetest.File(t)
		return func() sqlstore.Engine {
			e, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
	})
}
