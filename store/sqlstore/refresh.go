package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"idp/store"
)

// A refresh token is live while it is its grant's refresh_hash, or, for the grace after
// it was replaced, the one before. $3 is the presented token, $5 its successor: of two
// rotations within one grace the second may come before a late twin of the first,
// which is then answered with refresh_prev. $4 is now, $6 now less the grace.
const (
	presentable = `(refresh_hash = $3 AND refresh_until > $4 OR refresh_prev = $3 AND refresh_made > $6
		    OR refresh_prev = $5 AND refresh_prev_made > $6)`

	// $7 is the age of a token in microseconds from which it is replaced; 0 is any, also
	// one from the future: replicas' clocks differ by milliseconds.
	rotates = `refresh_hash = $3 AND (CAST($7 AS BIGINT) = 0 OR refresh_made + CAST($7 AS BIGINT) <= $4)`

	// $9 is the new access token, $10 to when it lives, $11 its scopes if they are not the
	// grant's. The same access token a second time (a script sent twice, a twin within the
	// grace) takes no other's place.
	accessSlots = `
		  access_hash2 = CASE WHEN $9 IN (access_hash, access_hash2) THEN access_hash2 ELSE access_hash END,
		  access_until2 = CASE WHEN $9 = access_hash2 THEN CAST($10 AS BIGINT) WHEN $9 = access_hash THEN access_until2 ELSE access_until END,
		  access_scopes2 = CASE WHEN $9 IN (access_hash, access_hash2) THEN access_scopes2 ELSE access_scopes END,
		  access_until = CASE WHEN $9 = access_hash2 THEN access_until ELSE CAST($10 AS BIGINT) END,
		  access_scopes = CASE WHEN $9 IN (access_hash, access_hash2) THEN access_scopes ELSE CAST($11 AS TEXT) END,
		  access_hash = CASE WHEN $9 IN (access_hash, access_hash2) THEN access_hash ELSE $9 END,`
)

var (
	refreshGrant = refresh(accessSlots, ` AND COALESCE(access_revoked, 0) = $12`)

	// An access token for a resource is not kept, and takes the place of none that is.
	refreshForResource = refresh("", "")
)

// refresh is the statement. $8 is to when the refresh token lives.
func refresh(access, guard string) string {
	return `
		UPDATE oidc_grant SET` + access + `
		  refresh_prev = CASE WHEN ` + rotates + ` THEN refresh_hash ELSE refresh_prev END,
		  refresh_hash = CASE WHEN ` + rotates + ` THEN $5 ELSE refresh_hash END,
		  refresh_prev_made = CASE WHEN ` + rotates + ` THEN refresh_made ELSE refresh_prev_made END,
		  refresh_made = CASE WHEN ` + rotates + ` THEN $4 ELSE refresh_made END,
		  refresh_until = CASE WHEN refresh_hash <> $3 THEN refresh_until WHEN ends_at < $8 THEN ends_at ELSE CAST($8 AS BIGINT) END
		WHERE id = $1 AND client_id = $2 AND ends_at > $4` + guard + ` AND ` + presentable + ` AND ` + grantStands("$4") + `
		RETURNING refresh_hash`
}

// grantStands asks for the parties of a grant anew: the account, the client (a later one
// under the same id is another; the five seconds are for clocks that differ), and the
// session of a grant that does not outlive it. now names a placeholder.
func grantStands(now string) string {
	return strings.ReplaceAll(`revoked_at IS NULL
		  AND EXISTS (SELECT 1 FROM users WHERE users.id = oidc_grant.user_id AND suspended_at IS NULL)
		  AND EXISTS (SELECT 1 FROM client WHERE client.id = oidc_grant.client_id AND client.created_at <= oidc_grant.created_at + 5000000)
		  AND (offline = 1 OR EXISTS (SELECT 1 FROM session WHERE session.hash = oidc_grant.session
		    AND session.ended_at IS NULL AND session.idle_at > $now AND session.expires_at > $now))`, "$now", now)
}

