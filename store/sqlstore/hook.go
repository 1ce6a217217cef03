package sqlstore

import (
	"context"
	"fmt"
	"time"

	"idp/store"
)

const hookColumns = `id, name, events, url, sealed, enabled, created_at, updated_at`

func (db *DB) readHooks(ctx context.Context, op, condition string, args ...any) ([]store.Hook, error) {
	var out []store.Hook
	err := db.engine.Read(ctx, `SELECT `+hookColumns+` FROM hook `+condition, args, func(scan func(...any) error) error {
		var h store.Hook
		var enabled int
		err := scan(&h.ID, &h.Name, jsonInto(&h.Events), &h.URL, &h.Sealed, &enabled, into(&h.CreatedAt), into(&h.UpdatedAt))
		h.Enabled = enabled == 1
		out = append(out, h)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return out, nil
}

// Hooks lists the webhooks, the oldest first. It may be as old as the cache (5 s at most).
func (db *DB) Hooks(ctx context.Context) ([]store.Hook, error) {
	return cached(&db.cache, "hooks", func() ([]store.Hook, error) { return db.FreshHooks(ctx) })
}

// FreshHooks is [DB.Hooks] past the cache.
func (db *DB) FreshHooks(ctx context.Context) ([]store.Hook, error) {
	return db.readHooks(ctx, "list hooks", `ORDER BY created_at, id`)
}

// FreshHook reads a webhook past the cache: what is about to be changed. The error is
// [store.NotFound].
func (db *DB) FreshHook(ctx context.Context, id string) (store.Hook, error) {
	const op = "read hook"
	found, err := db.readHooks(ctx, op, `WHERE id = $1`, id)
	switch {
	case err != nil:
		return store.Hook{}, err
	case len(found) == 0:
		return store.Hook{}, &store.Error{Code: store.NotFound, Op: op}
	}
	return found[0], nil
}

// CreateHook adds a webhook and answers when that was. Errors: [store.Conflict] if the id
// exists, [store.Limited] if there are [store.MaxHooks].
func (db *DB) CreateHook(ctx context.Context, h store.Hook, told ...store.Event) (time.Time, error) {
	const op = "create hook"
	now := db.now()
	var s Script
	// One row for all that add a hook at the same time: they are counted one after the other.
	s.Do(`UPDATE instance SET epoch = epoch + 1 WHERE id = 1`)
	s.Do(`
		INSERT INTO hook (id, name, events, url, sealed, enabled, created_at, updated_at)
		SELECT $1, $2, $3, $4, $5, $6, $7, $7 WHERE (SELECT COUNT(*) FROM hook) < CAST($8 AS BIGINT)`,
		h.ID, h.Name, jsonOf(list(h.Events)), h.URL, h.Sealed, flag(h.Enabled), now, store.MaxHooks).Need(op, store.Limited)
	return time.UnixMicro(now).UTC(), db.administer(ctx, op, &s, told...)
}

// UpdateHook replaces all of a webhook but its id and times, if it is still the one that was
// read: seen is its UpdatedAt then. It answers the new UpdatedAt. Errors: [store.NotFound],
// [store.Changed].
func (db *DB) UpdateHook(ctx context.Context, h store.Hook, seen time.Time, told ...store.Event) (time.Time, error) {
	const op = "update hook"
	var s Script
	var updated time.Time
	s.Do(`
		UPDATE hook SET name = $3, events = $4, url = $5, sealed = $6, enabled = $7, updated_at = `+later("$8")+`
		WHERE id = $1 AND updated_at = $2 RETURNING updated_at`,
		h.ID, seen.UnixMicro(), h.Name, jsonOf(list(h.Events)), h.URL, h.Sealed, flag(h.Enabled), db.now()).
		Into(into(&updated)).Need(op, store.Changed)
	err := db.administer(ctx, op, &s, told...)
	return updated, db.changedOrGone(ctx, err, `SELECT 1 FROM hook WHERE id = $1`, h.ID)
}

// DeleteHook removes a webhook with its deliveries. seen is its UpdatedAt; zero: whatever it
// is. Errors: [store.NotFound], [store.Changed].
func (db *DB) DeleteHook(ctx context.Context, id string, seen time.Time, told ...store.Event) error {
	const op = "delete hook"
	var s Script
	s.Do(`DELETE FROM hook WHERE id = $1 AND CAST($2 AS BIGINT) IN (0, updated_at)`, id, stamp(seen)).Need(op, store.Changed)
	s.Do(`DELETE FROM hook_delivery WHERE hook_id = $1 AND state = 1`, id) // the others go with their time
	err := db.administer(ctx, op, &s, told...)
	return db.changedOrGone(ctx, err, `SELECT 1 FROM hook WHERE id = $1`, id)
}
