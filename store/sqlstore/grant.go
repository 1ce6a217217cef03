package sqlstore

import (
	"context"
	"fmt"

	"idp/store"
)

// unredeemed guards against parallel redemptions. $5 is this attempt.
const unredeemed = `(consumed_at IS NULL OR consumed_by = $5` + racyAlso + `)`

// RedeemCode turns an authorization code into a grant (RFC 6749 section 4.1.3).
// Client (which must still exist), redirect URI, PKCE challenge, expiry, session and account are all in
// one WHERE: a thief who lacks one of them does not even burn the code, and of
// parallel redemptions one gets the row. A session that a second tab has replaced
// meanwhile does no harm to the first tab's code; the grant hangs on the new one then,
// if it is the same person's. Errors: [store.NotFound] for any
// mismatch; [store.Used] for a replay by the same client, which revokes the grant
// the code gave (RFC 6749 section 4.1.2).
func (db *DB) RedeemCode(ctx context.Context, r store.Redemption) (store.Grant, error) {
	const op = "redeem code"
	now := db.now()
	g := store.Grant{ID: r.Grant, Client: r.Client}
	s := Script{Idempotent: true}
	taken := s.Do(`
		UPDATE auth_code SET consumed_at = COALESCE(consumed_at, $6), consumed_by = $5, grant_id = $7
		WHERE hash = $1 AND client_id = $2 AND redirect_uri = $3 AND code_challenge = $4 AND expires_at > $6
		  AND `+unredeemed+`
		  AND EXISTS (SELECT 1 FROM session WHERE session.hash = auth_code.session AND (ended_at IS NULL OR replaced_by IS NOT NULL))
		  AND EXISTS (SELECT 1 FROM users WHERE users.id = auth_code.user_id AND suspended_at IS NULL)
		  AND EXISTS (SELECT 1 FROM client WHERE client.id = auth_code.client_id)
		RETURNING nonce, scopes`,
		r.Code[:], r.Client, r.RedirectURI, r.Challenge, r.Attempt[:], now, r.Grant[:]).
		Into(&g.Nonce, jsonInto(&g.Scopes))
	s.Do(`
		INSERT INTO oidc_grant (id, client_id, user_id, session, scopes, resources, created_at, access_hash, access_until, offline, auth_time, amr,
		  refresh_hash, refresh_made, refresh_until, ends_at)
		SELECT $1, c.client_id, c.user_id, CASE WHEN n.user_id = c.user_id THEN n.hash ELSE c.session END, c.scopes, c.resources, $2, $3, $4, COALESCE(c.offline, 0), s.auth_time, s.amr,
		  $7, $2, CASE WHEN c.offline = 1 OR CAST($8 AS SMALLINT) = 1 THEN CAST($9 AS BIGINT) ELSE NULL END, $10
		FROM auth_code c JOIN session s ON s.hash = c.session LEFT JOIN session n ON n.hash = s.replaced_by
		WHERE c.hash = $5 AND c.consumed_by = $6
		ON CONFLICT (id) DO NOTHING`,
		r.Grant[:], now, r.Access[:], now+micro(r.AccessTTL), r.Code[:], r.Attempt[:],
		r.Refresh.Hash[:], flag(r.Refresh.Always), now+min(micro(r.Refresh.Idle), micro(r.Refresh.Absolute)), now+micro(r.Refresh.Absolute))
	s.Do(`
		SELECT g.session, g.auth_time, g.amr, `+roleNames+`, `+personColumns+`
		FROM oidc_grant g JOIN users u ON u.id = g.user_id WHERE g.id = $1`, r.Grant[:]).
		Into(append([]any{hashInto(&g.Session), into(&g.AuthTime), jsonInto(&g.AMR), linesInto(&g.Roles)}, personInto(&g.User)...)...)
	allow(&s, r.Grant, r.Resource, &g.Allowed)
	if err := db.engine.Run(ctx, &s); err != nil {
		return store.Grant{}, fmt.Errorf("%s: %w", op, err)
	}
	if taken.Rows == 1 {
		return g, nil
	}
	return store.Grant{}, db.replayed(ctx, op, now, r)
}

// replayed revokes what a code gave when the client it was made for presents it
// again. The verifier is not asked for: whoever holds the code a second time
// shows that it leaked.
func (db *DB) replayed(ctx context.Context, op string, now int64, r store.Redemption) error {
	s := Script{Idempotent: true}
	var grant store.ID
	seen := s.Do(`SELECT grant_id FROM auth_code WHERE hash = $1 AND client_id = $2 AND consumed_at IS NOT NULL AND consumed_by <> $3`,
		r.Code[:], r.Client, r.Attempt[:]).Into(idInto(&grant))
	s.Do(`
		UPDATE oidc_grant SET revoked_at = $4
		WHERE id = (SELECT grant_id FROM auth_code WHERE hash = $1 AND client_id = $2 AND consumed_at IS NOT NULL AND consumed_by <> $3)
		  AND revoked_at IS NULL`, r.Code[:], r.Client, r.Attempt[:], now)
	// Once for a grant: whoever has the code can present it again and again.
	t := db.anew(ctx, now, "")
	s.Do(`
		INSERT INTO event (id, at, kind, user_id, client_id, request, personal)
		SELECT $3, $4, 'grant.code_replayed', user_id, client_id, $5, $6 FROM oidc_grant
		WHERE id = (SELECT grant_id FROM auth_code WHERE hash = $1 AND client_id = $2) AND revoked_at = $4
		ON CONFLICT (id) DO NOTHING`, r.Code[:], r.Client, t.id[:], now, t.request, t.personal)
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("%s: revoke what a replayed code gave: %w", op, err)
	}
	if seen.Rows > 0 {
		return &store.Error{Code: store.Used, Op: op}
	}
	return &store.Error{Code: store.NotFound, Op: op}
}
