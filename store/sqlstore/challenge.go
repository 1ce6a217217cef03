package sqlstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"idp/store"
)

// mayResend is when a challenge may send another code. $2 is now.
const mayResend = `consumed_at IS NULL AND tries < max_tries AND sends < max_sends AND next_send <= $2 AND expires_at > $2`

const (
	insertChallenge = `
		INSERT INTO challenge (id, purpose, browser, request, address, mac1, until1, tries, max_tries, sends, max_sends,
		  sent_at, next_send, created_at, expires_at, ip_key, sender, mail, code_length, test)
		SELECT $1, $2, $3, $4, $5, $6, $7, 0, $8, 1, $9, $10, $11, $10, $12, $13, $14, $17, $19, $20
		WHERE (CAST($15 AS SMALLINT) = 1 OR EXISTS (SELECT 1 FROM budget WHERE key IN ($16, $18) AND taker = $14))`
	insertOnce = `
		ON CONFLICT (id) DO NOTHING`

	// A code that was a test address's, which does not have it any more, makes room for a right one.
	addCode = `
		UPDATE challenge SET
		  until1 = CASE WHEN test IN (0, $14) THEN until1 ELSE 0 END,
		  mac2 = CASE WHEN sends = 1 THEN $3 ELSE mac2 END, until2 = CASE WHEN sends = 1 THEN $4 WHEN test IN (0, $14) THEN until2 ELSE 0 END,
		  mac3 = CASE WHEN sends = 2 THEN $3 ELSE mac3 END, until3 = CASE WHEN sends = 2 THEN $4 ELSE until3 END,
		  sends = sends + 1, sent_at = $2, next_send = $5, sender = $6, mail = $11, code_length = $13,
		  test = CAST($14 AS SMALLINT)
		WHERE id = $1 AND browser = $7 AND request = $8 AND ` + mayResend + `
		  AND (CAST($9 AS SMALLINT) = 1 OR EXISTS (SELECT 1 FROM budget WHERE key IN ($10, $12) AND taker = $6))`
	codeAdded = `
		RETURNING sent_at, expires_at, CASE WHEN sends < max_sends THEN next_send ELSE NULL END, sends`
)

// Where no limit is taken, nothing else has asked whether the guesses have room.
var (
	insertIfRoom  = insertChallenge + ` AND ` + hasRoom("$10", 21)
	addCodeIfRoom = addCode + ` AND ` + hasRoom("$2", 15)
)

// BeginChallenge makes a challenge with its first code and queues the mail, if
// the limits have room: waits, IP, then recipient. The unknown-address limit never
// refuses: beyond it the mail of an address without an account is a decoy.
// Errors: [store.Conflict] if the challenge exists, [store.GuessesSpent] if its code
// could not be typed now, both of which charge nothing; [store.Limited] with the wait;
// [store.Unproven] where only a proof is missing.
func (db *DB) BeginChallenge(ctx context.Context, n store.NewChallenge) (store.Begun, error) {
	const op = "begin challenge"
	now := db.now()
	by := attempt()
	s := Script{Idempotent: true}
	who := pools{hashes{n.Address, n.Former}, n.Browser}
	t := taker{sql: &takeBegin, args: []any{n.ID[:]}, now: now, by: by, pools: who, guesses: n.Guesses}
	t.take(&s, n.Waits)
	t.take(&s, n.IP)
	t.take(&s, n.Recipient)
	last := t.last
	insert, args := insertChallenge, []any{
		n.ID[:], int16(n.Purpose), n.Browser[:], n.Request[:], n.Address[:], n.MAC[:], now + micro(n.CodeTTL), int16(n.Tries), int16(n.Sends),
		now, now + micro(n.NextSend), now + micro(n.TTL), optional(n.IP.Key), by[:],
		flag(last.IsZero()), last.Key[:], n.Mail.ID[:], last.Known[:], int16(n.Length), n.Test}
	if t.asks() {
		insert, args = insertIfRoom, append(args, who.room(now, n.Guesses)...)
	}
	t.take(&s, n.Unknown)
	made := s.Do(insert+insertOnce, args...)
	var mail became
	queueMail(&s, now, n.ID, n.Mail, n.Email, who, n.Unknown, n.Test != 0, by, &mail)
	if err := db.engine.Run(ctx, &s); err != nil {
		return store.Begun{}, fmt.Errorf("%s: %w", op, err)
	}
	if made.Rows == 0 {
		// Either a limit refused, or this is the second run of a script whose first
		// answer was lost: then the row is there.
		if begun, err := db.begun(ctx, n.ID, by, n.Mail); err == nil {
			return begun, nil
		}
		if _, err := db.ChallengeState(ctx, n.ID, n.Browser); store.CodeOf(err) != store.NotFound {
			return store.Begun{}, &store.Error{Code: store.Conflict, Op: op, Err: err}
		}
		return store.Begun{}, db.refused(ctx, op, now, who, n.Guesses, n.Waits, n.IP, n.Recipient)
	}
	begun := store.Begun{ID: n.ID, SentAt: clock(now), ExpiresAt: clock(now + micro(n.TTL)), Sends: 1, Length: n.Length}
	mail.tell(&begun, n.Mail)
	if n.Sends > 1 {
		begun.NextSend = clock(now + micro(n.NextSend))
	}
	return begun, nil
}

