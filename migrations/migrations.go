// Package migrations holds the schema: numbered SQL per engine, embedded, and
// its application by goose. Migrations are append-only and run while the
// previous release's code is still up.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
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

// Status is one migration and whether the database has it.
type Status struct {
	Version   int64     `json:"version"`
	Name      string    `json:"name"`
	Applied   bool      `json:"applied"`
	AppliedAt time.Time `json:"appliedAt,omitzero"`
}

// Up applies what the database lacks. Several processes may do so at once; on
// Postgres a lock row lets one through at a time, on SQLite the caller holds a
// file lock. A database that is newer than this binary is left alone: the error
// is [store.Conflict].
func Up(ctx context.Context, db *sql.DB, d Dialect) error {
	p, err := provider(db, d, true)
	if err != nil {
		return err
	}
	if err := checkNotNewer(ctx, p); err != nil {
		return err
	}
	if pending, err := p.HasPending(ctx); err == nil && !pending {
		return nil // the usual start: no lock is taken
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("apply migrations: %w", err)
	}
	return checkNotNewer(ctx, p)
}

// List tells which migrations the database has.
func List(ctx context.Context, db *sql.DB, d Dialect) ([]Status, error) {
	p, err := provider(db, d, false)
	if err != nil {
		return nil, err
	}
	all, err := p.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	var out []Status
	for _, s := range all {
		out = append(out, Status{s.Source.Version, path.Base(s.Source.Path), s.State == goose.StateApplied, s.AppliedAt})
	}
	return out, nil
}

func checkNotNewer(ctx context.Context, p *goose.Provider) error {
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema version: %w", err)
	}
	if current > target {
		return &store.Error{Code: store.Conflict, Op: "migrate", Err: fmt.Errorf(
			"the database is at schema version %d and this idp knows up to %d: run the newer idp", current, target)}
	}
	return nil
}

func provider(db *sql.DB, d Dialect, locked bool) (*goose.Provider, error) {
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
		if locked {
			// A lease in a table, no advisory lock: those are lost behind poolers and
			// missing in some Postgres-compatible databases.
			locker, err := lock.NewPostgresTableLocker(
				lock.WithTableLockTimeout(200*time.Millisecond, 600),
				lock.WithTableUnlockTimeout(200*time.Millisecond, 50),
				lock.WithTableLogger(slog.New(slog.DiscardHandler)))
			if err != nil {
				return nil, fmt.Errorf("make the migration lock: %w", err)
			}
			options = append(options, goose.WithLocker(locker))
		}
	}
	p, err := goose.NewProvider(dialect, db, sub, options...)
	if err != nil {
		return nil, fmt.Errorf("load migrations: %w", err)
	}
	return p, nil
}
