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
// right no more, also on challenges that live. Errors:
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
	return db.administer(ctx, op, &s, told...)
}

// RemoveTestAddress ends one: its code is right no more, also on challenges that live. The error is
// [store.NotFound].
func (db *DB) RemoveTestAddress(ctx context.Context, email store.Email, told ...store.Event) error {
	const op = "remove test address"
	var s Script
	endTest(&s, email).Need(op, store.NotFound)
	return db.administer(ctx, op, &s, told...)
}

// endTest appends that an address is none for tests any more, if it was one.
func endTest(s *Script, email store.Email) *Step {
	return s.Do(`DELETE FROM test_address WHERE email = $1`, string(email))
}
