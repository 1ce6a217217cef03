package postgres_test

import (
	"testing"
	"time"

	"idp/store"
	"idp/store/pgtest"
	"idp/store/postgres"
	"idp/store/sqlstore"
	"idp/store/storetest"
)

func open(t *testing.T, url string) *postgres.Engine {
	t.Helper()
	e, err := postgres.Open(t.Context(), url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func TestEngine(t *testing.T) {
	t.Parallel()
	storetest.RunEngine(t, func(t *testing.T) func() storetest.Migrator {
		url := pgtest.URL(t) + "&pool_max_conns=4"
		return func() storetest.Migrator { return open(t, url) }
	})
}

// The database ends our connections: scripts that may be sent again are, and
// nothing has to be restarted.
func TestConnectionsCut(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t) + "&pool_max_conns=4&application_name=cut"
	e, killer := open(t, url), open(t, pgtest.URL(t))
	run := func(e *postgres.Engine, sql string) error {
		s := sqlstore.Script{Idempotent: true}
		s.Do(sql)
		return e.Run(t.Context(), &s)
	}
	if err := run(e, `CREATE TABLE t (n BIGINT)`); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := run(killer, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cut'`); err != nil {
			t.Fatal(err)
		}
		if err := run(e, `INSERT INTO t VALUES (1)`); err != nil && store.CodeOf(err) != store.Unavailable {
			t.Errorf("got %v", err)
		}
	}
	if err := run(e, `SELECT 1`); err != nil {
		t.Errorf("no recovery: %v", err)
	}
}

// A database that is not there is "unavailable", soon.
func TestAway(t *testing.T) {
	t.Parallel()
	e := open(t, "postgres://nobody@127.0.0.1:1/none?connect_timeout=1")
	start := time.Now()
	var s sqlstore.Script
	s.Do(`SELECT 1`)
	if err := e.Run(t.Context(), &s); store.CodeOf(err) != store.Unavailable {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %s to say so", took)
	}
	if _, err := postgres.Open(t.Context(), "postgres://u:hunter2@host:port/", postgres.Options{}); err == nil || store.CodeOf(err) != store.Invalid {
		t.Errorf("got %v", err)
	}
}

// Behind a pooler no statement is kept prepared.
func TestNoStatementCache(t *testing.T) {
	t.Parallel()
	e, err := postgres.Open(t.Context(), pgtest.URL(t), postgres.Options{NoStatementCache: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	var s sqlstore.Script
	var n int64
	s.Do(`SELECT CAST($1 AS BIGINT) + 1`, 41).Into(&n)
	s.Do(`SELECT 1`)
	if err := e.Run(t.Context(), &s); err != nil || n != 42 {
		t.Errorf("%d %v", n, err)
	}
}
