package sqlstore

import (
	"context"
	"fmt"

	"idp/store"
)

// hashes are the keyed hashes of an address: under the secret, and under the one before
// a rotation. Rows are written under the first and found under both. What was written
// under a secret that is gone is not found any more: mutes have ended long before, and
// a browser becomes known again when it signs in.
type hashes struct{ now, former store.Hash }

// muted is whether mails to an address ($19, $20) are for known browsers only. $10 is
// now.
const muted = `EXISTS (SELECT 1 FROM mute WHERE mute.address IN ($19, $20) AND mute.ends_at > $10)`

// mute appends a mute that lasts from when its owner said it for the first time: the
// event is there.
func mute(s *Script, d store.Disowned, now int64) {
	s.Do(`
		INSERT INTO mute (address, ends_at) SELECT $1, at + $3 FROM event WHERE id = $2 AND at + $3 > $4
		ON CONFLICT (address) DO UPDATE SET ends_at = excluded.ends_at WHERE mute.ends_at < excluded.ends_at`,
		d.Address[:], d.Event[:], micro(muteFor), now)
}

// EventUnmuted is the kind of the audit event of [DB.Unmute].
const EventUnmuted = "mute.lifted"

// Unmute lets mails to an address go to any browser again, before its mute ends. Where
// there is no mute it does nothing.
func (db *DB) Unmute(ctx context.Context, d store.Disowned) error {
	now := db.now()
	t := db.anew(ctx, now, d.Email)
	s := Script{Idempotent: true}
	s.Do(`
		INSERT INTO event (id, at, kind, user_id, client_id, request, personal, actor)
		SELECT $1, $2, $3, COALESCE((SELECT id FROM users WHERE email = $4), ''), '', $7, $8, $9
		WHERE EXISTS (SELECT 1 FROM mute WHERE address IN ($5, $6) AND ends_at > $2)
		ON CONFLICT (id) DO NOTHING`, t.id[:], now, EventUnmuted, string(d.Email), d.Address[:], d.Former[:], t.request, t.personal, t.actor)
	s.Do(`DELETE FROM mute WHERE address IN ($1, $2)`, d.Address[:], d.Former[:])
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("unmute: %w", err)
	}
	return nil
}
