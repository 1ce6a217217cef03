package sqlstore

import (
	"context"
	"fmt"

	"idp/store"
)

// KeepPicture keeps a picture, and that it is the one at an address. What names that address
// is set afterwards, and is what the audit log tells of.
func (db *DB) KeepPicture(ctx context.Context, p store.Picture, url string) error {
	s := Script{Idempotent: true}
	s.Do(`INSERT INTO picture (hash, type, data, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (hash) DO NOTHING`, p.Hash, p.Type, p.Data, db.now())
	s.Do(`
		INSERT INTO picture_source (url, hash, fetched_at) VALUES ($1, $2, $3)
		ON CONFLICT (url) DO UPDATE SET hash = excluded.hash, fetched_at = excluded.fetched_at`, url, p.Hash, db.now())
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("keep picture: %w", err)
	}
	return nil
}

// Picture reads a picture by its hash. It never changes, so it may come from the cache. The
// error is [store.NotFound].
func (db *DB) Picture(ctx context.Context, hash string) (store.Picture, error) {
	return cached(&db.cache, "picture:"+hash, func() (store.Picture, error) {
		p, found := store.Picture{Hash: hash}, false
		err := db.engine.Read(ctx, `SELECT type, data FROM picture WHERE hash = $1`, []any{hash}, func(scan func(...any) error) error {
			found = true
			return scan(&p.Type, &p.Data)
		})
		if err != nil {
			return p, fmt.Errorf("read picture: %w", err)
		}
		if !found {
			return p, &store.Error{Code: store.NotFound, Op: "read picture"}
		}
		return p, nil
	})
}

// PictureAt is the hash of the picture that is kept of an address, "" if none is.
func (db *DB) PictureAt(ctx context.Context, url string) (hash string, err error) {
	err = db.engine.Read(ctx, `SELECT hash FROM picture_source WHERE url = $1`, []any{url}, func(scan func(...any) error) error { return scan(&hash) })
	if err != nil {
		return "", fmt.Errorf("read source of picture: %w", err)
	}
	return hash, nil
}
