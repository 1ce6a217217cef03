package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"idp/store"
)

// keepToken is how long a one-time token is told of after it could be used.
const keepToken = 30 * 24 * time.Hour

const (
	tokenColumns = `id, email, hash, context, created_at, expires_at, consumed_at, revoked_at`

	// tokenStatus is [store.OneTimeToken.Status] for $1, now.
	tokenStatus = `CASE WHEN consumed_at IS NOT NULL THEN 'consumed' WHEN revoked_at IS NOT NULL THEN 'revoked'
		WHEN expires_at <= CAST($1 AS BIGINT) THEN 'expired' ELSE 'active' END`

	tokenChosen = `(CAST($2 AS TEXT) = '' OR email = $2) AND (CAST($3 AS TEXT) = '' OR $3 = ` + tokenStatus + `)`
)

func tokenInto(t *store.OneTimeToken, context *string) []any {
	return []any{&t.ID, &t.Email, hashInto(&t.Hash), context, into(&t.CreatedAt), into(&t.ExpiresAt), into(&t.ConsumedAt), into(&t.RevokedAt)}
}

// CreateOneTimeToken keeps a new token, from now until t.ExpiresAt.
func (db *DB) CreateOneTimeToken(ctx context.Context, t store.OneTimeToken, told ...store.Event) (store.OneTimeToken, error) {
	const op = "create one-time token"
	now := db.now()
	var s Script
	s.Do(`INSERT INTO one_time_token (id, email, hash, context, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		t.ID, string(t.Email), t.Hash[:], string(t.Context), now, t.ExpiresAt.UnixMicro())
	t.CreatedAt = clock(now)
	return t, db.change(ctx, op, &s, now, told)
}

// change runs a script that leaves every cache as it is, and writes what is told with it.
func (db *DB) change(ctx context.Context, op string, s *Script, now int64, told []store.Event) error {
	for _, e := range told {
		tell(s, now, e)
	}
	if err := db.engine.Run(ctx, s); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

// OneTimeToken reads a token by its id. The error is [store.NotFound].
func (db *DB) OneTimeToken(ctx context.Context, id string) (store.OneTimeToken, error) {
	return db.oneTimeToken(ctx, `id = $1`, id)
}

// OneTimeTokenByHash reads a token by what it is. The error is [store.NotFound].
func (db *DB) OneTimeTokenByHash(ctx context.Context, hash store.Hash) (store.OneTimeToken, error) {
	return db.oneTimeToken(ctx, `hash = $1`, hash[:])
}

func (db *DB) oneTimeToken(ctx context.Context, where string, arg any) (t store.OneTimeToken, err error) {
	var text string
	err = db.one(ctx, "read one-time token", `SELECT `+tokenColumns+` FROM one_time_token WHERE `+where, []any{arg}, tokenInto(&t, &text)...)
	t.Context = json.RawMessage(text)
	return t, err
}

// OneTimeTokens gives the tokens that a query chooses, newest first, and how many there
// are, counted up to q.Count.
func (db *DB) OneTimeTokens(ctx context.Context, q store.TokenQuery) (tokens []store.OneTimeToken, total int, err error) {
	const op = "list one-time tokens"
	args := []any{db.now(), string(q.Email), string(q.Status)}
	err = db.one(ctx, op, `SELECT COUNT(*) FROM (SELECT 1 FROM one_time_token WHERE `+tokenChosen+` LIMIT $4) AS counted`,
		append(args[:3:3], q.Count), &total)
	if err != nil {
		return nil, 0, err
	}
	err = db.engine.Read(ctx, `SELECT `+tokenColumns+` FROM one_time_token WHERE `+tokenChosen+` ORDER BY created_at DESC, id DESC LIMIT $4 OFFSET $5`,
		append(args[:3:3], q.Limit, q.Offset), func(scan func(...any) error) error {
			var t store.OneTimeToken
			var text string
			if err := scan(tokenInto(&t, &text)...); err != nil {
				return err
			}
			t.Context = json.RawMessage(text)
			tokens = append(tokens, t)
			return nil
		})
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", op, err)
	}
	return tokens, total, nil
}

// usable is whether a token can be used at $1, now.
const usable = `consumed_at IS NULL AND revoked_at IS NULL AND expires_at > CAST($1 AS BIGINT)`

// ConsumeOneTimeToken uses a token up. The error is [store.NotFound] if there is none, or
// [store.Used] if it cannot be used.
func (db *DB) ConsumeOneTimeToken(ctx context.Context, id string, told ...store.Event) error {
	return db.endOneTimeToken(ctx, "use one-time token", id, `consumed_at`, told)
}

// RevokeOneTimeToken takes a token back. Errors as of [DB.ConsumeOneTimeToken].
func (db *DB) RevokeOneTimeToken(ctx context.Context, id string, told ...store.Event) error {
	return db.endOneTimeToken(ctx, "revoke one-time token", id, `revoked_at`, told)
}

func (db *DB) endOneTimeToken(ctx context.Context, op, id, column string, told []store.Event) error {
	now := db.now()
	var s Script
	s.Do(`UPDATE one_time_token SET `+column+` = $1 WHERE id = $2 AND `+usable, now, id).Need(op, store.Used)
	err := db.change(ctx, op, &s, now, told)
	if store.CodeOf(err) == store.Used {
		if _, gone := db.OneTimeToken(ctx, id); store.CodeOf(gone) == store.NotFound {
			return gone
		}
	}
	return err
}

// DeleteOneTimeToken forgets a token. The error is [store.NotFound].
func (db *DB) DeleteOneTimeToken(ctx context.Context, id string, told ...store.Event) error {
	const op = "delete one-time token"
	var s Script
	s.Do(`DELETE FROM one_time_token WHERE id = $1`, id).Need(op, store.NotFound)
	return db.change(ctx, op, &s, db.now(), told)
}

// proveByToken appends what makes the challenge of a guess out of a one-time token: it is
// used up for the session that is to be, and a challenge whose code nobody knows appears,
// for the rest of the script to judge. The token goes only together with what follows from
// it, so one that recovers an account ($6) needs one; and a second run within the grace finds
// the same challenge.
func proveByToken(s *Script, now int64, g store.Guess, session store.Hash) {
	args := []any{now, g.Token.Hash[:], string(g.Email), session[:], now - micro(grace)}
	s.Do(`
		UPDATE one_time_token SET consumed_at = COALESCE(consumed_at, $1), consumed_by = $4
		WHERE hash = $2 AND email = $3 AND revoked_at IS NULL AND expires_at > $1
		  AND (consumed_at IS NULL OR consumed_at > $5 AND consumed_by = $4)
		  AND (CAST($6 AS SMALLINT) <> 3 OR EXISTS (SELECT 1 FROM users WHERE users.email = $3))`, append(args[:5:5], int16(g.Purpose))...)
	s.Do(`
		INSERT INTO challenge (id, purpose, browser, request, address, mac1, until1, tries, max_tries, sends, max_sends,
		  sent_at, next_send, created_at, expires_at, sender, mail)
		SELECT $6, $7, $8, $9, $10, $11, $12, 0, 1, 1, 1, $1, $12, $1, $12, $13, $6
		FROM one_time_token WHERE hash = $2 AND email = $3 AND consumed_by = $4 AND consumed_at > $5 AND revoked_at IS NULL
		ON CONFLICT (id) DO NOTHING`,
		append(args[:5:5], g.Challenge[:], int16(g.Purpose), g.Browser[:], g.Request[:], g.Address[:], g.MACs[0][:], now+micro(g.Token.TTL), g.Attempt[:])...)
}
