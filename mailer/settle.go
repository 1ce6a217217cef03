package mailer

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"idp/store"
)

// settle writes results until the channel is closed, many in one commit.
func (q *Queue) settle(writing context.Context) error {
	lost := 0
	for first := range q.results {
		batch := q.gather(first)
		// Who goes back may be claimed as soon as that is written, before we know that it is: it is not
		// ours any more then, or nobody would have it until the lease of that claim ends.
		for _, s := range batch {
			if s.State == store.MailQueued {
				q.held.drop(s.ID)
			}
		}
		if !q.write(writing, batch) {
			lost += len(batch)
		}
		for _, s := range batch {
			if s.State != store.MailQueued {
				q.held.drop(s.ID)
			}
		}
	}
	if lost > 0 {
		return fmt.Errorf("write down what became of %d mails: %w", lost, errUnsettled)
	}
	return nil
}

// gather waits a moment for company, so that a busy replica commits once for
// many mails; an idle one pays a few milliseconds that nobody waits for.
func (q *Queue) gather(first store.Settled) []store.Settled {
	batch := []store.Settled{first}
	timer := time.NewTimer(q.config.SettleEvery)
	defer timer.Stop()
	for len(batch) < q.config.SettleBatch {
		select {
		case s, open := <-q.results:
			if !open {
				return batch
			}
			batch = append(batch, s)
		case <-timer.C:
			return batch
		}
	}
	return batch
}

// settleTimeout bounds one write; a later one is a new connection.
const settleTimeout = 5 * time.Second

// settleWait is the longest time between two tries.
const settleWait = 2 * time.Second

// write tries until the database takes the batch, or writing ends.
func (q *Queue) write(writing context.Context, batch []store.Settled) bool {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, settleWait) {
		ctx, cancel := context.WithTimeout(writing, settleTimeout)
		err := q.store.SettleMail(ctx, batch)
		cancel()
		if err == nil {
			return true
		}
		q.nag(slog.LevelError, "settle", "cannot write down which mails were sent; trying again", "mails", len(batch), "error", err)
		if !sleep(writing, wait) {
			return false
		}
	}
}
