package sqlstore

import (
	"time"

	"idp/store"
)

const (
	// keepDevice is how long a browser is known for an address after it signed in there.
	keepDevice = 180 * 24 * time.Hour
	// freshDevice is how old that may be before the row is written again: who signs in
	// many times a day pays for one write.
	freshDevice = 24 * time.Hour
)

// known is whether a browser is one of the ten that signed in last to an address, which
// has two hashes: it did, and fewer than ten did later. Only the ten count, so a sign-in need not remove the eleventh: the
// purge does. Those are counted only for a browser that did. The arguments name placeholders.
func known(now, address, former, browser string) string {
	return `EXISTS (SELECT 1 FROM device WHERE device.address IN (` + address + `, ` + former + `) AND device.browser = ` + browser + ` AND device.expires_at > ` + now + `
		      AND (SELECT COUNT(*) FROM device AS newer WHERE newer.address IN (` + address + `, ` + former + `) AND newer.expires_at > device.expires_at) < 10)`
}

// crowded is whether a row of the table is one that does not count.
const crowded = `(SELECT COUNT(*) FROM device AS newer WHERE newer.address = device.address AND newer.expires_at > device.expires_at) >= 10`

// remember appends that the browser is known for the address whose code it has just
// proved; table is where its session is. The code of a test address proves no mailbox, so nobody is known by
// one: nothing is left of it when the address ends, by its date or otherwise. Rows of devices come last in the lock order, and a script that takes several
// holds the account's row.
func remember(s *Script, now int64, table string, session store.Hash, p proof) {
	s.Do(`
		INSERT INTO device (address, browser, expires_at)
		SELECT address, browser, $3 FROM challenge
		WHERE id = $1 AND prover = $2 AND test = 0 AND EXISTS (SELECT 1 FROM `+table+` WHERE hash = $4 AND ended_at IS NULL)
		ON CONFLICT (address, browser) DO UPDATE SET expires_at = excluded.expires_at WHERE device.expires_at < $5`,
		p.challenge[:], p.attempt[:], now+micro(keepDevice), session[:], now+micro(keepDevice-freshDevice))
}

// forgetOthers appends that a recovery forgets all browsers that its address had.
func forgetOthers(s *Script, now int64, address hashes, session store.Hash, p proof) {
	s.Do(`
		DELETE FROM device WHERE address IN ($4, $5)
		  AND EXISTS (SELECT 1 FROM challenge WHERE id = $1 AND prover = $2 AND consumed_at = $3)
		  AND EXISTS (SELECT 1 FROM session WHERE hash = $6)`,
		p.challenge[:], p.attempt[:], now, address.now[:], address.former[:], session[:])
}

// forget appends that no browser is known for an address any more.
func forget(s *Script, address hashes) {
	if address.now.IsZero() {
		return
	}
	s.Do(`DELETE FROM device WHERE address IN ($1, $2)`, address.now[:], address.former[:])
}

// purgeDevices is the statement for known browsers, whose key is a pair.
func (db *DB) purgeDevices() string {
	return `DELETE FROM device WHERE (address, browser) IN (
		  SELECT address, browser FROM device WHERE (expires_at < $2 OR ` + crowded + `) AND address IN (
		    SELECT address FROM device WHERE address >= $1 ORDER BY address LIMIT $3)` + db.engine.SkipLocked() + `)`
}
