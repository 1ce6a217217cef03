package mailer

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"time"

	"idp/store"
)

// claim takes over mails whose lease ended or whose retry is due, until ctx ends.
func (q *Queue) claim(ctx, writing context.Context) {
	for {
		if q.claimBatch(ctx, writing) && ctx.Err() == nil {
			continue // a full batch: there is more
		}
		// Jitter keeps replicas that started together from asking together.
		if !sleep(ctx, q.config.Poll/2+rand.N(q.config.Poll)) {
			return
		}
	}
}

func (q *Queue) claimBatch(ctx, writing context.Context) (full bool) {
	until := q.now().Add(q.config.Lease) // from before the claim: never more than there is
	mails, err := q.store.ClaimMail(ctx, q.replica, q.config.Lease, q.config.Claim)
	if err != nil {
		if ctx.Err() == nil {
			q.nag(slog.LevelWarn, "claim", "cannot look for waiting mails", "error", err)
		}
		return false
	}
	for _, m := range mails {
		if !q.held.take(m.ID, until) {
			continue // being sent, or its result waits to be written
		}
		j, err := q.open(m)
		if err != nil {
			q.log.Error("mail given up: its payload does not open (was the instance secret changed?)", "mail", m.ID.String(), "error", err)
			q.report(writing, store.Settled{ID: m.ID, State: store.MailFailed, Error: "the payload does not open"})
			continue
		}
		select {
		case q.claimed <- j:
		case <-ctx.Done():
			q.report(writing, store.Settled{ID: m.ID, State: store.MailQueued})
		}
	}
	return len(mails) == q.config.Claim
}

func (q *Queue) open(m store.QueuedMail) (job, error) {
	plain, err := q.sealer.Open(m.Payload, m.Challenge[:])
	if err != nil {
		return job{}, err
	}
	j := job{id: m.ID, decoy: m.Decoy, attempts: m.Attempts, expires: m.ExpiresAt}
	return j, json.Unmarshal(plain, &j.message)
}

// sleep waits for d; false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
