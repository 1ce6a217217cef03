package sqlstore

import (
	"context"
	"fmt"

	"idp/store"
)

// maxGrants bounds the list of a person's grants; nobody has as many.
const maxGrants = 1000

// Grants lists what apps may do for a person now, the newest first.
func (db *DB) Grants(ctx context.Context, user string) ([]store.GrantSummary, error) {
	var out []store.GrantSummary
	err := db.engine.Read(ctx, `
		SELECT oidc_grant.id, client_id, client.name, oidc_grant.scopes, oidc_grant.created_at, session, COALESCE(offline, 0),
		  CASE WHEN COALESCE(refresh_until, 0) > access_until THEN refresh_until ELSE access_until END
		FROM oidc_grant JOIN client ON client.id = oidc_grant.client_id
		WHERE user_id = $1 AND revoked_at IS NULL AND (access_until > $2 OR refresh_until > $2) AND client.created_at <= oidc_grant.created_at + 5000000
		ORDER BY oidc_grant.id DESC LIMIT $3`, []any{user, db.now(), maxGrants},
		func(scan func(...any) error) error {
			var g store.GrantSummary
			var offline int
			err := scan(idInto(&g.ID), &g.Client, &g.ClientName, jsonInto(&g.Scopes), into(&g.CreatedAt), hashInto(&g.Session), &offline, into(&g.ExpiresAt))
			g.Offline = offline == 1
			out = append(out, g)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list grants: %w", err)
	}
	return out, nil
}

// RevokeGrant ends what an app may do for a person, with its tokens. The error is
// [store.NotFound] if it is not this person's, or has ended.
func (db *DB) RevokeGrant(ctx context.Context, user string, grant store.ID, told ...store.Event) error {
	const op = "revoke grant"
	var s Script
	s.Do(`UPDATE oidc_grant SET revoked_at = $3 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL`, grant[:], user, db.now()).Need(op, store.NotFound)
	return db.tellOnly(ctx, op, &s, told...)
}
