package sqlstore

import (
	"context"
	"fmt"
	"time"

	"idp/store"
)

// AccessToken reads the grant behind a live access token: the grant's id is part
// of the token, access the hash of its secret. Its scopes are the token's. The error
// is [store.NotFound].
func (db *DB) AccessToken(ctx context.Context, grant store.ID, access store.Hash) (store.Token, error) {
	now := db.now()
	t := store.Token{Grant: store.Grant{ID: grant}}
	u := &t.User
	var second int
	var scopes, scopes2 []string
	var until, until2 time.Time
	err := db.one(ctx, "read access token", `
		SELECT CASE WHEN g.access_hash = $2 THEN 0 ELSE 1 END, g.access_until, g.access_until2, g.access_scopes, g.access_scopes2,
		  g.client_id, g.scopes, g.session, u.custom_data, `+roleNames+`, `+personColumns+`
		FROM oidc_grant g JOIN users u ON u.id = g.user_id JOIN client c ON c.id = g.client_id AND c.created_at <= g.created_at + 5000000
		WHERE g.id = $1 AND (g.access_hash = $2 AND g.access_until > $3 OR g.access_hash2 = $2 AND g.access_until2 > $3)
		  AND g.revoked_at IS NULL AND u.suspended_at IS NULL`,
		[]any{grant[:], access[:], now},
		append([]any{&second, into(&until), into(&until2), jsonInto(&scopes), jsonInto(&scopes2),
			&t.Client, jsonInto(&t.Scopes), hashInto(&t.Session), jsonInto(&u.CustomData), linesInto(&t.Roles)}, personInto(u)...)...)
	if err != nil {
		return store.Token{}, err
	}
	if second == 1 {
		until, scopes = until2, scopes2
	}
	if t.ExpiresAt = until; scopes != nil {
		t.Scopes = scopes
	}
	return t, nil
}

// RefreshToken reads the grant behind a live refresh token. The error is
// [store.NotFound].
func (db *DB) RefreshToken(ctx context.Context, grant store.ID, refresh store.Hash) (store.Token, error) {
	t := store.Token{Grant: store.Grant{ID: grant}, Refresh: true}
	u := &t.User
	err := db.one(ctx, "read refresh token", `
		SELECT oidc_grant.client_id, oidc_grant.scopes, oidc_grant.session, oidc_grant.refresh_until, `+personColumns+`
		FROM oidc_grant JOIN users u ON u.id = oidc_grant.user_id
		WHERE oidc_grant.id = $1 AND refresh_hash = $2 AND refresh_until > $3 AND `+grantStands("$3"),
		[]any{grant[:], refresh[:], db.now()},
		append([]any{&t.Client, jsonInto(&t.Scopes), hashInto(&t.Session), into(&t.ExpiresAt)}, personInto(u)...)...)
	return t, err
}

// RevokeToken ends a token for the client that it was issued to (RFC 7009 section
// 2.1): an access token alone, a refresh token, also one that was replaced, with its
// whole grant. issuedTo is the client of a token that is there, "" without one;
// another client's token stays as it is.
//
// An access token counts as revoked although it has made room for others, since derived
// once more it would be live again (see [DB.RefreshGrant]); but not on the word of
// anybody who knows a grant and a public client: the count would move under refreshes
// that are under way. Its time is 0 and not now,
// because replicas' clocks differ. (A script that runs twice may count one twice: any
// other number than before will do.)
func (db *DB) RevokeToken(ctx context.Context, r store.Revocation) (issuedTo string, err error) {
	s := Script{Idempotent: true}
	args := []any{r.Grant[:], r.Token[:], flag(r.Genuine)}
	if r.Refresh {
		const which = ` FROM oidc_grant WHERE id = $1 AND revoked_at IS NULL AND refresh_until IS NOT NULL
			AND (refresh_hash = $2 OR refresh_prev = $2 OR CAST($3 AS SMALLINT) = 1)`
		s.Do(`SELECT client_id`+which, args...).Into(&issuedTo)
		s.Do(`UPDATE oidc_grant SET revoked_at = $5 WHERE client_id = $4 AND id IN (SELECT id`+which+`)`, append(args, r.Client, db.now())...)
	} else {
		s.Do(`SELECT client_id FROM oidc_grant WHERE id = $1 AND revoked_at IS NULL AND (access_hash = $2 OR access_hash2 = $2)`, args[:2]...).Into(&issuedTo)
		s.Do(`
			UPDATE oidc_grant SET
			  access_until = CASE WHEN access_hash = $2 THEN 0 ELSE access_until END,
			  access_until2 = CASE WHEN access_hash2 = $2 THEN 0 ELSE access_until2 END,
			  access_revoked = COALESCE(access_revoked, 0) + 1
			WHERE id = $1 AND client_id = $3 AND revoked_at IS NULL
			  AND (access_hash = $2 OR access_hash2 = $2 OR CAST($4 AS SMALLINT) = 1)`, r.Grant[:], r.Token[:], r.Client, flag(r.Proved))
	}
	if err := db.engine.Run(ctx, &s); err != nil {
		return "", fmt.Errorf("revoke token: %w", err)
	}
	return issuedTo, nil
}

// justRevoked is how long a revoked grant still counts as held: Logto's SDKs revoke
// their token first and send the browser to sign out then.
const justRevoked = time.Minute

// HoldsGrant tells whether a session of a person, or one before it in the same browser
// (an app's grant may outlive it), holds a grant of a client that is live, or was until
// a minute ago.
func (db *DB) HoldsGrant(ctx context.Context, user string, session store.Hash, client string) (bool, error) {
	held, now := false, db.now()
	err := db.engine.Read(ctx, `
		SELECT 1 FROM oidc_grant
		WHERE user_id = $1 AND client_id = $3
		  AND session IN (SELECT hash FROM session WHERE user_id = $1 AND browser = (SELECT browser FROM session AS one WHERE one.hash = $2))
		  AND (access_until > $4 OR refresh_until > $4) AND (revoked_at IS NULL OR revoked_at > $5)
		LIMIT 1`,
		[]any{user, session[:], client, now, now - micro(justRevoked)}, func(scan func(...any) error) error { held = true; return scan(new(int)) })
	if err != nil {
		return false, fmt.Errorf("look for a grant: %w", err)
	}
	return held, nil
}
