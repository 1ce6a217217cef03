package sqlstore

import (
	"context"
	"errors"
	"strings"
	"time"

	"idp/store"
)

const (
	userColumns = personColumns + `, u.custom_data, COALESCE(u.client_id, ''), u.suspended_at`
	// A registration is a sign-in, too.
	signedIn = `(SELECT e.at FROM event AS e WHERE e.user_id = u.id AND e.kind IN ('user.signed_in', 'user.registered', 'user.recovered')
		ORDER BY e.at DESC, e.id DESC LIMIT 1)`
)

func userInto(u *store.User) []any {
	return append(personInto(u), jsonInto(&u.CustomData), &u.Client, into(&u.SuspendedAt))
}

// User reads an account, suspended or not. The error is [store.NotFound].
func (db *DB) User(ctx context.Context, id string) (store.User, error) {
	return db.oneUser(ctx, `u.id = $1`, id)
}

// UserByEmail is [DB.User] by address.
func (db *DB) UserByEmail(ctx context.Context, email store.Email) (store.User, error) {
	return db.oneUser(ctx, `u.email = $1`, string(email))
}

func (db *DB) oneUser(ctx context.Context, which string, arg any) (u store.User, err error) {
	err = db.one(ctx, "read user", `SELECT `+userColumns+`, `+signedIn+` FROM users AS u WHERE `+which, []any{arg}, append(userInto(&u), into(&u.SignedIn))...)
	return u, err
}

// CreateUser adds an account with its default roles. The error is [store.Conflict] if the
// id, the address or the username is another account's.
func (db *DB) CreateUser(ctx context.Context, u store.User, told ...store.Event) error {
	const op = "create user"
	now := db.now()
	var s Script
	s.Do(`
		INSERT INTO users (id, email, name, name_key, username, avatar, profile, custom_data, client_id, created_at, updated_at, suspended_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11)`,
		u.ID, string(u.Email), u.Name, nameKey(u.Name), optionalText(u.Username), optionalText(u.Avatar), profile(u.Profile), raw(u.CustomData),
		optionalText(u.Client), now, optionalTime(u.SuspendedAt))
	giveDefaultRoles(&s, u.ID)
	return db.whose(ctx, u, db.tellOnly(ctx, op, &s, told...))
}

// UpdateUser replaces what is known of a person, the address included, if it is still what
// was read: seen is the UpdatedAt then. It answers the new one. Id, suspension and times
// stay. Errors: [store.NotFound], [store.Changed], [store.Conflict] as in CreateUser, and
// [store.Invalid] for the address if it is an owner's, before or after.
func (db *DB) UpdateUser(ctx context.Context, u store.User, seen time.Time, told ...store.Event) (time.Time, error) {
	const op = "update user"
	now := db.now()
	var s Script
	var updated time.Time
	keepAddresses(&s, op, u.ID, u.Email)
	s.Do(`
		UPDATE users SET email = $3, name = $4, name_key = $5, username = $6, avatar = $7, profile = $8, custom_data = $9, updated_at = `+later("$10")+`
		WHERE id = $1 AND updated_at = $2 RETURNING updated_at`,
		u.ID, seen.UnixMicro(), string(u.Email), u.Name, nameKey(u.Name), optionalText(u.Username), optionalText(u.Avatar), profile(u.Profile), raw(u.CustomData), now).
		Into(into(&updated)).Need(op, store.Changed)
	err := db.whose(ctx, u, db.tellOnly(ctx, op, &s, told...))
	return updated, db.changedOrGone(ctx, err, `SELECT 1 FROM users WHERE id = $1`, u.ID)
}

