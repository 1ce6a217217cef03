package audit

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"idp/keyring"
	"idp/store"
)

// ChainStore is what a [Sealer] asks of the database.
type ChainStore interface {
	Now() time.Time
	LastBatch(ctx context.Context) (store.EventBatch, error)
	Unchained(ctx context.Context, since time.Time, limit int) ([]store.Unchained, error)
	MakeUserKeys(ctx context.Context, keys []store.UserKey) error
	ChainEvents(ctx context.Context, b store.EventBatch, events []store.Event, extra []store.HookDelivery) (made bool, err error)
	EventBatches(ctx context.Context, from int64, limit int) ([]store.EventBatch, error)
	EventAnchor(ctx context.Context) (store.EventAnchor, error)
	CutEvents(ctx context.Context, a store.EventAnchor) (bool, error)
}

// Deliver makes what webhooks are told of events. It is called once or more for an event;
// what it makes is queued in the transaction that chains the event, so once.
type Deliver func(ctx context.Context, events []Opened) ([]store.HookDelivery, error)

// SealerDeps is what a [Sealer] is made of.
type SealerDeps struct {
	Store   ChainStore
	Ring    *keyring.Ring
	Log     *slog.Logger
	Deliver Deliver       // nil: nobody is told
	Keep    time.Duration // how long entries are kept; 0: for ever

	Wall func() time.Time // the clock of this machine; nil: [time.Now]
}

// Sealer chains what was written, a batch each second, so that no sign-in waits for
// another to have its place. It seals what is personal under the key of whom it is about.
type Sealer struct {
	SealerDeps
	book   *keyring.Sealer
	people people
	chain  chain
	seen   store.EventBatch // the furthest end of the chain that was seen

	looked  time.Time // when all that waits was looked for
	limit   int       // events of the next batch
	strange wait      // for somebody else to go on behind an end that was not made here
	locked  wait      // for somebody else to chain what is of a person whose key does not open
}

// wait is for how long something has been left to other replicas.
type wait struct {
	since time.Time // zero: it is not
	of    store.Hash
}

// patience is how long. While the secret is changed, a replica that has the new one can do
// what one that has not cannot.
const patience = 30 * time.Second

// over tells whether the wait is over, and begins it.
func (w *wait) over(now time.Time, of store.Hash) bool {
	if w.since.IsZero() || w.of != of {
		w.since, w.of = now, of
	}
	return now.Sub(w.since) >= patience
}

// NewSealer makes a sealer. One runs in each replica.
func NewSealer(d SealerDeps) *Sealer {
	if d.Wall == nil {
		d.Wall = time.Now
	}
	return &Sealer{SealerDeps: d, book: bookSealer(d.Ring), people: newPeople(d.Ring), chain: newChain(d.Ring), limit: sealLimit}
}

const (
	sealEvery = time.Second
	sealLimit = 1000 // events of a batch at most; a full one is followed by the next at once
	sealLeast = 10   // of one after failures, which may be because the database is too slow for a full one
)

// cutEvery is how often it is looked for what is older than it is kept.
const cutEvery = time.Minute

// Ids begin with the time, but that of a sign-in is the one of its challenge. What is older than
// sealBack is looked for every sealAll only.
const (
	sealBack = 10 * time.Minute
	sealAll  = time.Minute
)

// lastWords bounds the batch that is made when a server stops.
const lastWords = 2 * time.Second

// Run seals until ctx ends, and once more then: what was written last is not left for the
// next start.
func (s *Sealer) Run(ctx context.Context) {
	cut := time.Now()
	for {
		if time.Since(cut) > cutEvery {
			cut = time.Now()
			if _, err := s.Cut(ctx, cutBatches); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "remove what is old from the audit log", "err", err)
			}
		}
		wait := sealEvery - sealEvery/10 + rand.N(sealEvery/5) // so that replicas do not meet each time
		select {
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
			defer cancel()
			if _, err := s.Seal(ctx); err != nil {
				s.Log.WarnContext(ctx, "chain the end of the audit log", "err", err)
			}
			return
		case <-time.After(wait):
		}
		for {
			limit := s.limit
			n, err := s.Seal(ctx)
			if err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "chain the audit log", "err", err)
			}
			if n < limit || err != nil {
				break
			}
		}
	}
}