// RefreshGrant answers a refresh token (RFC 6749 section 6): the grant gets a new
// access token and, if it is time, the token's successor takes its place.
//
// Why parallel requests with one token give one family: successor and access token
// are derived from the presented token, and the grant is one row. The first to lock it
// puts the successor in; the others find the token in refresh_prev and are told of the
// same successor. Once the grace is over, the same token shows that two have it, and
// the grant ends for both (RFC 9700 section 4.14.2).
//
// A derived access token that was revoked would live again, so it depends on how many
// were: the count is nearly always 0, and [store.Conflict] says what it is if it is not
// what r says. Other errors: [store.NotFound] if the token is not live, [store.Used] if
// it was replaced before.
func (db *DB) RefreshGrant(ctx context.Context, r store.Refresh) (store.Refreshed, error) {
	const op = "refresh grant"
	now := db.now()
	cutoff := now - micro(r.Grace)
	var scopes any
	if r.Scopes != nil {
		scopes = jsonOf(r.Scopes)
	}
	next := r.Next[0]
	out := store.Refreshed{Grant: store.Grant{ID: r.Grant, Client: r.Client}, Next: -1}
	g, u := &out.Grant, &out.User
	var live, before, current store.Hash
	var made, revoked time.Time
	s := Script{Idempotent: true}
	args := []any{r.Grant[:], r.Client, r.Presented[:], now, next[:], cutoff, micro(r.Rotate), now + micro(r.Idle)}
	var done *Step
	if r.Resource == "" {
		done = s.Do(refreshGrant, append(args, r.Access[:], now+micro(r.AccessTTL), scopes, r.Revoked)...)
	} else {
		done = s.Do(refreshForResource, args...)
	}
	done.Into(hashInto(&live))
	found := s.Do(`
		SELECT g.scopes, g.session, g.auth_time, g.amr, g.refresh_hash, g.refresh_prev, g.refresh_made, g.revoked_at, COALESCE(g.access_revoked, 0),
		  `+roleNames+`, `+personColumns+`
		FROM oidc_grant g JOIN users u ON u.id = g.user_id WHERE g.id = $1 AND g.client_id = $2`, r.Grant[:], r.Client).
		Into(append([]any{jsonInto(&g.Scopes), hashInto(&g.Session), into(&g.AuthTime), jsonInto(&g.AMR), hashInto(&current), hashInto(&before), into(&made), into(&revoked), &out.Revoked, linesInto(&g.Roles)},
			personInto(u)...)...)
	allow(&s, r.Grant, r.Resource, &g.Allowed)
	if err := db.engine.Run(ctx, &s); err != nil {
		return store.Refreshed{}, fmt.Errorf("%s: %w", op, err)
	}
	known := slices.Index(r.Next, live) // the late twin of two rotations is told of refresh_prev
	switch {
	case done.Rows == 1 && live == r.Presented:
		return out, nil
	case done.Rows == 1:
		if known < 0 {
			known = slices.Index(r.Next, before)
		}
		if known < 0 { // its successor was made under a secret that is gone
			return store.Refreshed{}, &store.Error{Code: store.NotFound, Op: op}
		}
		out.Next = known
		return out, nil
	case found.Rows == 0 || !revoked.IsZero():
		return store.Refreshed{}, &store.Error{Code: store.NotFound, Op: op}
	case r.Resource == "" && out.Revoked != r.Revoked && (current == r.Presented || made.UnixMicro() > cutoff):
		return store.Refreshed{Revoked: out.Revoked}, &store.Error{Code: store.Conflict, Op: op}
	case current == r.Presented:
		return store.Refreshed{}, &store.Error{Code: store.NotFound, Op: op}
	case before == r.Presented && made.UnixMicro() <= cutoff, before != r.Presented && r.Genuine:
		return store.Refreshed{}, db.reused(ctx, op, now, cutoff, r)
	}
	return store.Refreshed{}, &store.Error{Code: store.NotFound, Op: op}
}

// reused ends the grant of a refresh token that was replaced before, and says so in
// the audit log.
func (db *DB) reused(ctx context.Context, op string, now, cutoff int64, r store.Refresh) error {
	const stale = `id = $1 AND client_id = $2 AND refresh_hash <> $3 AND NOT (COALESCE(refresh_prev, refresh_hash) = $3 AND refresh_made > $4)`
	s := Script{Idempotent: true}
	s.Do(`UPDATE oidc_grant SET revoked_at = $5 WHERE `+stale+` AND revoked_at IS NULL`, r.Grant[:], r.Client, r.Presented[:], cutoff, now)
	t := db.anew(ctx, now, "")
	s.Do(`
		INSERT INTO event (id, at, kind, user_id, client_id, request, personal)
		SELECT $3, $4, 'grant.token_reused', user_id, client_id, $5, $6 FROM oidc_grant WHERE id = $1 AND client_id = $2 AND revoked_at = $4
		ON CONFLICT (id) DO NOTHING`, r.Grant[:], r.Client, t.id[:], now, t.request, t.personal)
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("%s: end what a used token belongs to: %w", op, err)
	}
	return &store.Error{Code: store.Used, Op: op}
}
