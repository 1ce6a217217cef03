package sqlstore

import (
	"context"
	"fmt"

	"idp/store"
)

// SigningKeys reads all signing keys, newest first. It may be as old as the cache.
func (db *DB) SigningKeys(ctx context.Context) ([]store.SigningKey, error) {
	return cached(&db.cache, "keys", func() ([]store.SigningKey, error) {
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
	})
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
