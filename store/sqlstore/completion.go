package sqlstore

import (
	"context"
	"fmt"

	"idp/store"
)

// proof is what the statements of a completion hang on: rows are written only if
// this attempt proved the code of this challenge.
type proof struct {
	challenge store.ID
	attempt   store.Hash
	browser   store.Hash
	email     store.Email
}

// complete appends the consequence of a proof: account, session, authorization
// code, event. Everything is named by values derived from the challenge and
// inserted ON CONFLICT DO NOTHING, so that the same proof twice writes it once.
// user receives the account's id; it stays "" when the account is suspended, or the
// session that an earlier run made has ended.
func complete(s *Script, now int64, c store.Completion, p proof, user *string) {
	const proved = `EXISTS (SELECT 1 FROM challenge WHERE id = $1 AND prover = $2)`
	s.Do(`
		INSERT INTO users (id, email, name, created_at, updated_at)
		SELECT $3, $4, '', $5, $5 WHERE `+proved+`
		ON CONFLICT (email) DO NOTHING`,
		p.challenge[:], p.attempt[:], c.UserID, string(p.email), now)
	n := c.Session
	s.Do(`
		INSERT INTO session (hash, user_id, browser, amr, auth_time, idle_at, expires_at)
		SELECT $3, id, $4, $5, $6, $7, $8 FROM users
		WHERE email = $9 AND suspended_at IS NULL AND `+proved+`
		ON CONFLICT (hash) DO UPDATE SET idle_at = session.idle_at WHERE session.ended_at IS NULL
		RETURNING user_id`,
		p.challenge[:], p.attempt[:], n.Hash[:], p.browser[:], jsonOf(n.AMR), now, now+micro(n.Idle), now+micro(n.Absolute), string(p.email)).
		Into(user)
	if !n.Replaces.IsZero() && n.Replaces != n.Hash {
		s.Do(`UPDATE session SET ended_at = $3, replaced_by = $6 WHERE hash = $4 AND browser = $5 AND ended_at IS NULL
			  AND EXISTS (SELECT 1 FROM session AS made WHERE made.hash = $6 AND made.ended_at IS NULL) AND `+proved,
			p.challenge[:], p.attempt[:], now, n.Replaces[:], p.browser[:], n.Hash[:])
	}
	issueCode(s, now, c.Code, n.Hash, ` AND `+proved, p.challenge[:], p.attempt[:])
	if c.Event != "" {
		s.Do(`
			INSERT INTO event (id, at, kind, user_id, client_id)
			SELECT $1, $3, CASE WHEN users.created_at = $3 THEN 'user.registered' ELSE $4 END, user_id, $5
			FROM session JOIN users ON users.id = session.user_id WHERE session.hash = $6 AND `+proved+`
			ON CONFLICT (id) DO NOTHING`,
			p.challenge[:], p.attempt[:], now, c.Event, c.Code.Client, n.Hash[:])
	}
}

// issueCode appends an authorization code for a live session. guard may use $1
// and $2, whose values are given with it.
func issueCode(s *Script, now int64, c store.NewCode, session store.Hash, guard string, guardArgs ...any) {
	if c.Hash.IsZero() {
		return
	}
	args := append(guardArgs, c.Hash[:], c.Client, c.RedirectURI, c.CodeChallenge, c.Nonce, jsonOf(c.Scopes), now+micro(c.TTL), session[:], now)
	s.Do(`
		INSERT INTO auth_code (hash, client_id, redirect_uri, code_challenge, nonce, scopes, session, user_id, expires_at)
		SELECT $3, $4, $5, $6, $7, $8, $10, user_id, $9 FROM session
		WHERE hash = $10 AND ended_at IS NULL AND idle_at > $11 AND expires_at > $11`+guard+`
		ON CONFLICT (hash) DO NOTHING`, args...)
}

// CompleteSession issues an authorization code for a browser that is signed in
// already, and keeps its session from idling out. The error is [store.NotFound]
// when the session is not live, not this browser's, or its account is suspended.
func (db *DB) CompleteSession(ctx context.Context, session, browser store.Hash, c store.Completion) (store.SignedIn, error) {
	const op = "complete session"
	now := db.now()
	in := store.SignedIn{Outcome: store.OutcomeAccepted}
	s := Script{Idempotent: true}
	live := s.Do(`
		UPDATE session SET idle_at = $3
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

// Session reads a live session of this browser. The error is [store.NotFound].
func (db *DB) Session(ctx context.Context, hash, browser store.Hash) (store.Session, error) {
	now := db.now()
	v := store.Session{Hash: hash}
	u := &v.User
	err := db.one(ctx, "read session", `
		SELECT u.id, u.email, u.name, u.created_at, u.updated_at, s.auth_time, s.amr, CASE WHEN s.idle_at < s.expires_at THEN s.idle_at ELSE s.expires_at END
		FROM session s JOIN users u ON u.id = s.user_id
		WHERE s.hash = $1 AND s.browser = $2 AND s.ended_at IS NULL AND s.idle_at > $3 AND s.expires_at > $3 AND u.suspended_at IS NULL`,
		[]any{hash[:], browser[:], now},
		&u.ID, (*string)(&u.Email), &u.Name, into(&u.CreatedAt), into(&u.UpdatedAt), into(&v.AuthTime), jsonInto(&v.AMR), into(&v.ExpiresAt))
	return v, err
}
