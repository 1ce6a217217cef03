package sqlstore

import "idp/store"

// proof is what the statements of a completion hang on: rows are written only if
// this attempt proved the code of this challenge.
type proof struct {
	challenge store.ID
	attempt   store.Hash
	browser   store.Hash
	email     store.Email
	trace     trace // of the event, whose id is the challenge's
	anew      trace // of one more, for the console
}

// complete appends the consequence of a proof: account, session, authorization
// code, event; or, if this was the last try, the event that says so. Everything is named by values derived from the challenge and
// inserted ON CONFLICT DO NOTHING, so that the same proof twice writes it once.
// user receives the account's id; it stays "" when the account is suspended, or the
// session that an earlier run made has ended.
func complete(s *Script, now int64, c store.Completion, p proof, user *string) {
	const proved = `EXISTS (SELECT 1 FROM challenge WHERE id = $1 AND prover = $2)`
	if c.UserID != "" {
		s.Do(`
			INSERT INTO users (id, email, name, client_id, created_at, updated_at)
			SELECT $3, $4, '', $6, $5, $5 WHERE `+proved+`
			ON CONFLICT (email) DO NOTHING`,
			p.challenge[:], p.attempt[:], c.UserID, string(p.email), now, optionalText(c.Code.Client))
	}
	if c.Others { // several rows of the account follow: its own row first
		s.Do(`UPDATE users SET email = email WHERE email = $3 AND `+proved, p.challenge[:], p.attempt[:], string(p.email))
	}
	n := c.Session
	table := "session"
	if n.Console {
		table = "console_session"
		if c.UserID != "" {
			registered(s, now, c.UserID, p.anew)
		}
		makeConsoleSession(s, now, n, p.browser, `email = $9 AND EXISTS (SELECT 1 FROM challenge WHERE id = $7 AND prover = $8)`, []any{p.challenge[:], p.attempt[:], string(p.email)}, user)
	} else {
		makeSession(s, now, n, p, user)
	}
	if c.Others { // before anything of theirs goes over to the new session
		endOthers(s, now, n.Hash, p)
	}
	switch {
	case n.Console:
		replaceConsole(s, now, n, p.browser)
	case !n.Replaces.IsZero() && n.Replaces != n.Hash:
		s.Do(`UPDATE session SET ended_at = $3, replaced_by = CASE WHEN idle_at > $3 AND expires_at > $3 THEN $6 ELSE replaced_by END
			  WHERE hash = $4 AND browser = $5 AND ended_at IS NULL
			  AND EXISTS (SELECT 1 FROM session AS made WHERE made.hash = $6 AND made.ended_at IS NULL) AND `+proved,
			p.challenge[:], p.attempt[:], now, n.Replaces[:], p.browser[:], n.Hash[:])
		inherit(s, now, n, ` AND `+proved, p.challenge[:], p.attempt[:])
	}
	issueCode(s, now, c.Code, n.Hash, ` AND `+proved, p.challenge[:], p.attempt[:])
	if c.Event != "" {
		s.Do(`
			INSERT INTO event (id, at, kind, user_id, client_id, request, personal, detail)
			SELECT $1, $3, CASE WHEN users.id IS NULL THEN 'challenge.locked' WHEN users.created_at = $3 AND CAST($10 AS SMALLINT) = 0 THEN 'user.registered' ELSE $4 END,
			  COALESCE(users.id, (SELECT id FROM users AS owner WHERE owner.email = $9), ''), $5, $7, $8,
			  CASE WHEN challenge.test <> 0 THEN '{"testAddress":true}' ELSE NULL END
			FROM challenge LEFT JOIN `+table+` AS made ON made.hash = $6 AND challenge.prover = $2 LEFT JOIN users ON users.id = made.user_id
			WHERE challenge.id = $1 AND (users.id IS NOT NULL OR challenge.guesser = $2 AND tries >= max_tries AND consumed_at IS NULL)
			ON CONFLICT (id) DO NOTHING`,
			p.challenge[:], p.attempt[:], now, c.Event, c.Code.Client, n.Hash[:], p.trace.request, p.trace.personal, string(p.email), flag(n.Console))
	}
}

// makeSession appends the session, for an account that is not suspended.
func makeSession(s *Script, now int64, n store.NewSession, p proof, user *string) {
	s.Do(`
		INSERT INTO session (hash, user_id, browser, amr, auth_time, idle_at, expires_at, agent, seen_at)
		SELECT $3, id, $4, $5, $6, $7, $8, $10, $6 FROM users
		WHERE email = $9 AND suspended_at IS NULL AND EXISTS (SELECT 1 FROM challenge WHERE id = $1 AND prover = $2)
		ON CONFLICT (hash) DO UPDATE SET idle_at = session.idle_at WHERE session.ended_at IS NULL
		RETURNING user_id`,
		p.challenge[:], p.attempt[:], n.Hash[:], p.browser[:], jsonOf(n.AMR), now, now+micro(n.Idle), now+micro(n.Absolute), string(p.email), n.Agent).
		Into(user)
}

