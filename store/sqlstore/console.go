package sqlstore

import (
	"context"
	"fmt"
	"time"

	"idp/store"
)

// moveIdle is how old the last use of a console session may be before it is written anew:
// who clicks through the console pays for a write a minute.
const moveIdle = time.Minute

// makeConsoleSession appends the session of who entered the console, once. $1 to $6 are the
// session's; entered is a condition on users by more, from $7.
func makeConsoleSession(s *Script, now int64, n store.NewSession, browser store.Hash, entered string, more []any, user *string) {
	s.Do(`
		INSERT INTO console_session (hash, user_id, browser, auth_time, idle, idle_at, expires_at)
		SELECT $1, id, $2, $3, $4, $5, $6 FROM users
		WHERE suspended_at IS NULL AND EXISTS (SELECT 1 FROM owner WHERE owner.email = users.email) AND `+entered+`
		ON CONFLICT (hash) DO UPDATE SET idle_at = console_session.idle_at WHERE console_session.ended_at IS NULL
		RETURNING user_id`,
		append([]any{n.Hash[:], browser[:], now, micro(n.Idle), now + micro(n.Idle), now + micro(n.Absolute)}, more...)...).Into(user)
}

// ConsoleSession finds who is in the console with a browser, and keeps the session from
// idling out. The error is [store.NotFound] when it is over, another browser's, or not an
// operator's any more.
func (db *DB) ConsoleSession(ctx context.Context, hash, browser store.Hash) (store.ConsoleSession, error) {
	const op = "read console session"
	now := db.now()
	c := store.ConsoleSession{Hash: hash}
	u := &c.User
	var idle, idleAt int64
	err := db.one(ctx, op, `
		SELECT u.id, u.email, u.name, u.created_at, u.updated_at, o.role, s.auth_time, s.expires_at, s.idle, s.idle_at
		FROM console_session s JOIN users u ON u.id = s.user_id JOIN owner o ON o.email = u.email
		WHERE s.hash = $2 AND s.browser = $3 AND s.ended_at IS NULL AND s.idle_at > $1 AND s.expires_at > $1 AND u.suspended_at IS NULL`,
		[]any{now, hash[:], browser[:]},
		&u.ID, (*string)(&u.Email), &u.Name, into(&u.CreatedAt), into(&u.UpdatedAt), (*string)(&c.Role), into(&c.AuthTime), into(&c.ExpiresAt), &idle, &idleAt)
	if err != nil || idleAt > now+idle-micro(moveIdle) {
		return c, err
	}
	s := Script{Idempotent: true}
	s.Do(`UPDATE console_session SET idle_at = $2 WHERE hash = $1 AND ended_at IS NULL AND idle_at < $2`, hash[:], now+idle)
	if err := db.engine.Run(ctx, &s); err != nil {
		return c, fmt.Errorf("%s: %w", op, err)
	}
	return c, nil
}

// EndConsoleSession ends a session of the console. The error is [store.NotFound] if it is over.
func (db *DB) EndConsoleSession(ctx context.Context, hash store.Hash, told ...store.Event) error {
	const op = "end console session"
	now := db.now()
	var s Script
	s.Do(`UPDATE console_session SET ended_at = $2 WHERE hash = $1 AND ended_at IS NULL AND idle_at > $2 AND expires_at > $2`, hash[:], now).Need(op, store.NotFound)
	return db.change(ctx, op, &s, now, told)
}

// EndConsoleSessions signs a person out of the console in all browsers.
func (db *DB) EndConsoleSessions(ctx context.Context, user string, told ...store.Event) error {
	now := db.now()
	var s Script
	endConsole(&s, `user_id = $2`, now, user)
	return db.change(ctx, "end console sessions", &s, now, told)
}

// endConsole appends the end of sessions of the console. $1 is now.
func endConsole(s *Script, which string, args ...any) {
	s.Do(`UPDATE console_session SET ended_at = $1 WHERE ended_at IS NULL AND `+which, args...)
}

