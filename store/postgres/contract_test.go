package postgres_test

import (
	"testing"

	"idp/store/pgtest"
	"idp/store/postgres"
	"idp/store/sqlstore"
	"idp/store/storetest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Open {
		url := pgtest.URL(t) + "&pool_max_conns=8"
		open := func() sqlstore.Engine {
			e, err := postgres.Open(t.Context(), url, postgres.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		e := open().(*postgres.Engine)
		if err := e.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		return open
	})
}
