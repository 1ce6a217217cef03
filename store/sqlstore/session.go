package sqlstore

import (
	"context"
	"fmt"

	"idp/store"
)

// CompleteSession issues an authorization code for a browser that is signed in
// already, and keeps its session from idling out. The error is [store.NotFound]
// when the session is not live, not this browser's, or its account is suspended.
func (db *DB) CompleteSession(ctx context.Context, session, browser store.Hash, c store.Completion) (store.SignedIn, error) {
	const op = "complete session"
	now := db.now()
	in := store.SignedIn{Outcome: store.OutcomeAccepted}
	s := Script{Idempotent: true}
	live := s.Do(`
		UPDATE session SET idle_at = $3, seen_at = $4
		WHERE hash = $1 AND browser = $2 AND ended_at IS NULL AND idle_at > $4 AND expires_at > $4
		  AND EXISTS (SELECT 1 FROM users WHERE users.id = session.user_id AND suspended_at IS NULL)
		RETURNING user_id`, session[:], browser[:], now+micro(c.Session.Idle), now).
		Into(&in.User)
	issueCode(&s, now, c.Code, session, ` AND browser = $2 AND hash = $1
		  AND EXISTS (SELECT 1 FROM users WHERE users.id = session.user_id AND suspended_at IS NULL)`, session[:], browser[:])
	if err := db.engine.Run(ctx, &s); err != nil {
		return store.SignedIn{}, fmt.Errorf("%s: %w", op, err)
	}
	if live.Rows == 0 {
		return store.SignedIn{}, &store.Error{Code: store.NotFound, Op: op}
	}
	return in, nil
}

const (
	sessionColumns = `
		s.hash, s.browser, u.id, u.email, u.name, u.created_at, u.updated_at, s.auth_time, s.amr,
		CASE WHEN s.idle_at < s.expires_at THEN s.idle_at ELSE s.expires_at END, COALESCE(s.seen_at, s.auth_time), COALESCE(s.agent, '')
		FROM session s JOIN users u ON u.id = s.user_id`
	// $1 is now.
	liveSession = `s.ended_at IS NULL AND s.idle_at > $1 AND s.expires_at > $1 AND u.suspended_at IS NULL`
)

func sessionInto(v *store.Session) []any {
	u := &v.User
	return []any{hashInto(&v.Hash), hashInto(&v.Browser), &u.ID, (*string)(&u.Email), &u.Name, into(&u.CreatedAt), into(&u.UpdatedAt),
		into(&v.AuthTime), jsonInto(&v.AMR), into(&v.ExpiresAt), into(&v.SeenAt), &v.Agent}
}

// Session reads a live session of this browser. The error is [store.NotFound].
func (db *DB) Session(ctx context.Context, hash, browser store.Hash) (store.Session, error) {
	var v store.Session
	err := db.one(ctx, "read session", `SELECT `+sessionColumns+` WHERE s.hash = $2 AND s.browser = $3 AND `+liveSession,
		[]any{db.now(), hash[:], browser[:]}, sessionInto(&v)...)
	return v, err
}

// LastSession reads whose session this browser had, live or not, while it is
// remembered: hash and person. The error is [store.NotFound].
func (db *DB) LastSession(ctx context.Context, hash, browser store.Hash) (store.Session, error) {
	v := store.Session{Hash: hash, Browser: browser}
	err := db.one(ctx, "read last session", `SELECT user_id FROM session WHERE hash = $1 AND browser = $2`, []any{hash[:], browser[:]}, &v.User.ID)
	return v, err
}

// maxSessions bounds the list of a person's sessions; nobody has as many.
const maxSessions = 1000

// Sessions lists a person's live sessions, newest first.
func (db *DB) Sessions(ctx context.Context, user string) ([]store.Session, error) {
	var out []store.Session
	err := db.engine.Read(ctx, `SELECT `+sessionColumns+` WHERE s.user_id = $2 AND `+liveSession+` ORDER BY s.auth_time DESC, s.hash LIMIT $3`,
		[]any{db.now(), user, maxSessions}, func(scan func(...any) error) error {
			var v store.Session
			if err := scan(sessionInto(&v)...); err != nil {
				return err
			}
			out = append(out, v)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return out, nil
}

// EndSessions ends one session of a person, or all. With a session end those of
// the same browser that it replaced, their codes, and the grants that hang on them; of
// the grants that outlive sessions only those of the client that asked, unless all are to
// end. Without one, all of the person's grants end, and no browser is known any more. A session that is not there or not this person's ends
// nothing.
//
// The account's row is locked first: of two scripts that end several rows of one
// account, the later one sees what the earlier one did.
func (db *DB) EndSessions(ctx context.Context, e store.Ending) error {
	now := db.now()
	s := Script{Idempotent: true}
	s.Do(`UPDATE users SET email = email WHERE id = $1`, e.User)
	const person = `user_id = $2`
	if e.Session.IsZero() {
		endConsole(&s, person, now, e.User)
		endSessions(&s, person, now, e.User)
		endCodes(&s, person, now, e.User)
		endGrants(&s, person, now, e.User)
		forget(&s, hashes{e.Address, e.Former})
	} else {
		const (
			browser = person + ` AND browser = (SELECT browser FROM session AS one WHERE one.hash = $3 AND one.user_id = $2)`
			hanging = person + ` AND session IN (SELECT hash FROM session WHERE ` + browser + `)`
		)
		endSessions(&s, browser, now, e.User, e.Session[:])
		endCodes(&s, hanging, now, e.User, e.Session[:])
		endGrants(&s, hanging+` AND (COALESCE(offline, 0) = 0 OR client_id = $4 OR CAST($5 AS SMALLINT) = 1)`, now, e.User, e.Session[:], e.Client, flag(e.Offline))
	}
	record(&s, now, e.Event, e.User, e.Client, db.anew(ctx, now, ""))
	for _, told := range e.Told {
		tell(&s, now, told)
	}
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// record appends an audit event.
func record(s *Script, now int64, kind, user, client string, t trace) {
	if kind == "" {
		return
	}
	s.Do(`INSERT INTO event (id, at, kind, user_id, client_id, request, personal) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`,
		t.id[:], now, kind, user, client, t.request, t.personal)
}
