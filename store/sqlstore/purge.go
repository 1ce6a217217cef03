package sqlstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"

	"idp/store"
)

// How long rows are kept after they died. A challenge answers "expired" or "used"
// rather than "gone" for a day; a redeemed code is remembered for a day, so that a
// replay still revokes what it gave; mail records for 30 days, or what KeepMail says;
// what became of calls to webhooks for 30 days.
const (
	keepChallenge = 24 * time.Hour
	keepCode      = 24 * time.Hour
	keepGrant     = 24 * time.Hour
	keepSession   = 24 * time.Hour
	keepMail      = 30 * 24 * time.Hour
	keepHealth    = 10 * time.Minute
	keepHookLog   = 30 * 24 * time.Hour
)

// oldest is how far back rows named by a time-ordered id can reach.
const oldest = 400 * 24 * time.Hour

// Purge looks at some stretch of at most limit rows of each table, removes the
// dead ones and tells how many went. Call it now and then.
//
// The stretch starts at a random key. So no table carries an index for the purge
// alone, which every sign-in would pay for (and on Postgres an index on a budget's
// time would keep its updates from being HOT); all rows are visited in time; and
// a call costs the same however large the table is.
func (db *DB) Purge(ctx context.Context, limit int) (int, error) {
	now := db.now()
	var hash store.Hash
	rand.Read(hash[:])
	at := time.UnixMicro(now)
	back := time.Duration(binary.BigEndian.Uint64(hash[:8]) % uint64(oldest))
	id := store.NewID(at.Add(-back))
	if hash[8]%4 == 0 { // the first rows of a table have nothing before them to start at
		hash, id = store.Hash{}, store.ID{}
	}
	n := 0
	for _, p := range []struct {
		sql  string
		from []byte
		dead int64
	}{
		{db.purge("budget", "key", "tat < $2 AND tat2 < $2 AND tat3 < $2"), hash[:], now},
		{db.purge("console_session", "hash", "expires_at < $2"), hash[:], now - micro(keepSession)},
		{db.purge("console_link", "hash", "expires_at < $2"), hash[:], now - micro(keepSession)},
		{db.purge("console_form", "key", "claimed_at < $2"), hash[:], now - micro(keepSession)},
		{db.purge("mute", "address", "ends_at < $2"), hash[:], now},
		{db.purgeDevices(), hash[:], now},
		{db.purge("session", "hash", noGrant+" AND expires_at < $2"), hash[:], now - micro(keepSession)},
		{db.purge("auth_code", "hash", "expires_at < $2"), hash[:], now - micro(keepCode)},
		{db.purge("challenge", "id", "expires_at < $2"), id[:], now - micro(keepChallenge)},
		{db.purge("oidc_grant", "id", "(access_until < $2 AND COALESCE(refresh_until, 0) < $2 OR revoked_at < $2)"), id[:], now - micro(keepGrant)},
		{db.purge("assertion", "key", "expires_at < $2"), hash[:], now},
		{db.purge("mail", "id", "created_at < $2"), id[:], now - micro(cmp.Or(db.KeepMail, keepMail))},
		{db.purge("one_time_token", "hash", "expires_at < $2"), hash[:], now - micro(keepToken)},
		{db.purge("notification", "key", "expires_at < $2"), hash[:], now},
		{db.purge("hook_delivery", "id", "created_at < $2"), id[:], now - micro(keepHookLog)},
	} {
		// A script each, and rows that somebody holds are passed: no lock is waited for.
		s := Script{Idempotent: true}
		gone := s.Do(p.sql, p.from, p.dead, limit)
		if err := db.engine.Run(ctx, &s); err != nil {
			return n, fmt.Errorf("purge: %w", err)
		}
		n += int(gone.Rows)
	}
	s := Script{Idempotent: true}
	gone := db.forgetReplicas(&s, now)
	old := forgetGuesses(&s, now)
	if err := db.engine.Run(ctx, &s); err != nil {
		return n, fmt.Errorf("purge: %w", err)
	}
	return n + int(gone.Rows+old.Rows), nil
}

// noGrant keeps a session while a grant hangs on it that may outlive it: through its
// session the grant is found when its person signs out in that browser.
const noGrant = `NOT EXISTS (SELECT 1 FROM oidc_grant
	WHERE oidc_grant.user_id = session.user_id AND oidc_grant.session = session.hash AND oidc_grant.revoked_at IS NULL)`

// purge is the statement for a table with primary key key.
func (db *DB) purge(table, key, dead string) string {
	return `DELETE FROM ` + table + ` WHERE ` + key + ` IN (
		  SELECT ` + key + ` FROM ` + table + ` WHERE ` + dead + ` AND ` + key + ` IN (
		    SELECT ` + key + ` FROM ` + table + ` WHERE ` + key + ` >= $1 ORDER BY ` + key + ` LIMIT $3)` + db.engine.SkipLocked() + `)`
}
