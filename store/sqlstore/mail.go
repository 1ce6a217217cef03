package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"idp/store"
)

// queueMail appends the mail of a challenge that attempt by has just sent for.
// Beyond the limit for unknown addresses the mail is a decoy: a row that goes
// through the same states and reaches nobody. An address without an account may have
// a mail of its own. While an address is muted, what an unknown browser asks for is a
// decoy, too, and so is what a test address is sent. queued tells the caller, who may hold the mail in memory.
//
// The LIMIT keeps the facts from being asked once for each place that names them: Postgres
// prepares each anew, whether it comes to it or not.
//
// (The branch that gives an id as the payload is never taken: it tells Postgres the
// type of the others.)
func queueMail(s *Script, now int64, challenge store.ID, m store.NewMail, email store.Email, of pools, unknown store.Limit, test bool, by store.Hash, queued *became) {
	var other store.OtherMail
	if m.Other != nil {
		other = *m.Other
	}
	s.Do(`
		INSERT INTO mail (id, challenge, usage, payload, decoy, state, attempts, worker, due_at, created_at, expires_at, settled_at,
		  sender, provider_id, error, address, recipient, locale)
		SELECT $1, challenge.id, CASE WHEN known = 1 OR $13 = '' THEN $2 ELSE $13 END,
		  CASE WHEN known > 1 THEN challenge.id WHEN listed = 1 THEN NULL WHEN known = 1 OR $13 = '' THEN $3 ELSE $14 END,
		  CASE WHEN CAST($21 AS SMALLINT) = 1 OR muted = 1 THEN 1
		    WHEN known = 1 OR CAST($4 AS SMALLINT) = 1 OR EXISTS (SELECT 1 FROM budget WHERE key = $5 AND taker = $6) THEN 0 ELSE 1 END,
		  CASE WHEN listed = 1 THEN 5 ELSE 1 END, 0, $8, $9, $10, $11, CASE WHEN listed = 1 THEN CAST($10 AS BIGINT) ELSE NULL END,
		  '', '', '', $15, $17, $18
		FROM challenge, (SELECT CASE WHEN EXISTS (SELECT 1 FROM users WHERE email = $7) THEN 1 ELSE 0 END AS known,
		    CASE WHEN `+suppressed("$15", "$16")+` THEN 1 ELSE 0 END AS listed,
		    CASE WHEN `+muted+` AND NOT `+known("$10", "$19", "$20", "$22")+` THEN 1 ELSE 0 END AS muted LIMIT 1) AS facts
		WHERE challenge.id = $12 AND challenge.sender = $6
		ON CONFLICT (id) DO NOTHING
		RETURNING decoy, usage, state`,
		m.ID[:], string(m.Usage), m.Payload, flag(unknown.IsZero()), unknown.Key[:], by[:], string(email),
		m.Worker[:], now+micro(m.Lease), now, now+micro(m.TTL), challenge[:], string(other.Usage), other.Payload,
		m.Address[:], m.Before[:], m.Recipient, m.Locale, of.address.now[:], of.address.former[:], flag(test), of.browser[:]).Into(&queued.decoy, (*string)(&queued.usage), &queued.state)
}

// suppressed is whether an address is on the suppression list under either of its hashes.
func suppressed(address, before string) string {
	return `EXISTS (SELECT 1 FROM suppression WHERE suppression.address IN (` + address + `, ` + before + `))`
}

// mailState is where a mail stands with what its provider told of it. (delayed_at of one
// that was not sent is when its recipient first kept it from being sent.)
const mailState = `CASE WHEN complained_at IS NOT NULL THEN 9 WHEN bounced_at IS NOT NULL THEN 8 WHEN rejected_at IS NOT NULL THEN 10
	  WHEN delivered_at IS NOT NULL THEN 7 WHEN delayed_at IS NOT NULL AND state = 2 THEN 6 ELSE state END`

// became is what was queued.
type became struct {
	decoy int
	usage store.Usage
	state int
}

