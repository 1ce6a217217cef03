package sqlstore

import (
	"context"
	"strconv"

	"idp/store"
)

// Backlogs counts what waits, in all replicas together, up to most of a kind: it is read over and
// over again, also when a million wait. Each is read in the order of an index.
func (db *DB) Backlogs(ctx context.Context, most int) (b store.Backlogs, err error) {
	count := func(column, of string) string {
		return `(SELECT COUNT(*) AS n, MIN(` + column + `) AS since FROM (SELECT ` + column + ` FROM ` + of + ` LIMIT ` + strconv.Itoa(most) + `) AS found)`
	}
	err = db.one(ctx, "count what waits", `SELECT mails.n, mails.since, hooks.n, hooks.since, events.n, events.since FROM `+
		count(`created_at`, `mail WHERE state = 1 ORDER BY expires_at`)+` AS mails, `+
		count(`created_at`, `hook_delivery WHERE state = 1 ORDER BY due_at`)+` AS hooks, `+
		count(`at`, `event WHERE batch IS NULL ORDER BY batch, id`)+` AS events`, nil,
		&b.Mails.Waiting, into(&b.Mails.Oldest), &b.Hooks.Waiting, into(&b.Hooks.Oldest), &b.Events.Waiting, into(&b.Events.Oldest))
	return b, err
}

// CacheUse tells how often configuration was found in the cache of this process, and how often it was not.
func (db *DB) CacheUse() (hits, misses uint64) { return db.cache.hits.Load(), db.cache.misses.Load() }