// replaceConsole appends that the session that the browser had in the console ends, if the
// new one is there.
func replaceConsole(s *Script, now int64, n store.NewSession, browser store.Hash) {
	if n.Replaces.IsZero() || n.Replaces == n.Hash {
		return
	}
	endConsole(s, `hash = $2 AND browser = $3 AND EXISTS (SELECT 1 FROM console_session AS made WHERE made.hash = $4 AND made.browser = $3 AND made.ended_at IS NULL)`,
		now, n.Replaces[:], browser[:], n.Hash[:])
}

// registered appends the entry that an account was made, if this script made it. The entry of
// its id says how the person got in.
func registered(s *Script, now int64, id string, t trace) {
	s.Do(`
		INSERT INTO event (id, at, kind, user_id, client_id, request, personal)
		SELECT $1, $2, 'user.registered', id, '', $4, $5 FROM users WHERE id = $3 AND created_at = $2
		ON CONFLICT (id) DO NOTHING`, t.id[:], now, id, t.request, t.personal)
}

// CreateConsoleLink keeps a link into the console. The error is [store.NotFound] if the
// address is no operator's, or the account is suspended.
func (db *DB) CreateConsoleLink(ctx context.Context, l store.ConsoleLink, told ...store.Event) error {
	const op = "create console link"
	var s Script
	s.Do(`INSERT INTO console_link (hash, email, expires_at) SELECT $1, owner.email, $3 FROM owner WHERE owner.email = $2 AND `+liveOwner,
		l.Hash[:], string(l.Email), l.ExpiresAt.UnixMicro()).Need(op, store.NotFound)
	return db.change(ctx, op, &s, db.now(), told)
}

// EnterByLink uses a link up: it makes the account, if there is none, and the session. The
// same browser lands on the same session for a minute, as after a right code. Errors:
// [store.NotFound] for a link that is none, or whose address is no operator's any more;
// [store.Expired]; [store.Used]; [store.Forbidden] if the account is suspended.
func (db *DB) EnterByLink(ctx context.Context, e store.ConsoleEntry, told ...store.Event) (user string, err error) {
	const op = "enter console by link"
	var email store.Email // for the audit log
	if err := db.one(ctx, op, `SELECT email FROM console_link WHERE hash = $1`, []any{e.Link[:]}, (*string)(&email)); err != nil {
		return "", err
	}
	hasRoles, err := db.hasDefaultRoles(ctx)
	if err != nil {
		return "", err
	}
	now := db.now()
	const ours = `EXISTS (SELECT 1 FROM console_link WHERE hash = $1 AND consumed_by = $2)`
	var s Script
	taken := s.Do(`
		UPDATE console_link SET consumed_at = COALESCE(consumed_at, $3), consumed_by = $2
		WHERE hash = $1 AND EXISTS (SELECT 1 FROM owner WHERE owner.email = console_link.email)
		  AND NOT EXISTS (SELECT 1 FROM users WHERE users.email = console_link.email AND users.suspended_at IS NOT NULL)
		  AND (consumed_at IS NULL AND expires_at > $3 OR consumed_by = $2 AND consumed_at > $4)`,
		e.Link[:], e.Session.Hash[:], now, now-micro(grace))
	taken.Need(op, store.Used)
	s.Do(`
		INSERT INTO users (id, email, name, created_at, updated_at)
		SELECT $3, email, '', $4, $4 FROM console_link WHERE hash = $1 AND `+ours+`
		ON CONFLICT (email) DO NOTHING`, e.Link[:], e.Session.Hash[:], e.UserID, now)
	registered(&s, now, e.UserID, db.anew(ctx, now, email))
	if hasRoles {
		giveDefaultRoles(&s, e.UserID)
	}
	makeConsoleSession(&s, now, e.Session, e.Browser, `email = (SELECT email FROM console_link WHERE hash = $7 AND consumed_by = $1)`, []any{e.Link[:]}, &user)
	replaceConsole(&s, now, e.Session, e.Browser)
	for _, t := range told {
		if t.ID.IsZero() {
			t.ID = store.NewID(clock(now))
		}
		s.Do(`
			INSERT INTO event (id, at, kind, user_id, client_id, actor, target, request, detail, personal)
			SELECT $1, $2, $3, user_id, '', 'user:' || user_id, $4, $5, $6, $7 FROM console_session WHERE hash = $8 AND auth_time = $2
			ON CONFLICT (id) DO NOTHING`, t.ID[:], now, t.Kind, t.Target, t.Request, raw(t.Detail), t.Personal, e.Session.Hash[:])
	}
	if err := db.engine.Run(ctx, &s); err != nil {
		return "", db.whyNoLink(ctx, op, now, e.Link, err)
	}
	if user == "" { // the session that it made has ended
		return "", &store.Error{Code: store.Used, Op: op}
	}
	return user, nil
}

