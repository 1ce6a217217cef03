// Package migrations holds the schema: numbered SQL per engine, embedded, and
// its application by goose. Migrations are append-only and run while the
// previous release's code is still up.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"idp/store"
)

//go:embed postgres/*.sql sqlite/*.sql
var files embed.FS

// Dialect names an engine's folder of migrations.
type Dialect string

// The dialects.
const (
	Postgres Dialect = "postgres"
	SQLite   Dialect = "sqlite"
)

// Up applies what the database lacks. Several processes may do so at once; on
// Postgres a lock row lets one through at a time, on SQLite the caller holds a
// file lock. A database that is newer than this binary is left as it is, and if its
// schema is one that this binary cannot work on, the error is [store.Conflict].
func Up(ctx context.Context, db *sql.DB, d Dialect) error {
	p, err := provider(db, d)
	if err != nil {
		return err
	}
	newest := p.ListSources()[len(p.ListSources())-1].Version
	// The usual start finds nothing to do: that takes two reads and no lock.
	have, err := version(ctx, db, d)
	if err != nil {
		return err
	}
	if have >= newest {
		return checkKnown(ctx, db, have, newest)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("apply migrations: %w", err)
	}
	if have, err = version(ctx, db, d); err != nil {
		return err
	}
	return checkKnown(ctx, db, have, newest) // a newer replica may have been faster
}

// checkKnown refuses a database that a later release has changed so that this one cannot
// work on it: it could lose what that release writes. Where it only added, this one works,
// beside the later one or in its place again.
func checkKnown(ctx context.Context, db *sql.DB, have, newest int64) error {
	if have <= newest {
		return nil
	}
	var floor int64
	if err := db.QueryRowContext(ctx, `SELECT schema_floor FROM instance WHERE id = 1`).Scan(&floor); err != nil {
		return fmt.Errorf("read what the schema asks for: %w", err)
	}
	if floor <= newest {
		return nil
	}
	return &store.Error{Code: store.Conflict, Op: "migrate", Err: fmt.Errorf(
		"the database is at schema version %d, this idp knows up to %d: run a newer idp", have, newest)}
}

func provider(db *sql.DB, d Dialect) (*goose.Provider, error) {
	sub, err := fs.Sub(files, string(d))
	if err != nil {
		return nil, fmt.Errorf("open migrations: %w", err)
	}
	options := []goose.ProviderOption{
		goose.WithDisableGlobalRegistry(true),
		goose.WithSlog(slog.New(slog.DiscardHandler)),
	}
	dialect := goose.DialectSQLite3
	if d == Postgres {
		dialect = goose.DialectPostgres
		// A lease in a table, no advisory lock: those are lost behind poolers and
		// missing in some Postgres-compatible databases. A replica that dies while it
		// migrates frees the others when its lease of 30 s ends.
		locker, err := lock.NewPostgresTableLocker(
			lock.WithTableLockTimeout(200*time.Millisecond, 600),
			lock.WithTableUnlockTimeout(200*time.Millisecond, 50),
			lock.WithTableRetryPolicy(worthWaiting),
			lock.WithTableLogger(slog.New(slog.DiscardHandler)))
		if err != nil {
			return nil, fmt.Errorf("make the migration lock: %w", err)
		}
		options = append(options, goose.WithLocker(locker))
	}
	p, err := goose.NewProvider(dialect, db, sub, options...)
	if err != nil {
		return nil, fmt.Errorf("load migrations: %w", err)
	}
	return p, nil
}

// worthWaiting tells "another replica holds the lock", which goose reports as a
// plain error, from a database that is away or refuses.
func worthWaiting(err error) bool {
	var state interface{ SQLState() string }
	var network net.Error
	switch {
	case errors.As(err, &state):
		return state.SQLState() == "40001" || state.SQLState() == "40P01" || state.SQLState() == "55P03"
	case errors.As(err, &network), errors.Is(err, net.ErrClosed), errors.Is(err, sql.ErrConnDone):
		return false
	}
	return true
}
