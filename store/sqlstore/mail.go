package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"idp/store"
)

// queueMail appends the mail of a challenge that attempt by has just sent for.
// Beyond the limit for unknown addresses the mail is a decoy: a row that goes
// through the same states and reaches nobody. An address without an account may have
// a mail of its own. queued tells the caller, who may hold the mail in memory.
//
// (The branch that gives an id as the payload is never taken: it tells Postgres the
// type of the others.)
func queueMail(s *Script, now int64, challenge store.ID, m store.NewMail, email store.Email, unknown store.Limit, by store.Hash, queued *became) {
	var other store.OtherMail
	if m.Other != nil {
		other = *m.Other
	}
	s.Do(`
		INSERT INTO mail (id, challenge, usage, payload, decoy, state, attempts, worker, due_at, created_at, expires_at, settled_at,
		  sender, provider_id, error, address, recipient, locale)
		SELECT $1, id, CASE WHEN known = 1 OR $13 = '' THEN $2 ELSE $13 END,
		  CASE WHEN known > 1 THEN id WHEN listed = 1 THEN NULL WHEN known = 1 OR $13 = '' THEN $3 ELSE $14 END,
		  CASE WHEN known = 1 OR CAST($4 AS SMALLINT) = 1 OR EXISTS (SELECT 1 FROM budget WHERE key = $5 AND taker = $6) THEN 0 ELSE 1 END,
		  CASE WHEN listed = 1 THEN 5 ELSE 1 END, 0, $8, $9, $10, $11, CASE WHEN listed = 1 THEN CAST($10 AS BIGINT) ELSE NULL END,
		  '', '', '', $15, $17, $18
		FROM challenge, (SELECT CASE WHEN EXISTS (SELECT 1 FROM users WHERE email = $7) THEN 1 ELSE 0 END AS known) AS account,
		  `+suppressed("$15", "$16")+`
		WHERE id = $12 AND challenge.sender = $6
		ON CONFLICT (id) DO NOTHING
		RETURNING decoy, usage, state`,
		m.ID[:], string(m.Usage), m.Payload, flag(unknown.IsZero()), unknown.Key[:], by[:], string(email),
		m.Worker[:], now+micro(m.Lease), now, now+micro(m.TTL), challenge[:], string(other.Usage), other.Payload,
		m.Address[:], m.Before[:], m.Recipient, m.Locale).Into(&queued.decoy, (*string)(&queued.usage), &queued.state)
}

// suppressed is one row that tells, as listed, whether an address is on the suppression
// list under either of its hashes.
func suppressed(address, before string) string {
	return `(SELECT CASE WHEN EXISTS (SELECT 1 FROM suppression WHERE suppression.address IN (` + address + `, ` + before + `)) THEN 1 ELSE 0 END AS listed) AS list`
}

// mailState is where a mail stands with what its provider told of it.
const mailState = `CASE WHEN complained_at IS NOT NULL THEN 9 WHEN bounced_at IS NOT NULL THEN 8 WHEN rejected_at IS NOT NULL THEN 10
	  WHEN delivered_at IS NOT NULL THEN 7 WHEN delayed_at IS NOT NULL THEN 6 ELSE state END`

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

// ClaimMail leases up to limit due mails to worker: those whose lease ended
// without a result, and those whose retry is due. Mails that outlived their code
// are settled as expired instead.
func (db *DB) ClaimMail(ctx context.Context, worker store.ID, lease time.Duration, limit int) ([]store.QueuedMail, error) {
	const op = "claim mail"
	due := false
	now := db.now()
	// Most polls find nothing: they cost a read, not a write.
	err := db.engine.Read(ctx, `SELECT 1 FROM mail WHERE state = 1 AND due_at <= $1 LIMIT 1`, []any{now},
		func(scan func(...any) error) error { due = true; return scan(new(int)) })
	if err != nil || !due {
		return nil, err
	}
	token := store.NewID(time.Now()) // tells this claim's rows from earlier ones of the same worker
	s := Script{}
	s.Do(`
		UPDATE mail SET state = $2, settled_at = $1, payload = NULL, error = 'its time ran out before a sender took it'
		WHERE state = 1 AND due_at <= $1 AND expires_at <= $1`, now, int16(store.MailExpired))
	claimed := s.Do(`
		UPDATE mail SET worker = $1, due_at = $2, attempts = attempts + 1
		WHERE id IN (SELECT id FROM mail WHERE state = 1 AND due_at <= $3 ORDER BY due_at LIMIT $4`+db.engine.SkipLocked()+`)`,
		token[:], now+micro(lease), now, limit)
	if err := db.engine.Run(ctx, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if claimed.Rows == 0 {
		return nil, nil
	}
	var out []store.QueuedMail
	err = db.engine.Read(ctx, `
		SELECT id, challenge, usage, payload, decoy, attempts, expires_at FROM mail
		WHERE state = 1 AND worker = $1 AND due_at = $2 ORDER BY id`, []any{token[:], now + micro(lease)},
		func(scan func(...any) error) error {
			var m store.QueuedMail
			var decoy int
			if err := scan(idInto(&m.ID), idInto(&m.Challenge), (*string)(&m.Usage), &m.Payload, &decoy, &m.Attempts, into(&m.ExpiresAt)); err != nil {
				return err
			}
			m.Decoy = decoy == 1
			out = append(out, m)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return out, nil
}

// SettleMail records what became of leased mails, in one commit, in key order.
// A settled mail loses its payload.
func (db *DB) SettleMail(ctx context.Context, results []store.Settled) error {
	if len(results) == 0 {
		return nil
	}
	slices.SortFunc(results, func(a, b store.Settled) int { return cmp.Compare(string(a.ID[:]), string(b.ID[:])) })
	now := db.now()
	s := Script{Idempotent: true}
	for _, r := range results {
		if r.State == store.MailQueued {
			s.Do(`UPDATE mail SET due_at = $2, sender = $3, error = $4 WHERE id = $1 AND state = 1`,
				r.ID[:], now+micro(r.Retry), r.Sender, r.Error)
			continue
		}
		s.Do(`
			UPDATE mail SET state = $2, settled_at = $3, payload = NULL, sender = $4, provider_id = $5, error = $6
			WHERE id = $1 AND state = 1`, r.ID[:], int16(r.State), now, r.Sender, r.Provider, r.Error)
	}
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("settle mail: %w", err)
	}
	return nil
}

// MailDepth counts the mails that wait, and tells since when the oldest does.
func (db *DB) MailDepth(ctx context.Context) (queued int, oldest time.Time, err error) {
	err = db.one(ctx, "count mail", `SELECT COUNT(*), MIN(created_at) FROM mail WHERE state = 1`, nil, &queued, into(&oldest))
	return queued, oldest, err
}