// Seal makes one batch of what waits, and tells how much it found. If another replica
// makes the same batch, that one's stands.
func (s *Sealer) Seal(ctx context.Context) (int, error) {
	last, err := s.Store.LastBatch(ctx) // before what waits: see ChainEvents
	if err != nil {
		return 0, err
	}
	if err := s.watch(ctx, last); err != nil {
		return 0, err
	}
	waiting, err := s.waiting(ctx)
	if err != nil || len(waiting) == 0 {
		s.strange = wait{}
		return 0, err
	}
	vouch, err := s.trusts(ctx, last)
	if err != nil {
		return 0, err
	}
	if !vouch {
		if !s.strange.over(s.Store.Now(), last.Hash) {
			return 0, nil
		}
		s.Log.ErrorContext(ctx, "the end of the audit log was not made under a secret of this instance: what comes now does not vouch for it", "batch", last.No)
	}
	events, opened, err := s.resealAll(ctx, waiting)
	if err != nil {
		return 0, err
	}
	var extra []store.HookDelivery
	if s.Deliver != nil {
		if extra, err = s.Deliver(ctx, opened); err != nil {
			return 0, fmt.Errorf("make what webhooks are told: %w", err)
		}
	}
	b := s.chain.link(last, vouch, events, s.Store.Now())
	made, err := s.Store.ChainEvents(ctx, b, events, extra)
	if err != nil {
		s.limit = max(s.limit/2, sealLeast)
		return 0, err
	}
	s.limit = min(2*s.limit, sealLimit)
	if made {
		s.seen = b
	}
	return len(waiting), nil
}

// trusts tells whether the end of the chain was made here: a batch or, if none is left, the
// anchor.
func (s *Sealer) trusts(ctx context.Context, last store.EventBatch) (bool, error) {
	if made, _ := s.chain.sealed(last); made {
		return true, nil
	}
	a, err := s.Store.EventAnchor(ctx)
	return a.No == last.No && a.Hash == last.Hash && s.chain.anchorStands(a), err
}

// waiting reads what is to be chained, after making keys for the people who need one.
func (s *Sealer) waiting(ctx context.Context) ([]store.Unchained, error) {
	now := s.Store.Now()
	since := now.Add(-sealBack)
	if now.Sub(s.looked).Abs() >= sealAll {
		since = time.Time{}
	}
	for first := true; ; first = false {
		waiting, err := s.Store.Unchained(ctx, since, s.limit)
		if err != nil {
			return nil, err
		}
		if since.IsZero() && len(waiting) < s.limit {
			s.looked = now
		}
		keys, asked := []store.UserKey{}, map[string]bool{}
		for _, u := range waiting {
			if len(u.Personal) > 0 && u.Known && u.Key == nil && !asked[u.User] {
				asked[u.User] = true
				keys = append(keys, s.people.newKey(u.User))
			}
		}
		if len(keys) == 0 || !first { // who has none even now has just gone
			return waiting, nil
		}
		if err := s.Store.MakeUserKeys(ctx, keys); err != nil {
			return nil, err
		}
	}
}

// resealAll is reseal for what waits. A key that does not open is left to other replicas for
// a while. Then what is personal under it is dropped: its person's deletion would not reach it.
func (s *Sealer) resealAll(ctx context.Context, waiting []store.Unchained) ([]store.Event, []Opened, error) {
	events, opened := make([]store.Event, len(waiting)), make([]Opened, len(waiting))
	locked := false
	for i, u := range waiting {
		var err error
		events[i], opened[i], err = s.reseal(u)
		if err == nil {
			continue
		}
		locked = true
		if !s.locked.over(s.Store.Now(), store.Hash{}) {
			return nil, nil, err
		}
		s.Log.ErrorContext(ctx, "what is personal of an entry of the audit log is dropped", "event", u.ID.String(), "err", err)
		u.Key = nil
		if events[i], opened[i], err = s.reseal(u); err != nil {
			return nil, nil, err
		}
	}
	if !locked {
		s.locked = wait{}
	}
	return events, opened, nil
}