// ResendCode adds a code to a live challenge and queues its mail; the earlier
// codes stay right and the tries stay as they are. Errors: [store.Limited] (too
// early, or a limit), [store.Unproven], [store.GuessesSpent] as for a new challenge, [store.Spent] (no
// sends or no tries left), [store.Expired], [store.Used], [store.NotFound].
func (db *DB) ResendCode(ctx context.Context, r store.Resend) (store.Begun, error) {
	const op = "resend code"
	now := db.now()
	by := attempt()
	s := Script{Idempotent: true}
	who := pools{hashes{r.Address, r.Former}, r.Browser}
	t := taker{sql: &takeResend, args: []any{r.ID[:], r.Browser[:], r.Request[:]}, now: now, by: by, pools: who, guesses: r.Guesses}
	t.take(&s, r.Waits)
	t.take(&s, r.IP)
	t.take(&s, r.Recipient)
	last := t.last
	update, args := addCode, []any{
		r.ID[:], now, r.MAC[:], now + micro(r.CodeTTL), now + micro(r.NextSend), by[:], r.Browser[:], r.Request[:],
		flag(last.IsZero()), last.Key[:], r.Mail.ID[:], last.Known[:], int16(r.Length), r.Test}
	if t.asks() {
		update, args = addCodeIfRoom, append(args, who.room(now, r.Guesses)...)
	}
	t.take(&s, r.Unknown)
	var begun store.Begun
	begun.ID = r.ID
	begun.Length = r.Length
	step := s.Do(update+codeAdded, args...).
		Into(into(&begun.SentAt), into(&begun.ExpiresAt), into(&begun.NextSend), &begun.Sends)
	var mail became
	queueMail(&s, now, r.ID, r.Mail, r.Email, who, r.Unknown, r.Test != 0, by, &mail)
	if err := db.engine.Run(ctx, &s); err != nil {
		return store.Begun{}, fmt.Errorf("%s: %w", op, err)
	}
	if step.Rows == 1 {
		mail.tell(&begun, r.Mail)
		return begun, nil
	}
	if begun, err := db.begun(ctx, r.ID, by, r.Mail); err == nil {
		return begun, nil
	}
	st, err := db.ChallengeState(ctx, r.ID, r.Browser)
	switch {
	case err != nil:
		return store.Begun{}, err
	case st.Consumed:
		return store.Begun{}, &store.Error{Code: store.Used, Op: op}
	case now >= st.ExpiresAt.UnixMicro():
		return store.Begun{}, &store.Error{Code: store.Expired, Op: op}
	case st.TriesLeft <= 0 || st.SendsLeft <= 0:
		return store.Begun{}, &store.Error{Code: store.Spent, Op: op}
	case st.NextSend.UnixMicro() > now:
		return store.Begun{}, &store.Error{Code: store.Limited, Op: op, Wait: st.NextSend.Sub(clock(now))}
	}
	return store.Begun{}, db.refused(ctx, op, now, who, r.Guesses, r.Waits, r.IP, r.Recipient)
}

