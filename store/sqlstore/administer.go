package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"idp/store"
)

// administer runs a change of configuration and bumps the epoch that empties
// every replica's caches; its own cache is emptied at once. What is told goes into the
// audit log in the same transaction: the steps of s that can fail say so with [Step.Need].
//
// The epoch's row is taken first, so that such changes wait for each other: what a step of
// one has looked at, nobody else changes before it commits ("no role has this scope").
func (db *DB) administer(ctx context.Context, op string, s *Script, told ...store.Event) error {
	now := db.now()
	s.Steps = append([]*Step{{SQL: `UPDATE instance SET epoch = epoch + 1 WHERE id = 1`}}, s.Steps...)
	for _, e := range told {
		tell(s, now, e)
	}
	if err := db.engine.Run(ctx, s); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	db.cache.clear()
	return nil
}

// tell appends an entry of the audit log.
func tell(s *Script, now int64, e store.Event) {
	if e.ID.IsZero() {
		e.ID = store.NewID(clock(now))
	}
	s.Do(`
		INSERT INTO event (id, at, kind, user_id, client_id, actor, target, request, detail, personal)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING`,
		e.ID[:], now, e.Kind, e.User, e.Client, e.Actor, e.Target, e.Request, raw(e.Detail), e.Personal)
}

// later is what becomes of a row's updated_at, which is also its version: now, but never
// what it was. now names a placeholder.
func later(now string) string {
	return `CASE WHEN updated_at < CAST(` + now + ` AS BIGINT) THEN CAST(` + now + ` AS BIGINT) ELSE updated_at + 1 END`
}

// changedOrGone makes a [store.NotFound] of a [store.Changed] if nothing is there at all.
func (db *DB) changedOrGone(ctx context.Context, err error, exists string, args ...any) error {
	if store.CodeOf(err) != store.Changed {
		return err
	}
	if gone := db.one(ctx, "look again", exists, args, new(int)); store.CodeOf(gone) == store.NotFound {
		return gone
	}
	return err
}

// stamp is a version that was seen; 0 stands for any.
func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// optionalTime gives NULL for the zero time.
func optionalTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// raw keeps a JSON text as it is; NULL for none.
func raw(j json.RawMessage) any {
	if len(j) == 0 {
		return nil
	}
	return string(j)
}