// whyNoLink finds the reason why a link lets nobody in.
func (db *DB) whyNoLink(ctx context.Context, op string, now int64, link store.Hash, err error) error {
	if store.CodeOf(err) != store.Used {
		return fmt.Errorf("%s: %w", op, err)
	}
	var expires int64
	var consumed time.Time
	var operator, suspended int
	failed := db.one(ctx, op, `
		SELECT expires_at, consumed_at, CASE WHEN EXISTS (SELECT 1 FROM owner WHERE owner.email = console_link.email) THEN 1 ELSE 0 END,
		  CASE WHEN EXISTS (SELECT 1 FROM users WHERE users.email = console_link.email AND users.suspended_at IS NOT NULL) THEN 1 ELSE 0 END
		FROM console_link WHERE hash = $1`, []any{link[:]}, &expires, into(&consumed), &operator, &suspended)
	switch {
	case failed != nil:
		return failed
	case operator == 0:
		return &store.Error{Code: store.NotFound, Op: op}
	case !consumed.IsZero():
		return err
	case expires <= now:
		return &store.Error{Code: store.Expired, Op: op}
	case suspended == 1:
		return &store.Error{Code: store.Forbidden, Op: op}
	}
	return err
}

// forgotten is how long a form that was claimed and came to no end stays claimed: its
// replica was killed.
const forgotten = time.Minute

// ClaimForm notes that a form was sent. The first one to claim a key does what the form is
// for; whoever comes later gets the page that it ended at, or "" while it has not.
func (db *DB) ClaimForm(ctx context.Context, key store.Hash) (to string, first bool, err error) {
	const op = "claim form"
	now := db.now()
	var s Script
	claimed := s.Do(`
		INSERT INTO console_form (key, claimed_at, location) VALUES ($1, $2, '')
		ON CONFLICT (key) DO UPDATE SET claimed_at = excluded.claimed_at WHERE console_form.location = '' AND console_form.claimed_at < $3`,
		key[:], now, now-micro(forgotten))
	if err := db.engine.Run(ctx, &s); err != nil {
		return "", false, fmt.Errorf("%s: %w", op, err)
	}
	if claimed.Rows == 1 {
		return "", true, nil
	}
	err = db.one(ctx, op, `SELECT location FROM console_form WHERE key = $1`, []any{key[:]}, &to)
	if store.CodeOf(err) == store.NotFound { // given free a moment ago
		return "", false, nil
	}
	return to, false, err
}

// FinishForm notes the page that a form ended at.
func (db *DB) FinishForm(ctx context.Context, key store.Hash, to string) error {
	return db.onForm(ctx, "finish form", `UPDATE console_form SET location = $2 WHERE key = $1`, key[:], to)
}

// ReleaseForm gives a form free that came to nothing.
func (db *DB) ReleaseForm(ctx context.Context, key store.Hash) error {
	return db.onForm(ctx, "release form", `DELETE FROM console_form WHERE key = $1 AND location = ''`, key[:])
}

func (db *DB) onForm(ctx context.Context, op, statement string, args ...any) error {
	s := Script{Idempotent: true}
	s.Do(statement, args...)
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}
