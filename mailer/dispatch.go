package mailer

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"idp/store"
)

// assignment is a mail with the connector that takes it first.
type assignment struct {
	job
	lines  []*line // to be tried, in order; none for a decoy
	ticket ticket  // for the first of them
	like   Sender  // a decoy is worded like a mail that goes through it
}

// glance is how often the dispatcher looks again at connectors that cannot send.
const glance = 20 * time.Millisecond

// dispatch gives mails to the workers at the pace of the connectors, until ctx ends.
// Being alone it keeps the order: a mail of this moment goes before the backlog,
// however long that is.
func (q *Queue) dispatch(ctx, writing context.Context) {
	defer close(q.hands)
	for ctx.Err() == nil {
		j, ok := q.next(ctx)
		if !ok {
			return
		}
		if !q.timely(writing, j) {
			continue
		}
		if j, ok = q.pay(ctx, writing, j); !ok {
			continue
		}
		q.waiting.Store(true)
		a, ok := q.turn(ctx, j)
		q.waiting.Store(false)
		if ok {
			select {
			case q.hands <- a:
				continue
			case <-ctx.Done():
				a.release()
			}
		}
		q.ceiling.unsent(j)
		q.putBack(writing, j)
	}
}

// putBack gives a mail back that was not begun: it is due at once, so that a burst
// waits for the rate and not for its leases. One whose lease is about to end may be
// another replica's before that is written: it is left alone.
func (q *Queue) putBack(writing context.Context, j job) {
	if q.now().Add(q.config.Slack).After(q.held.lease(j.id)) {
		q.held.drop(j.id)
		return
	}
	q.report(writing, store.Settled{ID: j.id, State: store.MailQueued})
}

func (a assignment) release() {
	if len(a.lines) > 0 {
		a.lines[0].release(a.ticket)
	}
}

// next gives the next mail, those that were handed over before those of the backlog.
func (q *Queue) next(ctx context.Context) (job, bool) {
	select {
	case j := <-q.fresh:
		return j, true
	default:
	}
	select {
	case j := <-q.fresh:
		return j, true
	case j := <-q.claimed:
		return j, true
	case <-ctx.Done():
		return job{}, false
	}
}

// timely tells whether there is time to send a mail. It is not if the lease does
// not last for it: then it goes back, for the next holder to send it.
func (q *Queue) timely(writing context.Context, j job) bool {
	now := q.now()
	switch {
	case now.Add(q.config.SendTimeout + q.config.Slack).After(q.held.lease(j.id)):
		q.putBack(writing, j)
	case !now.Before(store.LastCall(j.created, j.expires)):
		q.report(writing, store.Settled{ID: j.id, State: store.MailExpired, Error: store.DroppedMail})
	default:
		return true
	}
	return false
}

// turn waits until a connector may take the mail: its circuit is closed, or ripe for
// one mail to try it, and its rate has room. A connector at its rate is waited for
// and not passed over: the next one is for when it fails.
//
// A decoy waits like the others and takes nobody's place: neither in the rate, nor as
// the one that tries.
func (q *Queue) turn(ctx context.Context, j job) (assignment, bool) {
	for {
		lines := q.lines(ctx)
		now := time.Now()
		for i, l := range lines {
			if j.decoy {
				if _, ripe, _ := l.ready(now); ripe {
					return assignment{job: j, like: l.sender}, sleep(ctx, l.wait(now))
				}
				continue
			}
			t, ok := l.enter(now)
			if !ok {
				continue
			}
			a := assignment{job: j, lines: lines[i:], ticket: t}
			if l.place(ctx) {
				return a, true
			}
			a.release()
			return assignment{}, false
		}
		if len(lines) == 0 {
			q.nagNoConnector(ctx)
		}
		if !sleep(ctx, glance) {
			return assignment{}, false
		}
	}
}

func (q *Queue) nagNoConnector(ctx context.Context) {
	if connectors, err := q.store.Connectors(ctx); err == nil && len(connectors) == 0 {
		q.nag(slog.LevelError, "connectors", "mails wait: no connector is set up (fix: idp connector set http --file config.json)")
	}
}

func (q *Queue) nagAboutReading(err error) {
	q.nag(slog.LevelWarn, "connectors unread", "cannot read the connectors: mails wait", "error", err)
}

// errNoShare is the reason of a mail that met its rate's end while changing over.
var errNoShare = errors.New("its rate has no room within the time of an attempt")
