package sqlstore

import (
	"context"
	"fmt"
	"time"
)

// How long rows are kept after they died. A challenge answers "expired" or "used"
// rather than "gone" for a day; a redeemed code is remembered as long as what it
// gave can live, so that a replay still revokes it; mail records for 30 days.
const (
	keepChallenge = 24 * time.Hour
	keepCode      = 24 * time.Hour
	keepGrant     = 24 * time.Hour
	keepSession   = 24 * time.Hour
	keepMail      = 30 * 24 * time.Hour
)

// Purge removes at most limit dead rows of each table and tells how many went.
// Call it again while it finds some: small batches let sign-ins through between.
func (db *DB) Purge(ctx context.Context, limit int) (int, error) {
	now := db.now()
	var s Script
	s.Idempotent = true
	for _, p := range []struct {
		sql  string
		dead int64
	}{
		{`DELETE FROM budget WHERE key IN (SELECT key FROM budget WHERE tat < $1 AND tat2 < $1 ORDER BY tat LIMIT $2` + db.engine.SkipLocked() + `)`, now},
		{`DELETE FROM challenge WHERE id IN (SELECT id FROM challenge WHERE expires_at < $1 ORDER BY expires_at LIMIT $2` + db.engine.SkipLocked() + `)`, now - micro(keepChallenge)},
		{`DELETE FROM auth_code WHERE hash IN (SELECT hash FROM auth_code WHERE expires_at < $1 ORDER BY expires_at LIMIT $2` + db.engine.SkipLocked() + `)`, now - micro(keepCode)},
		{`DELETE FROM session WHERE hash IN (SELECT hash FROM session WHERE expires_at < $1 ORDER BY expires_at LIMIT $2` + db.engine.SkipLocked() + `)`, now - micro(keepSession)},
		{`DELETE FROM oidc_grant WHERE id IN (SELECT id FROM oidc_grant WHERE access_until < $1 ORDER BY access_until LIMIT $2` + db.engine.SkipLocked() + `)`, now - micro(keepGrant)},
		{`DELETE FROM mail WHERE id IN (SELECT id FROM mail WHERE created_at < $1 ORDER BY created_at LIMIT $2` + db.engine.SkipLocked() + `)`, now - micro(keepMail)},
	} {
		s.Do(p.sql, p.dead, limit)
	}
	if err := db.engine.Run(ctx, &s); err != nil {
		return 0, fmt.Errorf("purge: %w", err)
	}
	n := 0
	for _, step := range s.Steps {
		n += int(step.Rows)
	}
	return n, nil
}
