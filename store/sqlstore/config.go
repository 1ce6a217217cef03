package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"idp/store"
)

// SigningKeys reads all signing keys, newest first. It may be as old as the cache.
func (db *DB) SigningKeys(ctx context.Context) ([]store.SigningKey, error) {
	return cached(&db.cache, "keys", func() ([]store.SigningKey, error) { return db.FreshSigningKeys(ctx) })
}

// FreshSigningKeys is [DB.SigningKeys] past the cache.
func (db *DB) FreshSigningKeys(ctx context.Context) ([]store.SigningKey, error) {
	var out []store.SigningKey
	err := db.engine.Read(ctx, `SELECT id, alg, sealed, public, created_at, retired_at FROM signing_key ORDER BY created_at DESC, id`, nil,
		func(scan func(...any) error) error {
			var k store.SigningKey
			if err := scan(&k.ID, &k.Alg, &k.Sealed, &k.Public, into(&k.CreatedAt), into(&k.RetiredAt)); err != nil {
				return err
			}
			out = append(out, k)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	return out, nil
}

// AddSigningKey adds a key, unless its algorithm has a live one already: another
// replica was first.
func (db *DB) AddSigningKey(ctx context.Context, k store.SigningKey) error {
	var s Script
	s.Do(`
		INSERT INTO signing_key (id, alg, sealed, public, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT DO NOTHING`, k.ID, k.Alg, k.Sealed, k.Public, db.now())
	return db.administer(ctx, "add signing key", &s)
}

// RotateSigningKeys retires the live keys of the new ones' algorithms. A retired key has the
// time at which the one in its place was made.
func (db *DB) RotateSigningKeys(ctx context.Context, keys []store.SigningKey, told ...store.Event) error {
	now := db.now()
	var s Script
	for _, k := range keys {
		s.Do(`UPDATE signing_key SET retired_at = $2 WHERE alg = $1 AND retired_at IS NULL`, k.Alg, now)
		s.Do(`INSERT INTO signing_key (id, alg, sealed, public, created_at) VALUES ($1, $2, $3, $4, $5)`, k.ID, k.Alg, k.Sealed, k.Public, now)
	}
	return db.administer(ctx, "rotate signing keys", &s, told...)
}

// DeleteSigningKey removes a retired key: what it has signed is not accepted any more.
// Errors: [store.NotFound]; [store.InUse] if it signs.
func (db *DB) DeleteSigningKey(ctx context.Context, id string, told ...store.Event) error {
	const op = "delete signing key"
	var s Script
	s.Do(`DELETE FROM signing_key WHERE id = $1 AND retired_at IS NOT NULL`, id).Need(op, store.Changed)
	err := db.changedOrGone(ctx, db.administer(ctx, op, &s, told...), `SELECT 1 FROM signing_key WHERE id = $1`, id)
	if store.CodeOf(err) == store.Changed {
		return &store.Error{Code: store.InUse, Op: op, Err: errors.New("this key signs: rotate it first")}
	}
	return err
}