// begun reads a challenge that this very attempt sent last, whose first answer was lost.
// Nobody has its mail yet: it is this worker's until the lease ends.
func (db *DB) begun(ctx context.Context, id store.ID, by store.Hash, m store.NewMail) (store.Begun, error) {
	b := store.Begun{ID: id}
	var mail became
	var taken int
	err := db.one(ctx, "read challenge", `
		SELECT sent_at, challenge.expires_at, CASE WHEN sends < max_sends THEN next_send ELSE NULL END, sends,
		  decoy, usage, state, CASE WHEN attempts = 0 AND worker = $3 AND due_at > $4 THEN 0 ELSE 1 END, code_length
		FROM challenge JOIN mail ON mail.id = challenge.mail WHERE challenge.id = $1 AND challenge.sender = $2`, []any{id[:], by[:], m.Worker[:], db.now()},
		into(&b.SentAt), into(&b.ExpiresAt), into(&b.NextSend), &b.Sends, &mail.decoy, (*string)(&mail.usage), &mail.state, &taken, &b.Length)
	if err != nil {
		return b, err
	}
	mail.tell(&b, m)
	b.Again = taken == 1
	return b, nil
}

// refused makes the error of a limit: of the guesses, if they are asked for and have no
// room, or of the others. A limit that has room again by now still
// asks for a second of patience. A proof is asked for only if it would do: not of who is
// refused all the same. To have waited while others of the network did is not enough, and
// what else proves something would do.
func (db *DB) refused(ctx context.Context, op string, now int64, who pools, guesses, waits, ip, recipient store.Limit) error {
	name, wait, err := db.limited(ctx, now, who, guesses)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if wait > 0 {
		return &store.Error{Code: store.GuessesSpent, Op: op, Wait: wait, Limit: name}
	}
	name, wait, err = db.limited(ctx, now, who, ip, recipient)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if wait == 0 {
		_, queued, err := db.limited(ctx, now, who, waits)
		if err != nil {
			return fmt.Errorf("%s: %w", op, err)
		}
		unproven, err := db.unproven(ctx, now, ip)
		if err != nil {
			return fmt.Errorf("%s: %w", op, err)
		}
		if later := max(queued, unproven); later > 0 {
			return &store.Error{Code: store.Unproven, Op: op, Wait: later, Limit: ip.Name}
		}
	}
	return &store.Error{Code: store.Limited, Op: op, Wait: max(wait, time.Second), Limit: name}
}

// ChallengeState tells the owning browser where its challenge stands. The error
// is [store.NotFound] for anybody else. The mail of an address that is on the
// suppression list is suppressed, a decoy's row like any other: what providers tell of
// a single mail they tell of real ones only, and would give away which those are. So
// is a mail that waits, or was given up, for a reason of its own: it is delayed here.
func (db *DB) ChallengeState(ctx context.Context, id store.ID, browser store.Hash) (store.ChallengeState, error) {
	var st store.ChallengeState
	var consumed time.Time
	var maxTries, tries, maxSends, mail int
	err := db.one(ctx, "read challenge", `
		SELECT sent_at, max_tries, tries, max_sends, sends, next_send, expires_at, COALESCE(until3, until2, until1), code_length, consumed_at,
		  COALESCE((SELECT CASE WHEN EXISTS (SELECT 1 FROM suppression WHERE suppression.address = mail.address) THEN 5
		    WHEN delayed_at IS NOT NULL THEN 6 ELSE `+mailState+` END
		    FROM mail WHERE mail.id = challenge.mail), 0)
		FROM challenge WHERE id = $1 AND browser = $2`, []any{id[:], browser[:]},
		into(&st.SentAt), &maxTries, &tries, &maxSends, &st.Sends, into(&st.NextSend), into(&st.ExpiresAt), into(&st.CodeUntil), &st.Length, into(&consumed), &mail)
	st.TriesLeft, st.SendsLeft = maxTries-tries, maxSends-st.Sends
	st.Consumed, st.Mail = !consumed.IsZero(), store.MailState(mail)
	return st, err
}

// attempt names one run of an operation.
func attempt() (h store.Hash) {
	rand.Read(h[:])
	return h
}

func clock(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
