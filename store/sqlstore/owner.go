package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"idp/store"
)

// theirOwner is the row of an owner by the id of the account, $1.
const theirOwner = `owner.email = (SELECT users.email FROM users WHERE users.id = $1)`

// liveOwner tells of a row of owner that the account, if there is one, is not suspended.
const liveOwner = `NOT EXISTS (SELECT 1 FROM users WHERE users.email = owner.email AND users.suspended_at IS NOT NULL)`

// someOwner tells whether anybody can do everything.
const someOwner = `EXISTS (SELECT 1 FROM owner WHERE ` + liveOwner + `)`

// Owners lists the owners by address.
func (db *DB) Owners(ctx context.Context) ([]store.Owner, error) {
	var out []store.Owner
	err := db.engine.Read(ctx, `
		SELECT owner.email, owner.created_at, COALESCE(users.id, ''), users.suspended_at
		FROM owner LEFT JOIN users ON users.email = owner.email ORDER BY owner.email`, nil,
		func(scan func(...any) error) error {
			var o store.Owner
			err := scan((*string)(&o.Email), into(&o.CreatedAt), &o.User, into(&o.SuspendedAt))
			out = append(out, o)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list owners: %w", err)
	}
	return out, nil
}

// AddOwner makes somebody an owner. The error is [store.Conflict] if they are one.
func (db *DB) AddOwner(ctx context.Context, email store.Email, told ...store.Event) error {
	const op = "add owner"
	var s Script
	takeTurn(&s)
	s.Do(`INSERT INTO owner (email, created_at) VALUES ($1, $2) ON CONFLICT (email) DO NOTHING`, string(email), db.now()).Need(op, store.Conflict)
	return db.administer(ctx, op, &s, told...)
}

// RemoveOwner makes an owner one no more. Errors: [store.NotFound]; [store.InUse] if nobody
// would be left who can do everything.
func (db *DB) RemoveOwner(ctx context.Context, email store.Email, told ...store.Event) error {
	const op = "remove owner"
	var s Script
	takeTurn(&s)
	s.Do(`DELETE FROM owner WHERE email = $1`, string(email)).Need(op, store.NotFound)
	s.Do(`SELECT 1 FROM owner_guard WHERE ` + someOwner).Into(new(int)).Must = lastOwner(op)
	return db.administer(ctx, op, &s, told...)
}

// takeTurn makes scripts that change who is an owner, or whether their accounts are
// suspended, go one after the other: each sees what the one before did. It comes before the
// row of a user is taken.
func takeTurn(s *Script) { s.Do(`UPDATE owner_guard SET turns = turns + 1 WHERE id = 1`) }

// keepAnOwner ends a script with [store.InUse] that takes the account of the only owner
// away. It comes before anything else of the script that is about the account. The turn is
// taken for everybody: who is no owner may become the only one before the script is through.
func keepAnOwner(s *Script, op, user string) {
	takeTurn(s)
	s.Do(`
		SELECT 1 FROM owner_guard WHERE NOT EXISTS (SELECT 1 FROM owner WHERE `+theirOwner+`)
		  OR EXISTS (SELECT 1 FROM owner WHERE NOT `+theirOwner+` AND `+liveOwner+`)`, user).
		Into(new(int)).Must = lastOwner(op)
}

// keepAddresses ends a script with [store.Invalid] that gives another address to an owner's
// account, or an owner's address to another account: who may change people could become an
// owner that way, or put somebody else in an owner's place.
func keepAddresses(s *Script, op, user string, email store.Email) {
	const changes = `NOT EXISTS (SELECT 1 FROM users WHERE id = $1 AND email = $2)`
	s.Do(`UPDATE owner_guard SET turns = turns + 1 WHERE id = 1 AND `+changes, user, string(email)) // a turn, where it is needed
	s.Do(`SELECT 1 FROM owner_guard WHERE NOT (`+changes+` AND EXISTS (SELECT 1 FROM owner WHERE email = $2 OR `+theirOwner+`))`, user, string(email)).
		Into(new(int)).Must = store.InvalidField(op, string(store.UserEmail), "is an owner's: it does not change until they are one no more (idp admin remove)")
}

func lastOwner(op string) error {
	return &store.Error{Code: store.InUse, Op: op, Err: errors.New("this is the last owner who can sign in: make somebody else one before (idp admin add)")}
}
