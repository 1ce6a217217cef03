package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"idp/store"
)

// testCodeLives is whether the code of a challenge is none of a test address, or the one that the
// address email has now, both placeholders. A mark of 1 is an earlier release's, for any.
func testCodeLives(email, now string) string {
	return `(test = 0 OR EXISTS (SELECT 1 FROM test_address WHERE test_address.email = ` + email + ` AND test_address.ends_at > ` + now + `
		    AND test IN (1, test_address.created_at % ` + strconv.Itoa(store.TestMarks) + ` + 2)))`
}

// TestAddresses lists all, those that are over too, by address. It may be as old as the cache.
func (db *DB) TestAddresses(ctx context.Context) ([]store.TestAddress, error) {
	return cached(&db.cache, "test addresses", func() (out []store.TestAddress, err error) {
		err = db.engine.Read(ctx, `SELECT email, code, created_at, ends_at FROM test_address ORDER BY email`, nil, func(scan func(...any) error) error {
			var t store.TestAddress
			err := scan((*string)(&t.Email), &t.Code, into(&t.CreatedAt), into(&t.EndsAt))
			out = append(out, t)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("list test addresses: %w", err)
		}
		return out, nil
	})
}

// SetTestAddress makes an address one for tests, or gives it another code and end: the one that it had is
// right no more, also on challenges that live, and no browser is known for it. Errors:
// [store.Invalid] if it is an operator's; [store.InUse] if there are too many.
func (db *DB) SetTestAddress(ctx context.Context, t store.TestAddress, told ...store.Event) error {
	const op = "set test address"
	var s Script
	// The row of the epoch is taken before this: nobody becomes an operator between.
	s.Do(`SELECT 1 FROM owner_guard WHERE NOT EXISTS (SELECT 1 FROM owner WHERE email = $1)`, string(t.Email)).
		Into(new(int)).Must = store.InvalidField(op, "email", "is an operator's: a code that others know must not be theirs")
	s.Do(`SELECT 1 FROM owner_guard WHERE (SELECT COUNT(*) FROM test_address WHERE email <> $1) < $2`, string(t.Email), store.MaxTestAddresses).
		Into(new(int)).Must = &store.Error{Code: store.InUse, Op: op, Err: errors.New("there are 100 test addresses: remove some first")}
	s.Do(`
		INSERT INTO test_address (email, code, created_at, ends_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (email) DO UPDATE SET code = excluded.code, created_at = excluded.created_at, ends_at = excluded.ends_at`,
		string(t.Email), t.Code, db.now(), t.EndsAt.UnixMicro())
	forgetTested(&s, store.Mailbox{Email: t.Email, Address: t.Address, Former: t.Former})
	return db.administer(ctx, op, &s, told...)
}

// RemoveTestAddress ends one: its code is right no more, also on challenges that live, and who
// proved it is known no more. The error is [store.NotFound].
func (db *DB) RemoveTestAddress(ctx context.Context, of store.Mailbox, told ...store.Event) error {
	const op = "remove test address"
	var s Script
	endTest(&s, of).Need(op, store.NotFound)
	return db.administer(ctx, op, &s, told...)
}

// endTest appends that an address is none for tests any more, if it was one.
func endTest(s *Script, of store.Mailbox) *Step {
	forgetTested(s, of)
	return s.Do(`DELETE FROM test_address WHERE email = $1`, string(of.Email))
}

// forgetTested appends that no browser is known any more for an address that is in the table: those
// that were may know a code, and read no mailbox. The account's row is held, as in all that
// takes several rows of devices.
func forgetTested(s *Script, of store.Mailbox) {
	if of.Address.IsZero() {
		return
	}
	s.Do(`UPDATE users SET email = email WHERE email = $1`, string(of.Email))
	s.Do(`DELETE FROM device WHERE address IN ($1, $2) AND EXISTS (SELECT 1 FROM test_address WHERE email = $3)`,
		of.Address[:], of.Former[:], string(of.Email))
}