func (b became) tell(begun *store.Begun, m store.NewMail) {
	begun.Decoy, begun.Other = b.decoy == 1, m.Other != nil && b.usage == m.Other.Usage
	begun.Suppressed = store.MailState(b.state) == store.MailSuppressed
}

// How many mails are looked at in one statement.
const (
	dropBatch  = 500  // that nobody needs any more
	fewDueMail = 2000 // that can be sorted at little cost
)

// ClaimMail leases up to limit due mails to worker: those whose lease ended
// without a result, and those whose retry is due; those with most life left first.
// Mails that are past their last call ([store.LastCall]) are settled as expired
// instead, also with limit 0.
//
// Few due mails are found by the time they are due, and sorted: the many that are
// leased or wait for a retry cost nothing. Many are found by the life they have left,
// where the first ones are due as a rule. A plus before a column keeps its index from
// being taken.
func (db *DB) ClaimMail(ctx context.Context, worker store.ID, lease time.Duration, limit int) ([]store.QueuedMail, error) {
	const op = "claim mail"
	now := db.now()
	// Most polls find nothing: they cost a read, not a write.
	due := 0
	err := db.engine.Read(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM mail WHERE state = 1 AND due_at <= $1 LIMIT $2) AS due`,
		[]any{now, fewDueMail + 1}, func(scan func(...any) error) error { return scan(&due) })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if due == 0 {
		return nil, nil
	}
	token := store.NewID(time.Now()) // tells this claim's rows from earlier ones of the same worker
	for batch := 0; ; batch++ {
		s := Script{}
		dropped := db.dropMail(&s, now)
		claimed := &Step{}
		if limit > 0 {
			claimed = s.Do(`
				UPDATE mail SET worker = $1, due_at = $2, attempts = attempts + 1
				WHERE id IN (`+dueMail(due <= fewDueMail)+db.engine.SkipLocked()+`)`, token[:], now+micro(lease), now, limit)
		}
		if err := db.engine.Run(ctx, &s); err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
		if claimed.Rows > 0 {
			return db.claimed(ctx, token, now+micro(lease))
		}
		if dropped.Rows < dropBatch || batch == 20 {
			return nil, nil
		}
	}
}

// dueMail selects the ids of the due mails ($3: now) with most life left, $4 of them.
func dueMail(few bool) string {
	if few {
		return `SELECT id FROM mail WHERE state = 1 AND due_at <= $3 ORDER BY +expires_at DESC, due_at LIMIT $4`
	}
	return `SELECT id FROM mail WHERE state = 1 AND +due_at <= $3 ORDER BY expires_at DESC LIMIT $4`
}

// dropMail settles a batch of the mails that are past their last call.
func (db *DB) dropMail(s *Script, now int64) *Step {
	return s.Do(`
		UPDATE mail SET state = $2, settled_at = $1, payload = NULL, error = $3
		WHERE id IN (SELECT id FROM mail WHERE state = 1 AND +due_at <= $1 AND expires_at <= $1 + $4
		    AND 4 * (expires_at - $1) <= expires_at - created_at
		  ORDER BY expires_at LIMIT $5`+db.engine.SkipLocked()+`)`,
		now, int16(store.MailExpired), store.DroppedMail, micro(store.LeastLife), dropBatch)
}

// claimed reads the mails of one claim, those with most life left first.
func (db *DB) claimed(ctx context.Context, token store.ID, until int64) ([]store.QueuedMail, error) {
	var out []store.QueuedMail
	err := db.engine.Read(ctx, `
		SELECT id, challenge, usage, payload, decoy, attempts, created_at, expires_at,
		  CASE WHEN EXISTS (SELECT 1 FROM suppression WHERE suppression.address = mail.address) THEN 1 ELSE 0 END
		FROM mail
		WHERE state = 1 AND worker = $1 AND due_at = $2 ORDER BY expires_at DESC, id`, []any{token[:], until},
		func(scan func(...any) error) error {
			var m store.QueuedMail
			var decoy, listed int
			if err := scan(idInto(&m.ID), idInto(&m.Challenge), (*string)(&m.Usage), &m.Payload, &decoy, &m.Attempts,
				into(&m.CreatedAt), into(&m.ExpiresAt), &listed); err != nil {
				return err
			}
			m.Decoy, m.Listed = decoy == 1, listed == 1
			out = append(out, m)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("claim mail: %w", err)
	}
	return out, nil
}

// SettleMail records what became of leased mails, in one commit, in key order.
// A settled mail loses its payload. One that goes back without an attempt keeps what was
// known of the last, and goes back only while it is the caller's: the lease of who took
// it over is not cut short, or a third one would send it, too. An address that refused
// for good goes on the suppression list. What is a mail's own reason leaves a mark, for
// its page: [DB.ChallengeState].
func (db *DB) SettleMail(ctx context.Context, results []store.Settled) error {
	if len(results) == 0 {
		return nil
	}
	slices.SortFunc(results, func(a, b store.Settled) int { return cmp.Compare(string(a.ID[:]), string(b.ID[:])) })
	now := db.now()
	s := Script{Idempotent: true}
	for _, r := range results {
		if r.State == store.MailQueued {
			leased := int64(math.MaxInt64)
			if !r.Leased.IsZero() {
				leased = r.Leased.UnixMicro()
			}
			s.Do(`
				UPDATE mail SET due_at = $2, sender = CASE WHEN $3 = '' THEN sender ELSE $3 END, error = CASE WHEN $4 = '' THEN error ELSE $4 END,
				  delayed_at = CASE WHEN CAST($6 AS SMALLINT) = 1 THEN COALESCE(delayed_at, $7) ELSE delayed_at END
				WHERE id = $1 AND state = 1 AND due_at <= $5`, r.ID[:], now+micro(r.Retry), r.Sender, r.Error, leased, flag(r.Own), now)
			continue
		}
		s.Do(`
			UPDATE mail SET state = $2, settled_at = $3, payload = NULL, sender = CASE WHEN $4 = '' THEN sender ELSE $4 END,
			  provider_id = $5, error = $6,
			  delayed_at = CASE WHEN CAST($7 AS SMALLINT) = 1 THEN COALESCE(delayed_at, $3) WHEN CAST($8 AS SMALLINT) = 1 THEN NULL ELSE delayed_at END
			WHERE id = $1 AND state = 1`, r.ID[:], int16(r.State), now, r.Sender, r.Provider, r.Error, flag(r.Own), flag(r.State == store.MailSent))
	}
	for _, r := range results {
		if r.Refused && r.State == store.MailFailed {
			suppressRefused(&s, r, now)
		}
	}
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("settle mail: %w", err)
	}
	return nil
}

// suppressRefused puts the address of a mail that this script has settled on the
// suppression list. Rows of earlier versions do not name it; a decoy's was never asked.
func suppressRefused(s *Script, r store.Settled, now int64) {
	s.Do(`
		INSERT INTO suppression (address, recipient, reason, detail, sender, mail, created_at)
		SELECT address, recipient, $2, $3, $4, id, $5 FROM mail
		WHERE id = $1 AND state = 3 AND settled_at = $5 AND decoy = 0 AND address IS NOT NULL AND recipient IS NOT NULL
		ON CONFLICT DO NOTHING`, r.ID[:], string(store.ReasonRefused), r.Error, r.Sender, now)
	tellSuppressed(s, now, r.ID)
}

// MailDepth counts the mails that wait, and tells since when the oldest does.
func (db *DB) MailDepth(ctx context.Context) (queued int, oldest time.Time, err error) {
	err = db.one(ctx, "count mail", `SELECT COUNT(*), MIN(created_at) FROM mail WHERE state = 1`, nil, &queued, into(&oldest))
	return queued, oldest, err
}
