package sqlstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"idp/store"
)

// Connectors reads the mail connectors in the order they are tried. It may be as
// old as the cache.
func (db *DB) Connectors(ctx context.Context) ([]store.Connector, error) {
	return cached(&db.cache, "connectors", func() ([]store.Connector, error) { return db.FreshConnectors(ctx) })
}

// FreshConnectors is [DB.Connectors] past the cache: what is about to be changed.
func (db *DB) FreshConnectors(ctx context.Context) ([]store.Connector, error) {
	var out []store.Connector
	err := db.engine.Read(ctx, `SELECT id, position, sealed, updated_at FROM connector ORDER BY position, id`, nil,
		func(scan func(...any) error) error {
			var c store.Connector
			if err := scan(&c.ID, &c.Position, &c.Sealed, into(&c.UpdatedAt)); err != nil {
				return err
			}
			out = append(out, c)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read connectors: %w", err)
	}
	return out, nil
}

// SetConnector adds or replaces a connector and puts it first: the one that was
// set last is the one to use.
func (db *DB) SetConnector(ctx context.Context, c store.Connector, told ...store.Event) error {
	var s Script
	s.Do(`UPDATE connector SET position = position + 1 WHERE id <> $1`, c.ID)
	s.Do(`
		INSERT INTO connector (id, position, sealed, updated_at) VALUES ($1, 0, $2, $3)
		ON CONFLICT (id) DO UPDATE SET position = 0, sealed = excluded.sealed,
		  updated_at = CASE WHEN connector.updated_at < excluded.updated_at THEN excluded.updated_at ELSE connector.updated_at + 1 END`,
		c.ID, c.Sealed, db.now())
	return db.administer(ctx, "set connector", &s, told...)
}

// UpdateConnector replaces a connector's configuration, in its place, if it is still the
// one that was read: seen is its UpdatedAt then. It answers the new UpdatedAt. Errors:
// [store.NotFound], [store.Changed].
func (db *DB) UpdateConnector(ctx context.Context, c store.Connector, seen time.Time, told ...store.Event) (time.Time, error) {
	const op = "update connector"
	var s Script
	var updated time.Time
	s.Do(`UPDATE connector SET sealed = $3, updated_at = `+later("$4")+` WHERE id = $1 AND updated_at = $2 RETURNING updated_at`,
		c.ID, seen.UnixMicro(), c.Sealed, db.now()).Into(into(&updated)).Need(op, store.Changed)
	err := db.administer(ctx, op, &s, told...)
	return updated, db.changedOrGone(ctx, err, `SELECT 1 FROM connector WHERE id = $1`, c.ID)
}

// DeleteConnector removes a connector; the ones after it move up. seen is its UpdatedAt;
// zero: whatever it is. Errors: [store.NotFound], [store.Changed].
func (db *DB) DeleteConnector(ctx context.Context, id string, seen time.Time, told ...store.Event) error {
	const op = "delete connector"
	var s Script
	s.Do(`DELETE FROM connector WHERE id = $1 AND CAST($2 AS BIGINT) IN (0, updated_at)`, id, stamp(seen)).Need(op, store.Changed)
	err := db.administer(ctx, op, &s, told...)
	return db.changedOrGone(ctx, err, `SELECT 1 FROM connector WHERE id = $1`, id)
}

// OrderConnectors puts the connectors named first, in that order; the others follow as
// they were. The error is [store.NotFound], with nothing changed, if one of those named is
// not set, or is named twice.
func (db *DB) OrderConnectors(ctx context.Context, ids []string, told ...store.Event) error {
	const op = "order connectors"
	args := []any{len(ids)}
	var places strings.Builder
	for i, id := range ids {
		args = append(args, id)
		fmt.Fprintf(&places, "WHEN id = $%d THEN CAST(%d AS BIGINT) ", i+2, i)
	}
	if len(ids) == 0 {
		return &store.Error{Code: store.NotFound, Op: op}
	}
	// One statement, so that two orders at once are one after the other. A name that is
	// there twice makes its count differ, too.
	var s Script
	s.Do(`
		UPDATE connector SET position = CASE `+places.String()+`ELSE position + CAST($1 AS BIGINT) END
		WHERE CAST($1 AS BIGINT) = (SELECT COUNT(*) FROM connector AS named WHERE named.id IN (`+placeholders(2, len(ids))+`))`, args...).Need(op, store.NotFound)
	return db.administer(ctx, op, &s, told...)
}

// placeholders are n of them from $first on.
func placeholders(first, n int) string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("$%d", first+i)
	}
	return strings.Join(out, ", ")
}

// SuppressedCount counts the addresses that take no mail.
func (db *DB) SuppressedCount(ctx context.Context) (n int, err error) {
	err = db.one(ctx, "count suppressed addresses", `SELECT COUNT(*) FROM suppression`, nil, &n)
	return n, err
}
