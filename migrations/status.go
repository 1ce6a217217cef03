package migrations

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/pressly/goose/v3"
)

// Status is one migration and whether the database has it.
type Status struct {
	Version   int64     `json:"version"`
	Name      string    `json:"name"` // of the file; "" if only a newer idp knows it
	Applied   bool      `json:"applied"`
	AppliedAt time.Time `json:"appliedAt,omitzero"` // UTC
}

// List tells which migrations the database has: those in this binary, and those
// that a newer one has applied. It changes nothing, also in an empty database.
func List(ctx context.Context, db *sql.DB, d Dialect) ([]Status, error) {
	p, err := provider(db, d)
	if err != nil {
		return nil, err
	}
	applied, err := applied(ctx, db, d)
	if err != nil {
		return nil, err
	}
	var out []Status
	for _, s := range p.ListSources() {
		at, ok := applied[s.Version]
		out = append(out, Status{s.Version, path.Base(s.Path), ok, at})
		delete(applied, s.Version)
	}
	for v, at := range applied {
		out = append(out, Status{Version: v, Applied: true, AppliedAt: at})
	}
	slices.SortFunc(out, func(a, b Status) int { return cmp.Compare(a.Version, b.Version) })
	return out, nil
}

// version is the highest applied version; 0 for an empty database.
func version(ctx context.Context, db *sql.DB, d Dialect) (int64, error) {
	applied, err := applied(ctx, db, d)
	var top int64
	for v := range applied {
		top = max(top, v)
	}
	return top, err
}

// applied reads goose's records. goose itself would make its table first.
func applied(ctx context.Context, db *sql.DB, d Dialect) (map[int64]time.Time, error) {
	const table = goose.DefaultTablename
	find := `SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1`
	if d == Postgres {
		find = `SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1`
	}
	out := map[int64]time.Time{}
	var tables int
	if err := db.QueryRowContext(ctx, find, table).Scan(&tables); err != nil {
		return nil, fmt.Errorf("look for the schema version: %w", err)
	}
	if tables == 0 {
		return out, nil
	}
	rows, err := db.QueryContext(ctx, `SELECT version_id, tstamp FROM `+table+` WHERE version_id > 0`)
	if err != nil {
		return nil, fmt.Errorf("read the schema version: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var v int64
		var at time.Time
		if err := rows.Scan(&v, &at); err != nil {
			return nil, fmt.Errorf("read the schema version: %w", err)
		}
		out[v] = at.UTC()
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the schema version: %w", err)
	}
	return out, nil
}
