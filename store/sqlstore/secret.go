package sqlstore

import (
	"context"

	"idp/store"
)

// AddNamedSecret adds a secret to a client. Errors: [store.NotFound]; [store.Conflict] if it
// has one of that name; [store.Invalid] if it has most of them already.
func (db *DB) AddNamedSecret(ctx context.Context, client string, secret store.ClientSecret, most int, told ...store.Event) error {
	const op = "add client secret"
	var s Script
	now := db.now()
	s.Do(`UPDATE client SET updated_at = `+later("$2")+` WHERE id = $1`, client, now).Need(op, store.NotFound)
	s.Do(`SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM client_secret WHERE client_id = $1 AND name = $2)`, client, secret.Name).Into(new(int)).Need(op, store.Conflict)
	s.Do(`SELECT 1 WHERE (SELECT COUNT(*) FROM client_secret WHERE client_id = $1) < $2`, client, most).Into(new(int)).Need(op, store.Invalid)
	addSecret(&s, now, client, secret)
	return db.administer(ctx, op, &s, told...)
}

// RenameSecret gives a secret of a client another name. Errors: [store.NotFound],
// [store.Conflict] if the client has another one of that name.
func (db *DB) RenameSecret(ctx context.Context, client string, secret store.ID, name string, told ...store.Event) error {
	const op = "rename client secret"
	var s Script
	s.Do(`SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM client_secret WHERE client_id = $1 AND name = $2 AND id <> $3)`, client, name, secret[:]).
		Into(new(int)).Need(op, store.Conflict)
	s.Do(`UPDATE client_secret SET name = $3 WHERE client_id = $1 AND id = $2`, client, secret[:], name).Need(op, store.NotFound)
	s.Do(`UPDATE client SET updated_at = `+later("$2")+` WHERE id = $1`, client, db.now())
	return db.administer(ctx, op, &s, told...)
}

// RemoveSecret takes a secret from a client.
// The error is [store.NotFound].
func (db *DB) RemoveSecret(ctx context.Context, client string, secret store.ID, told ...store.Event) error {
	const op = "remove client secret"
	var s Script
	s.Do(`DELETE FROM client_secret WHERE client_id = $1 AND id = $2`, client, secret[:]).Need(op, store.NotFound)
	s.Do(`UPDATE client SET updated_at = `+later("$2")+` WHERE id = $1`, client, db.now())
	return db.administer(ctx, op, &s, told...)
}