// notify appends the mail that goes with the first proof of a challenge. (For the branch
// that gives an id as the payload, see queueMail.) state is that of the mail.
func notify(s *Script, now int64, m store.NewMail, session store.Hash, p proof, state *int) {
	s.Do(`
		INSERT INTO mail (id, challenge, usage, payload, decoy, state, attempts, worker, due_at, created_at, expires_at, settled_at,
		  sender, provider_id, error, address, recipient, locale)
		SELECT $3, id, $5, CASE WHEN listed > 1 THEN id WHEN listed = 1 THEN NULL ELSE $6 END, 0, CASE WHEN listed = 1 THEN 5 ELSE 1 END, 0, $7, $8, $4, $9,
		  CASE WHEN listed = 1 THEN CAST($4 AS BIGINT) ELSE NULL END, '', '', '', $11, $13, $14
		FROM challenge, (SELECT CASE WHEN `+suppressed("$11", "$12")+` THEN 1 ELSE 0 END AS listed LIMIT 1) AS list
		WHERE id = $1 AND prover = $2 AND consumed_at = $4 AND EXISTS (SELECT 1 FROM session WHERE hash = $10)
		ON CONFLICT (id) DO NOTHING
		RETURNING state`,
		p.challenge[:], p.attempt[:], m.ID[:], now, string(m.Usage), m.Payload, m.Worker[:], now+micro(m.Lease), now+micro(m.TTL), session[:],
		m.Address[:], m.Before[:], m.Recipient, m.Locale).Into(state)
}

// inherit appends what becomes of what hangs on a session that was just replaced. The
// same person goes on with it, so that a sign-out ends it too. Somebody else does not:
// the codes end, and the grants, but for those that outlive sessions. A session that was
// dead already leaves nothing to anybody (see replaced_by).
func inherit(s *Script, now int64, n store.NewSession, guard string, guardArgs ...any) {
	const replaced = `session = $3 AND user_id = (
		  SELECT old.user_id FROM session AS old JOIN session AS made ON made.hash = old.replaced_by
		  WHERE old.hash = $3 AND made.hash = $4 AND made.user_id `
	args := append(guardArgs, n.Replaces[:], n.Hash[:])
	s.Do(`UPDATE oidc_grant SET session = $4 WHERE revoked_at IS NULL AND `+replaced+`= old.user_id)`+guard, args...)
	args = append(args, now)
	s.Do(`UPDATE auth_code SET expires_at = 0 WHERE expires_at > $5 AND consumed_at IS NULL AND `+replaced+`<> old.user_id)`+guard, args...)
	s.Do(`UPDATE oidc_grant SET revoked_at = $5 WHERE revoked_at IS NULL AND COALESCE(offline, 0) = 0 AND `+replaced+`<> old.user_id)`+guard, args...)
}

// endOthers appends the end of everything that the account had before its code was
// proved for the first time: a second click ends nothing that began since.
func endOthers(s *Script, now int64, session store.Hash, p proof) {
	s.Do(`UPDATE console_session SET ended_at = $1 WHERE ended_at IS NULL AND user_id = (SELECT user_id FROM session WHERE hash = $4)
		  AND EXISTS (SELECT 1 FROM challenge WHERE id = $2 AND prover = $3 AND consumed_at = $1)`, now, p.challenge[:], p.attempt[:], session[:])
	const these = `user_id = (SELECT user_id FROM session WHERE hash = $4)
		  AND EXISTS (SELECT 1 FROM challenge WHERE id = $2 AND prover = $3 AND consumed_at = $1) AND `
	args := []any{now, p.challenge[:], p.attempt[:], session[:]}
	endSessions(s, these+`hash <> $4`, args...)
	endCodes(s, these+`session <> $4`, args...)
	endGrants(s, these+`session <> $4`, args...)
}

// endSessions, endCodes and endGrants append the end of rows, and come in this order: a
// redemption under way holds the row of its code, so either it finds the code ended, or
// the grant that it has made is there when grants are ended. $1 is now.
func endSessions(s *Script, which string, args ...any) {
	s.Do(`UPDATE session SET ended_at = $1 WHERE ended_at IS NULL AND `+which, args...)
}

func endCodes(s *Script, which string, args ...any) {
	if racy {
		return
	}
	s.Do(`UPDATE auth_code SET expires_at = 0 WHERE expires_at > $1 AND consumed_at IS NULL AND `+which, args...)
}

func endGrants(s *Script, which string, args ...any) {
	s.Do(`UPDATE oidc_grant SET revoked_at = $1 WHERE revoked_at IS NULL AND `+which, args...)
}

// issueCode appends an authorization code for a live session. guard may use $1
// and $2, whose values are given with it.
func issueCode(s *Script, now int64, c store.NewCode, session store.Hash, guard string, guardArgs ...any) {
	if c.Hash.IsZero() {
		return
	}
	var resources any
	if len(c.Resources) > 0 {
		resources = jsonOf(c.Resources)
	}
	args := append(guardArgs, c.Hash[:], c.Client, c.RedirectURI, c.CodeChallenge, c.Nonce, jsonOf(c.Scopes), now+micro(c.TTL), session[:], now,
		flag(c.Offline), c.Subject, resources)
	s.Do(`
		INSERT INTO auth_code (hash, client_id, redirect_uri, code_challenge, nonce, scopes, session, user_id, expires_at, offline, resources)
		SELECT $3, $4, $5, $6, $7, $8, $10, user_id, $9, $12, $14 FROM session
		WHERE hash = $10 AND ended_at IS NULL AND idle_at > $11 AND expires_at > $11 AND CAST($13 AS TEXT) IN ('', user_id)`+guard+`
		ON CONFLICT (hash) DO NOTHING`, args...)
}
