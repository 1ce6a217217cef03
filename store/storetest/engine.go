package storetest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/migrations"
	"idp/store"
	"idp/store/sqlstore"
)

// Migrator is an engine with its schema.
type Migrator interface {
	sqlstore.Engine
	Migrate(context.Context) error
	MigrationStatus(context.Context) ([]migrations.Status, error)
}

// RunEngine holds several engines on one database against each other, and its
// schema; what one engine promises is in enginetest. fresh gives an opener for one
// empty database without a schema.
func RunEngine(t *testing.T, fresh func(t *testing.T) func() Migrator) {
	for name, test := range map[string]func(*testing.T, func() Migrator){
		"Increments": testIncrements, "Clock": testClock, "MigrateAtOnce": testMigrateAtOnce, "NewerSchema": testNewerSchema,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, fresh(t))
		})
	}
}

func run(t *testing.T, e sqlstore.Engine, statements ...string) error {
	t.Helper()
	var s sqlstore.Script
	for _, sql := range statements {
		s.Do(sql)
	}
	return e.Run(t.Context(), &s)
}

func number(t *testing.T, e sqlstore.Engine, query string) (n int64) {
	t.Helper()
	if err := e.Read(t.Context(), query, nil, func(scan func(...any) error) error { return scan(&n) }); err != nil {
		t.Fatal(err)
	}
	return n
}

func testIncrements(t *testing.T, open func() Migrator) {
	engines := []Migrator{open(), open()}
	for _, sql := range []string{`CREATE TABLE counter (n BIGINT NOT NULL)`, `INSERT INTO counter VALUES (0)`} {
		if err := run(t, engines[0], sql); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if err := run(t, engines[i%2], `UPDATE counter SET n = n + 1`); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := number(t, engines[0], `SELECT n FROM counter`); n != 100 {
		t.Errorf("counted %d, want 100", n)
	}
}

func testClock(t *testing.T, open func() Migrator) {
	e := open()
	seen := map[int64]bool{}
	for range 5 {
		now := number(t, e, `SELECT `+e.Clock())
		if off := time.Since(time.UnixMicro(now)).Abs(); off > time.Minute {
			t.Fatalf("the clock is off by %s", off)
		}
		seen[now%1_000_000] = true
		time.Sleep(3 * time.Millisecond)
	}
	if len(seen) < 3 {
		t.Error("the clock has no fractions of a second")
	}
}

// Eight replicas start at once on an empty database.
func testMigrateAtOnce(t *testing.T, open func() Migrator) {
	var wg sync.WaitGroup
	for range 8 {
		e := open()
		wg.Go(func() {
			if err := e.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	e := open()
	list, err := e.MigrationStatus(t.Context())
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	for _, m := range list {
		if !m.Applied || m.AppliedAt.IsZero() || m.Name == "" {
			t.Errorf("%+v", m)
		}
	}
	if n := number(t, e, `SELECT COUNT(*) FROM instance`); n != 1 {
		t.Errorf("%d instance rows", n)
	}
}

// An older binary that meets a newer schema works on it, unless the schema says that it cannot:
// then it says so and changes nothing.
func testNewerSchema(t *testing.T, open func() Migrator) {
	e := open()
	if err := e.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var s sqlstore.Script
	s.Do(`INSERT INTO goose_db_version (version_id, is_applied) SELECT 9999, is_applied FROM goose_db_version WHERE version_id = 1`)
	if err := e.Run(t.Context(), &s); err != nil {
		t.Fatal(err)
	}
	if err := e.Migrate(t.Context()); err != nil {
		t.Errorf("on a schema that was only added to: %v", err)
	}
	var floor sqlstore.Script
	floor.Do(`UPDATE instance SET schema_floor = 9999 WHERE id = 1`)
	if err := e.Run(t.Context(), &floor); err != nil {
		t.Fatal(err)
	}
	err := e.Migrate(t.Context())
	if store.CodeOf(err) != store.Conflict || !strings.Contains(err.Error(), "9999") || !strings.Contains(err.Error(), "newer idp") {
		t.Errorf("got %v", err)
	}
}
