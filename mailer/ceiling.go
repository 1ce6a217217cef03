package mailer

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"idp/store"
)

// The ceiling on all mails together.
const (
	// mails: the instance. All mails of the queue, over all connectors and replicas, decoys too,
	// or it would tell which those are. Keeps what a bill, a provider's day or a reputation can
	// bear. Its key is no secret and holds with any instance secret: it names nobody.
	ceilingKey = "ceiling of mails"

	ceilingMost = 20              // units that a replica takes at once, and never more than a hundredth
	ceilingIdle = 2 * time.Second // after it units that nobody needed go back
	ceilingTime = 3 * time.Second // of a transaction

	// How soon a mail that waits for the ceiling looks at it again.
	ceilingLeast = time.Second
	ceilingRetry = 30 * time.Second
)

// The error of a mail that waits for the ceiling, and of one that has waited in vain.
const (
	ceilingWaits    = "waits: the ceiling of all mails (IDP_LIMIT_MAILS) is reached"
	ceilingWithheld = "withheld: the ceiling of all mails (IDP_LIMIT_MAILS) was reached, and the address is no operator's"
	ceilingDropped  = "dropped: the ceiling of all mails (IDP_LIMIT_MAILS) was reached, and too little of its life is left to be of use"
)

// ceiling counts all mails, in one row that all replicas share. A mail takes a unit when it
// is its turn to be sent, not in the request that it comes from. A busy replica takes several
// units at once and holds them in memory; a quiet one takes them one by one and holds none.
//
// One mail takes one unit, however often it is tried: one that surely did not leave gives
// its unit back, and one that may have left ([SendError.Unsure]) keeps it for its next attempt here. What cannot be
// counted, because the database does not answer, is not sent.
//
// A tenth is left for operators who sign in to the console: their mails take a unit like any
// other while there are some, and go without one when there are none. A stranger must not be able to
// lock those out who would end what he does. What bounds them are the limits of their addresses,
// and they move nothing that a stranger could see. What he asks for at the console for other
// addresses goes nowhere then, as a decoy.
type ceiling struct {
	store Store
	now   func() time.Time // the database's clock
	limit store.Limit      // zero: there is none
	kept  int              // units, of the limit's

	mu     sync.Mutex
	units  int                    // taken and not used
	going  int                    // on their way back to the row
	chunk  int                    // that were taken last
	took   time.Time              // when; of this machine's clock, as used is
	used   time.Time              // when one was used last
	whole  time.Time              // when all of the limit is there again, as far as was seen
	shut   bool                   // it was reached, and there is not yet enough again to let people ask for codes
	inHand map[store.ID]time.Time // mails that may have left, whose unit waits for their next attempt; with the end of their life
}

func newCeiling(s Store, now func() time.Time, w store.Window) *ceiling {
	c := &ceiling{store: s, now: now, inHand: map[store.ID]time.Time{}}
	if w.Count > 0 {
		c.limit = store.Limit{Name: store.LimitMails, Key: store.Hash(sha256.Sum256([]byte(ceilingKey))), Windows: [2]store.Window{w}}
		c.kept = w.Count / 10
	}
	return c
}

// unit is what one mail takes of the row: the time in which it comes back.
func (c *ceiling) unit() time.Duration {
	return c.limit.Windows[0].Period / time.Duration(c.limit.Windows[0].Count)
}

// wait is how long until so many units are there that are not kept. The ceiling is locked.
func (c *ceiling) wait(units int) time.Duration {
	return max(0, c.gone()-c.limit.Windows[0].Period+time.Duration(c.kept+units)*c.unit())
}

// gone is how long it takes until all units are there again. Those that are on their way back
// count as there: who finds none asks again soon, and is not sent away. The ceiling is locked.
func (c *ceiling) gone() time.Duration {
	return max(0, c.whole.Sub(c.now())-time.Duration(c.going)*c.unit())
}

// enough is how many units have to be there again before people may ask for codes: with one at
// a time most of those who ask would only join those who wait.
func (c *ceiling) enough() int { return max(1, c.limit.Windows[0].Count/100) }

// most is how many units a replica holds that no mail has.
func (c *ceiling) most() int { return min(ceilingMost, c.limit.Windows[0].Count/100) }

// full is how long nobody can ask for a code any more, where so many mails wait here for their
// turn already; 0: anybody can.
func (c *ceiling) full(waiting int) time.Duration {
	if c.limit.IsZero() {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	need := max(0, 1+waiting-c.units)
	if c.shut {
		need = max(need, c.enough())
	}
	return c.wait(need)
}

// take takes a unit for a mail. wait is how long none is there; paid tells that one was taken,
// which [ceiling.after] has to be told the end of. Only the dispatcher calls it.
func (c *ceiling) take(ctx context.Context, j job) (paid bool, wait time.Duration, err error) {
	if c.limit.IsZero() {
		return false, 0, nil
	}
	c.mu.Lock()
	now := time.Now()
	if _, have := c.inHand[j.id]; have {
		c.mu.Unlock()
		return true, 0, nil
	}
	if c.units > 0 {
		c.units--
		c.used = now
		c.mu.Unlock()
		return true, 0, nil
	}
	if wait := c.wait(1); wait > 0 {
		c.shut = true
		c.mu.Unlock()
		return false, wait, nil
	}
	// Twice as many as the last time, if those were used up at once.
	n := 1
	if now.Sub(c.took) < time.Second {
		n = max(1, min(2*c.chunk, c.most()))
	}
	c.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, ceilingTime)
	defer cancel()
	taken, err := c.store.TakeUnits(ctx, c.limit, n, c.kept)
	if err != nil {
		return false, 0, err
	}
	if taken == 0 {
		return false, max(c.look(ctx), glance), nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.units, c.chunk, c.took, c.used = c.units+taken-1, taken, now, now
	if c.whole.Before(c.now()) {
		c.whole = c.now()
	}
	c.whole = c.whole.Add(time.Duration(taken) * c.unit())
	return true, 0, nil
}

// look reads where the row stands, and tells how long there is no unit. What cannot be read is
// as it was.
func (c *ceiling) look(ctx context.Context) time.Duration {
	whole, err := c.store.WholeAgain(ctx, c.limit)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.whole = whole
	}
	wait := c.wait(1)
	if c.units > 0 {
		wait = 0
	}
	switch {
	case wait > 0:
		c.shut = true
	case c.wait(c.enough()) == 0:
		c.shut = false
	}
	return wait
}