// SuspendUser keeps a person out, or lets them in again. Either way everything that they
// are signed in to ends in the same transaction: a sign-in that was under way during a
// suspension is worth nothing after it. seen is the UpdatedAt that was read, zero for any;
// it answers the new one. Errors: [store.NotFound], [store.Changed], [store.InUse] if nobody
// would be left who can do everything.
func (db *DB) SuspendUser(ctx context.Context, id string, suspend bool, seen time.Time, told ...store.Event) (time.Time, error) {
	const op = "suspend user"
	now := db.now()
	var s Script
	var updated time.Time
	if suspend {
		keepAnOwner(&s, op, id)
	}
	s.Do(`
		UPDATE users SET suspended_at = CASE WHEN CAST($3 AS SMALLINT) = 1 THEN COALESCE(suspended_at, $4) ELSE NULL END, updated_at = `+later("$4")+`
		WHERE id = $1 AND CAST($2 AS BIGINT) IN (0, updated_at) RETURNING updated_at`, id, stamp(seen), flag(suspend), now).
		Into(into(&updated)).Need(op, store.Changed)
	const person = `user_id = $2`
	endConsole(&s, person, now, id)
	endSessions(&s, person, now, id)
	endCodes(&s, person, now, id)
	endGrants(&s, person, now, id)
	err := db.tellOnly(ctx, op, &s, told...)
	return updated, db.changedOrGone(ctx, err, `SELECT 1 FROM users WHERE id = $1`, id)
}

// DeleteUser removes an account with all that is its own: sessions, codes, grants, roles,
// the key that what is personal in the audit log is under, and, by the traces of its
// address, challenges, known browsers and records of mails. What protects the mailbox
// stays: budgets, mute, suppression. seen is the UpdatedAt that was read, zero for any.
// Errors: [store.NotFound], [store.Changed], [store.InUse] as in SuspendUser.
//
// A redemption under way holds the row of its code and needs the account's: it gets it,
// since that row goes last, and what it makes goes with it.
func (db *DB) DeleteUser(ctx context.Context, id string, seen time.Time, traces store.Traces, told ...store.Event) error {
	const op = "delete user"
	codes, mails := traces.Codes, traces.Mails
	var s Script
	keepAnOwner(&s, op, id)
	s.Do(`DELETE FROM challenge WHERE id IN (SELECT challenge FROM mail WHERE mail.address IN ($1, $2))`, mails[0][:], mails[1][:])
	s.Do(`UPDATE users SET email = email WHERE id = $1 AND CAST($2 AS BIGINT) IN (0, updated_at)`, id, stamp(seen)).Need(op, store.Changed)
	s.Do(`DELETE FROM console_session WHERE user_id = $1`, id)
	s.Do(`DELETE FROM session WHERE user_id = $1`, id)
	s.Do(`DELETE FROM auth_code WHERE user_id = $1`, id)
	s.Do(`DELETE FROM oidc_grant WHERE user_id = $1`, id)
	s.Do(`DELETE FROM console_link WHERE email = (SELECT email FROM users WHERE id = $1)`, id)
	s.Do(`DELETE FROM one_time_token WHERE email = (SELECT email FROM users WHERE id = $1)`, id)
	s.Do(`DELETE FROM mail WHERE address IN ($1, $2)`, mails[0][:], mails[1][:])
	s.Do(`DELETE FROM user_key WHERE user_id = $1`, id)
	s.Do(`DELETE FROM owner WHERE `+theirOwner, id)
	s.Do(`DELETE FROM users WHERE id = $1`, id)
	forget(&s, hashes{codes[0], codes[1]})
	err := db.tellOnly(ctx, op, &s, told...)
	return db.changedOrGone(ctx, err, `SELECT 1 FROM users WHERE id = $1`, id)
}

// whose says of a [store.Conflict] what it is that another account has.
func (db *DB) whose(ctx context.Context, u store.User, err error) error {
	var conflict *store.Error
	if !errors.As(err, &conflict) || conflict.Code != store.Conflict {
		return err
	}
	for _, unique := range []struct {
		field store.UserField
		which string
		value string
	}{
		{store.UserEmail, `u.email = $1`, string(u.Email)},
		{store.UserUsername, `u.username = $1`, u.Username},
		{store.UserID, `u.id = $1`, u.ID},
	} {
		other, gone := db.oneUser(ctx, unique.which, unique.value)
		if gone == nil && (other.ID != u.ID || unique.field == store.UserID) {
			return &store.Error{Code: store.Conflict, Op: conflict.Op, Err: &store.FieldError{Field: string(unique.field), Reason: "is another account's"}}
		}
	}
	return err // it has gone since
}

// nameKey is what a name is found by; NULL for none.
func nameKey(name string) any { return optionalText(strings.ToLower(name)) }

// profile keeps what is known of a person; NULL for nothing.
func profile(p store.Profile) any {
	if p == (store.Profile{}) {
		return nil
	}
	return jsonOf(p)
}
