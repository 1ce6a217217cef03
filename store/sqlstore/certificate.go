package sqlstore

import (
	"context"
	"fmt"
	"time"

	"idp/store"
)

// keepAnswer is how long an answer to a challenge of an ACME authority is of use: an order
// takes minutes. They are deleted when it is done, unless the process ended before.
const keepAnswer = 24 * time.Hour

// KeepCertificate keeps a sealed value of the ACME client by its name, in the place of one
// that is there. It removes answers to challenges that nobody asked for any more.
func (db *DB) KeepCertificate(ctx context.Context, name string, sealed []byte) error {
	s := Script{Idempotent: true}
	s.Do(`
		INSERT INTO certificate (name, sealed, kept_at) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, kept_at = excluded.kept_at`, name, sealed, db.now())
	s.Do(`DELETE FROM certificate WHERE (name LIKE '%+token' OR name LIKE '%+http-01') AND kept_at < $1`, db.now()-micro(keepAnswer))
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("keep certificate: %w", err)
	}
	return nil
}

// Certificate reads what [DB.KeepCertificate] kept. The error is [store.NotFound].
func (db *DB) Certificate(ctx context.Context, name string) (sealed []byte, err error) {
	const op = "read certificate"
	err = db.engine.Read(ctx, `SELECT sealed FROM certificate WHERE name = $1`, []any{name}, func(scan func(...any) error) error { return scan(&sealed) })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if sealed == nil {
		return nil, &store.Error{Code: store.NotFound, Op: op}
	}
	return sealed, nil
}

// DeleteCertificate removes it. One that is not there is no error.
func (db *DB) DeleteCertificate(ctx context.Context, name string) error {
	s := Script{Idempotent: true}
	s.Do(`DELETE FROM certificate WHERE name = $1`, name)
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("delete certificate: %w", err)
	}
	return nil
}
