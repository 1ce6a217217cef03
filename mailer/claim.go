package mailer

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"idp/store"
)

// claim takes over mails whose lease ended or whose retry is due, until ctx ends:
// as many as the connectors take within the lease, and none while all of them are
// open. Also then it has the store drop those that nobody needs any more.
//
// After the database was away it waits a moment before it takes mails over: theirs
// may be the leases that ended while nobody could write down that they were sent.
func (q *Queue) claim(ctx, writing context.Context) {
	away := false
	for {
		room, shut := q.room(ctx)
		full := false
		// Or they would miss the recovery, held by a lease too short to send in.
		if shut && q.giveBack(writing) > 0 {
			q.nagNoConnector(ctx) // they are not here any more when the dispatcher would say so
		}
		if room > 0 || shut {
			if away {
				room = 0
			}
			var err error
			full, err = q.claimBatch(ctx, writing, room)
			if back := away && err == nil; back && !sleep(ctx, settleWait+2*q.config.SettleEvery) {
				return
			}
			away = err != nil
		}
		var ok bool
		switch {
		case room == 0 && !shut, full: // there is more, once there is room
			ok = sleep(ctx, 5*time.Millisecond)
		default:
			// Jitter keeps replicas that started together from asking together.
			ok = q.await(ctx, q.config.Poll/2+rand.N(q.config.Poll), shut)
		}
		if !ok {
			return
		}
	}
}

// await sleeps for d, or, if the connectors are shut, until one of them opens up.
func (q *Queue) await(ctx context.Context, d time.Duration, shut bool) bool {
	if !shut {
		return sleep(ctx, d)
	}
	for end := time.Now().Add(d); time.Now().Before(end); {
		if !sleep(ctx, min(glance, d)) {
			return false
		}
		if room, _ := q.room(ctx); room > 0 {
			return true
		}
	}
	return true
}

// room is how many mails to claim now. shut tells that there is none because no
// connector takes mails.
func (q *Queue) room(ctx context.Context) (room int, shut bool) {
	now := time.Now()
	inHand := len(q.claimed) + len(q.fresh)
	try := false
	for _, l := range q.lines(ctx) {
		closed, ripe, rate := l.ready(now)
		if !closed {
			try = try || ripe
			continue
		}
		// Half of the time that a mail may wait for its turn under the lease.
		window := (q.config.Lease - q.config.SendTimeout - q.config.Slack) / 2
		most := q.config.Claim
		if usual := q.usual.get(); usual > 0 {
			most = min(most, max(q.config.Workers, int(float64(q.config.Workers)*window.Seconds()/usual.Seconds())))
		}
		if rate > 0 {
			most = min(most, max(1, int(rate*window.Seconds())))
		}
		if room = most - inHand; room < (most+1)/2 {
			return 0, false
		}
		return room, false
	}
	if try && inHand == 0 && !q.waiting.Load() {
		return 1, false
	}
	return 0, true
}

// usual is how long a mail takes lately.
type usual struct{ nanos atomic.Int64 }

func (u *usual) get() time.Duration { return time.Duration(u.nanos.Load()) }

// add counts one that took d. Of two that end together one may be forgotten.
func (u *usual) add(d time.Duration) {
	before := u.nanos.Load()
	if before == 0 {
		before = int64(d)
	}
	u.nanos.Store(before + (int64(d)-before)/16)
}

func (q *Queue) claimBatch(ctx, writing context.Context, limit int) (full bool, err error) {
	until := q.now().Add(q.config.Lease) // from before the claim: never more than there is
	mails, err := q.store.ClaimMail(ctx, q.replica, q.config.Lease, limit)
	if err != nil {
		if ctx.Err() == nil {
			q.nag(slog.LevelWarn, "claim", "cannot look for waiting mails", "error", err)
		}
		return false, err
	}
	for _, m := range mails {
		if !q.held.take(m.ID, until) {
			continue // being sent, or its result waits to be written
		}
		if m.Listed { // it waited while its address refused another, or an operator listed it
			q.report(writing, store.Settled{ID: m.ID, State: store.MailSuppressed})
			continue
		}
		j, err := q.open(m)
		if err != nil {
			// While the secret is being rotated, a replica that has the new one can open it.
			q.nag(slog.LevelError, "payload", "a mail waits for another replica: its payload does not open here (was the instance secret changed?)",
				"mail", m.ID.String(), "error", err)
			q.report(writing, store.Settled{ID: m.ID, State: store.MailQueued, Retry: q.backoff(Temporary, m.Attempts), Error: "the payload does not open"})
			continue
		}
		select {
		case q.claimed <- j:
		case <-ctx.Done():
			q.putBack(writing, j)
		}
	}
	return limit > 0 && len(mails) == limit, nil
}

func (q *Queue) open(m store.QueuedMail) (job, error) {
	plain, err := q.sealer.Open(m.Payload, m.Challenge[:])
	if err != nil {
		return job{}, err
	}
	j := job{id: m.ID, decoy: m.Decoy, attempts: m.Attempts, created: m.CreatedAt, expires: m.ExpiresAt}
	return j, json.Unmarshal(plain, &j.message)
}

// sleep waits for d; false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
