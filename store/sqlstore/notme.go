package sqlstore

import (
	"context"
	"fmt"
	"time"

	"idp/store"
)

// muteFor is how long unknown browsers get no mail sent to an address after its owner
// said "this was not me".
const muteFor = 24 * time.Hour

// EventDisowned is the kind of the audit event of [DB.NotMe].
const EventDisowned = "challenge.disowned"

// disownedAccount is the id of the account that a challenge was for. The challenge's own entry
// in the audit log names it: it is written with the session, stays when the challenge and the
// session go, and does not change with an address. A challenge that came to nothing has none,
// and one that was locked may name nobody: its account is the one that has the address. An
// account that is gone is not taken for the next one of its address. The arguments name
// placeholders.
func disownedAccount(challenge, email string) string {
	return `COALESCE((SELECT NULLIF(its.user_id, '') FROM event AS its WHERE its.id = ` + challenge + `), (SELECT holder.id FROM users AS holder WHERE holder.email = ` + email + `))`
}

// NotMe takes back a challenge that the owner of its address did not ask for: no code of
// it is right any more, what its browser has signed in to the account since, and to the console, ends with
// codes and grants, also those that outlive sessions, the browser is not known any more,
// and for a day mails to the address are for known browsers only.
//
// Said twice, it is the same: what began after the first time stays, and the mute does
// not start anew. (Else whoever has one mail of somebody's own could sign them out and
// keep their mails from them for a month.)
//
// A guess under way holds the row of the challenge, which is taken first here: either
// its session is there when sessions are ended, or the guess finds no tries left. The
// session is found by account, browser and time, not by the challenge alone: rows of
// challenges go after a day, another sign-in in the same browser takes the place of the
// session and inherits its grants, and the link works for a month. (Not by time alone
// either: of two replicas, one is some milliseconds behind.)
//
// The account is the one that the challenge was for, also when its address is another one
// by now, and another account has this one (see disownedAccount).
func (db *DB) NotMe(ctx context.Context, d store.Disowned) (store.Undone, error) {
	now := db.now()
	s := Script{Idempotent: true}
	t := db.traced(ctx, d.Event, d.Email)
	// No tries rather than no time: that holds whatever the clock of a replica says.
	s.Do(`
		UPDATE challenge SET tries = max_tries, expires_at = CASE WHEN expires_at > $2 THEN $2 ELSE expires_at END
		WHERE id = $1`, d.Challenge[:], now)
	s.Do(`UPDATE users SET email = email WHERE id = `+disownedAccount("$1", "$2"), d.Challenge[:], string(d.Email))
	var (
		account = `user_id = ` + disownedAccount("$5", "$2")
		began   = account + ` AND browser = $3 AND (auth_time >= $4 OR hash = (SELECT consumed_by FROM challenge WHERE id = $5))
		  AND NOT EXISTS (SELECT 1 FROM event WHERE event.id = $6 AND event.at < auth_time)`
		hanging = account + ` AND session IN (SELECT hash FROM session WHERE ` + began + `)`
	)
	args := []any{now, string(d.Email), d.Browser[:], d.Challenge.Time().UnixMicro(), d.Challenge[:], d.Event[:]}
	endSessions(&s, began, args...)
	endCodes(&s, hanging, args...)
	endGrants(&s, hanging, args...)
	endConsole(&s, began, args...)
	var sessions, console int
	s.Do(`SELECT COUNT(*) FROM session WHERE `+began+` AND CAST($1 AS BIGINT) > 0`, args...).Into(&sessions)
	s.Do(`SELECT COUNT(*) FROM console_session WHERE `+began+` AND CAST($1 AS BIGINT) > 0`, args...).Into(&console)
	s.Do(`
		DELETE FROM device WHERE address IN ($1, $2) AND browser = $3
		  AND NOT EXISTS (SELECT 1 FROM event WHERE event.id = $4 AND event.at < device.expires_at - $5)`,
		d.Address[:], d.Former[:], d.Browser[:], d.Event[:], micro(keepDevice))
	s.Do(`
		INSERT INTO event (id, at, kind, user_id, client_id, request, personal)
		VALUES ($1, $2, $3, COALESCE((SELECT id FROM users WHERE id = `+disownedAccount("$7", "$4")+`), ''), '', $5, $6) ON CONFLICT (id) DO NOTHING`,
		d.Event[:], now, EventDisowned, string(d.Email), t.request, t.personal, d.Challenge[:])
	mute(&s, d, now)
	until := now
	s.Do(`SELECT at + $2 FROM event WHERE id = $1`, d.Event[:], micro(muteFor)).Into(&until)
	if err := db.engine.Run(ctx, &s); err != nil {
		return store.Undone{}, fmt.Errorf("take a challenge back: %w", err)
	}
	u := store.Undone{SignedOut: sessions+console > 0}
	if until > now {
		u.MutedUntil = clock(until)
	}
	return u, nil
}
