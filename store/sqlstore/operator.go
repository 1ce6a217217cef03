package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"idp/store"
)

// theirOwner is the row of an operator by the id of the account, $1.
const theirOwner = `owner.email = (SELECT users.email FROM users WHERE users.id = $1)`

// liveOwner tells of a row of owner that the account, if there is one, is not suspended.
const liveOwner = `NOT EXISTS (SELECT 1 FROM users WHERE users.email = owner.email AND users.suspended_at IS NOT NULL)`

// someOwner tells whether anybody can do everything.
const someOwner = `EXISTS (SELECT 1 FROM owner WHERE role = 'owner' AND ` + liveOwner + `)`

// Operators lists who may enter the console, by address.
func (db *DB) Operators(ctx context.Context) ([]store.Operator, error) {
	var out []store.Operator
	err := db.engine.Read(ctx, `
		SELECT owner.email, owner.role, owner.created_at, COALESCE(users.id, ''), users.suspended_at
		FROM owner LEFT JOIN users ON users.email = owner.email ORDER BY owner.email`, nil,
		func(scan func(...any) error) error {
			var o store.Operator
			err := scan((*string)(&o.Email), (*string)(&o.Role), into(&o.CreatedAt), &o.User, into(&o.SuspendedAt))
			out = append(out, o)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list operators: %w", err)
	}
	return out, nil
}

// AddOperator lets somebody into the console. Their address is none for tests from
// then on. The error is [store.Conflict] if they are in.
func (db *DB) AddOperator(ctx context.Context, email store.Email, role store.OperatorRole, told ...store.Event) error {
	const op = "add operator"
	var s Script
	takeTurn(&s)
	s.Do(`INSERT INTO owner (email, created_at, role) VALUES ($1, $2, $3) ON CONFLICT (email) DO NOTHING`, string(email), db.now(), string(role)).Need(op, store.Conflict)
	endTest(&s, email)
	return db.administer(ctx, op, &s, told...)
}

// SetOperatorRole gives an operator another role. Errors: [store.NotFound]; [store.InUse] if
// nobody would be left who can do everything.
func (db *DB) SetOperatorRole(ctx context.Context, email store.Email, role store.OperatorRole, told ...store.Event) error {
	const op = "set role of operator"
	var s Script
	takeTurn(&s)
	s.Do(`UPDATE owner SET role = $2 WHERE email = $1`, string(email), string(role)).Need(op, store.NotFound)
	s.Do(`SELECT 1 FROM owner_guard WHERE ` + someOwner).Into(new(int)).Must = lastOwner(op)
	return db.administer(ctx, op, &s, told...)
}

// RemoveOperator lets somebody into the console no more. Errors: [store.NotFound];
// [store.InUse] if nobody would be left who can do everything.
func (db *DB) RemoveOperator(ctx context.Context, email store.Email, told ...store.Event) error {
	const op = "remove operator"
	var s Script
	takeTurn(&s)
	s.Do(`DELETE FROM owner WHERE email = $1`, string(email)).Need(op, store.NotFound)
	s.Do(`SELECT 1 FROM owner_guard WHERE ` + someOwner).Into(new(int)).Must = lastOwner(op)
	// Else who is let in again within hours would be in where they were before.
	endConsole(&s, `user_id = (SELECT id FROM users WHERE email = $2)`, db.now(), string(email))
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
		SELECT 1 FROM owner_guard WHERE NOT EXISTS (SELECT 1 FROM owner WHERE role = 'owner' AND `+theirOwner+`)
		  OR EXISTS (SELECT 1 FROM owner WHERE role = 'owner' AND NOT `+theirOwner+` AND `+liveOwner+`)`, user).
		Into(new(int)).Must = lastOwner(op)
}

// keepAddresses ends a script with [store.Invalid] that gives another address to an operator's
// account, or an operator's address to another account: who may change people could become one
// that way, or put somebody else in an operator's place.
func keepAddresses(s *Script, op, user string, email store.Email) {
	const changes = `NOT EXISTS (SELECT 1 FROM users WHERE id = $1 AND email = $2)`
	s.Do(`UPDATE owner_guard SET turns = turns + 1 WHERE id = 1 AND `+changes, user, string(email)) // a turn, where it is needed
	s.Do(`SELECT 1 FROM owner_guard WHERE NOT (`+changes+` AND EXISTS (SELECT 1 FROM owner WHERE email = $2 OR `+theirOwner+`))`, user, string(email)).
		Into(new(int)).Must = store.InvalidField(op, string(store.UserEmail), "is an operator's: it does not change while they may enter the console (idp admin remove)")
}

func lastOwner(op string) error {
	return &store.Error{Code: store.InUse, Op: op, Err: errors.New("this is the last owner who can sign in: make somebody else one before (idp admin add)")}
}