// after tells how the attempt with a mail ended: it left, it may have left, or it did not.
func (c *ceiling) after(j job, r result) {
	if !j.paid {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, before := c.inHand[j.id]
	switch {
	case r.err == nil:
		delete(c.inHand, j.id)
	case r.doubt:
		c.inHand[j.id] = j.expires
	case !before: // else an earlier attempt may have left
		c.units++
	}
}

// unsent gives the unit back of a mail that nothing was tried with.
func (c *ceiling) unsent(j job) { c.after(j, result{err: errNotTried}) }

// errNotTried is the result of a mail that nothing was tried with.
var errNotTried = errors.New("not tried")

// rest takes the units that are not needed: all of them, those that nobody has needed lately, or
// those that are too many, because mails gave them back. It forgets mails whose life is over.
func (c *ceiling) rest(all bool) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, end := range c.inHand {
		if end.Before(c.now()) {
			delete(c.inHand, id)
		}
	}
	keep := 0
	if !all && time.Since(c.used) < ceilingIdle {
		keep = min(c.units, c.most())
	}
	n, c.units = c.units-keep, keep
	c.going = n
	return n
}

// giveBack gives back what is not needed. Units that cannot be given back are lost, which
// exceeds nothing.
func (c *ceiling) giveBack(ctx context.Context, all bool) error {
	n := c.rest(all)
	if n == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, ceilingTime)
	defer cancel()
	err := c.store.Refund(ctx, map[store.Limit]int{c.limit: n})
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.going = 0; err == nil {
		c.whole = c.whole.Add(-time.Duration(n) * c.unit())
	}
	return err
}

// pay takes a unit of the ceiling for a mail that is to be sent, and gives the mail back as it is
// to go. If there is no unit the mail waits in the queue, to be looked at again when there may be
// one, or is given up if that is too late: then whoever waits for it is told now, and not
// when its life ends.
func (q *Queue) pay(ctx, writing context.Context, j job) (job, bool) {
	for {
		paid, wait, err := q.ceiling.take(ctx, j)
		beyond := err == nil && wait > 0
		j.withheld = false
		if beyond && j.message.Console {
			j.withheld, err = q.isNoOperator(ctx, j.message.To)
			beyond = false
		}
		switch {
		case err == nil && !beyond:
			j.paid, j.decoy = paid, j.decoy || j.withheld
			return j, true
		case err == nil:
			q.holdBack(writing, j, wait)
			return j, false
		case ctx.Err() != nil:
			q.putBack(writing, j)
			return j, false
		}
		q.nag(slog.LevelWarn, "ceiling", "mails wait: they cannot be counted (IDP_LIMIT_MAILS)", "error", err)
		sleep(ctx, 10*glance)
		if !q.timely(writing, j) {
			return j, false
		}
	}
}

// isNoOperator tells whether a mail of the console's sign-in that is beyond the ceiling goes
// nowhere. Anybody can ask for one, for any address.
func (q *Queue) isNoOperator(ctx context.Context, to store.Email) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, ceilingTime)
	defer cancel()
	all, err := q.store.Operators(ctx)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(all, func(o store.Operator) bool { return o.Email == to }), nil
}

// holdBack puts a mail back that waits for the ceiling.
func (q *Queue) holdBack(writing context.Context, j job, wait time.Duration) {
	s := store.Settled{ID: j.id, State: store.MailQueued, Retry: max(ceilingLeast, min(wait, ceilingRetry)), Error: ceilingWaits}
	if !q.now().Add(max(wait, s.Retry)).Before(store.LastCall(j.created, j.expires)) {
		s = store.Settled{ID: j.id, State: store.MailExpired, Error: ceilingDropped}
	}
	q.report(writing, s)
}

// Full tells for how long nobody can ask for a mail any more, because the ceiling of all
// mails is reached; 0: anybody can.
func (q *Queue) Full() time.Duration { return q.ceiling.full(len(q.fresh)) }

// Ceiling is where the ceiling of all mails stands, as this replica last saw it.
type Ceiling struct {
	Enabled bool
	Reached bool // people cannot ask for codes
	Left    int  // mails that may go now, those of the console not counted
}

// Ceiling tells where the ceiling stands.
func (q *Queue) Ceiling() Ceiling {
	c := q.ceiling
	if c.limit.IsZero() {
		return Ceiling{}
	}
	reached := c.full(0) > 0
	c.mu.Lock()
	defer c.mu.Unlock()
	return Ceiling{Enabled: true, Reached: reached, Left: c.left()}
}

// left is how many units are there that are not kept. The ceiling is locked.
func (c *ceiling) left() int {
	w := c.limit.Windows[0]
	free := w.Period - time.Duration(c.kept)*c.unit() - c.gone()
	return max(0, int(free/c.unit())) + c.units
}
