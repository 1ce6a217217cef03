package sqlstore

import (
	"context"
	"fmt"
	"time"

	"idp/store"
)

// patience is how long a page waits for an experience that is newer than the last one that
// was read.
const patience = time.Second

// Experience reads the sign-in experience, the default one if none was set. It may be as
// old as the cache; while the database does not answer, it is the last one that was read:
// every page needs it, also the one that says that something is wrong. Its lists are
// shared: [store.Experience.Clone] it before a change.
func (db *DB) Experience(ctx context.Context) (store.Experience, error) {
	last := db.experience.Load()
	e, err := cached(&db.cache, "experience", func() (store.Experience, error) {
		if last == nil {
			return db.readExperience(ctx)
		}
		if db.cache.isSilent() {
			return *last, &store.Error{Code: store.Unavailable, Op: "read experience"}
		}
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return db.readExperience(ctx)
	})
	if err != nil && last != nil {
		return *last, nil //nolint:nilerr // what follows needs the database, and says what is wrong with it
	}
	return e, err
}

func (db *DB) readExperience(ctx context.Context) (store.Experience, error) {
	e, err := db.FreshExperience(ctx)
	if err == nil {
		db.experience.Store(&e)
	}
	return e, err
}

// FreshExperience is [DB.Experience] past the cache: what is about to be changed.
func (db *DB) FreshExperience(ctx context.Context) (store.Experience, error) {
	e := store.DefaultExperience()
	err := db.engine.Read(ctx, `SELECT settings, updated_at FROM experience WHERE id = 1`, nil,
		func(scan func(...any) error) error { return scan(jsonInto(&e), into(&e.UpdatedAt)) })
	if err != nil {
		return e, fmt.Errorf("read experience: %w", err)
	}
	return e, nil
}

// SetExperience replaces the sign-in experience, if it is still the one that was read:
// seen is its UpdatedAt then. It answers the new UpdatedAt. The error is [store.Changed].
func (db *DB) SetExperience(ctx context.Context, e store.Experience, seen time.Time, told ...store.Event) (time.Time, error) {
	const op = "set experience"
	var s Script
	var updated time.Time
	s.Do(`
		INSERT INTO experience (id, settings, updated_at)
		SELECT 1, $1, $2 WHERE CAST($3 AS BIGINT) = 0 OR EXISTS (SELECT 1 FROM experience WHERE id = 1)
		ON CONFLICT (id) DO UPDATE SET settings = excluded.settings,
		  updated_at = CASE WHEN experience.updated_at < excluded.updated_at THEN excluded.updated_at ELSE experience.updated_at + 1 END
		WHERE experience.updated_at = $3
		RETURNING updated_at`,
		jsonOf(e), db.now(), seen.UnixMicro()).Into(into(&updated)).Need(op, store.Changed)
	return updated, db.administer(ctx, op, &s, told...)
}