// reseal moves what is personal of an event from the instance's key to that of whom it is
// about. Of somebody who is gone it is dropped.
func (s *Sealer) reseal(u store.Unchained) (store.Event, Opened, error) {
	e := u.Event
	told := Opened{Event: e}
	if len(e.Personal) == 0 {
		return e, told, nil
	}
	plain, err := s.book.Open(e.Personal, e.ID[:])
	if err != nil {
		return e, told, nil //nolint:nilerr // under a secret that is gone: it stays what it is
	}
	told.Known = plain
	switch {
	case e.User == "", e.Kind == kindUserDeleted && e.Actor != "" && e.Actor != "user:"+e.User:
		// About nobody; or it is where somebody else was who deleted the account.
	case u.Key == nil:
		e.Personal, e.KeyID = nil, e.User
	default:
		person, err := s.people.sealer(e.User, u.Key)
		if err != nil {
			return e, told, fmt.Errorf("open the key of the user %s: %w", e.User, err)
		}
		e.Personal, e.KeyID = person.Seal(plain, e.ID[:]), e.User
	}
	return e, told, nil
}

// kindUserDeleted is the kind of the entry of a deletion. It holds nothing of whom it is about.
const kindUserDeleted = "user.deleted"

// cutBatches bounds how much is removed in one go.
const cutBatches = 500

// Cut removes the oldest batches, at most so many, if all in them is older than entries are
// kept. The chain begins behind them then, at an anchor that says so.
//
// Only what is as it was made is removed: else whoever can write to the database could have us
// remove what they like, by making it look old. So both clocks have to agree, too.
func (s *Sealer) Cut(ctx context.Context, most int) (n int, err error) {
	if s.Keep == 0 {
		return 0, nil
	}
	now := s.Store.Now()
	if wall := s.Wall(); wall.Before(now) {
		now = wall
	}
	isOld := func(b store.EventBatch) bool { return b.CreatedAt.Before(now.Add(-s.Keep)) }
	anchor, err := s.Store.EventAnchor(ctx)
	if err != nil {
		return 0, err
	}
	oldest, err := s.Store.EventBatches(ctx, anchor.No+1, most)
	if err != nil || len(oldest) == 0 || !isOld(oldest[0]) {
		return 0, err
	}
	sound := 0
	if s.chain.anchorStands(anchor) {
		sound = s.chain.sound(anchor, oldest)
	}
	for ; n < len(oldest) && isOld(oldest[n]); n++ {
		if n >= sound {
			return n, s.refuseToCut(ctx, anchor, oldest[n].No)
		}
		a := store.EventAnchor{No: oldest[n].No, Hash: oldest[n].Hash, CutAt: now}
		s.chain.anchor(&a)
		done, err := s.Store.CutEvents(ctx, a)
		if err != nil || !done { // another replica is at it
			return n, err
		}
		anchor = a
	}
	return n, nil
}

// refuseToCut says that a batch is not as it was made, unless another replica has removed
// batches behind the anchor meanwhile.
func (s *Sealer) refuseToCut(ctx context.Context, anchor store.EventAnchor, batch int64) error {
	now, err := s.Store.EventAnchor(ctx)
	if err == nil && now.No == anchor.No {
		s.Log.ErrorContext(ctx, "what is old in the audit log is not as it was made, so it is not removed: see idp audit verify", "batch", batch)
	}
	return err
}

// watch looks for the furthest end of the chain that was seen: whoever can write to the
// database can cut it off, which the rows that are left do not show.
func (s *Sealer) watch(ctx context.Context, last store.EventBatch) error {
	was := s.seen
	there := last
	if last.No > was.No && was.No > 0 { // another replica went on
		found, err := s.Store.EventBatches(ctx, was.No, 1)
		if err != nil {
			return err
		}
		if there = was; len(found) > 0 && found[0].No == was.No { // else it was old, and removed
			there = found[0]
		}
	}
	if there.No < was.No || there.No == was.No && there.Hash != was.Hash {
		s.Log.ErrorContext(ctx, "the audit log was cut or changed: its last batch is not the one that was there", "batch", was.No, "now", last.No)
	}
	s.seen = last
	return nil
}
