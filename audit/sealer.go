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
	Unchained(ctx context.Context, limit int) ([]store.Unchained, error)
	MakeUserKeys(ctx context.Context, keys []store.UserKey) error
	ChainEvents(ctx context.Context, b store.EventBatch, events []store.Event, extra []store.HookDelivery) (made bool, err error)
	EventBatches(ctx context.Context, from int64, limit int) ([]store.EventBatch, error)
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
}

// Sealer chains what was written, a batch each second, so that no sign-in waits for
// another to have its place. It seals what is personal under the key of whom it is about.
type Sealer struct {
	SealerDeps
	book   *keyring.Sealer
	people people
	chain  chain
	seen   store.EventBatch // the furthest end of the chain that was seen
}

// NewSealer makes a sealer. One runs in each replica.
func NewSealer(d SealerDeps) *Sealer {
	return &Sealer{SealerDeps: d, book: bookSealer(d.Ring), people: newPeople(d.Ring), chain: newChain(d.Ring)}
}

const (
	sealEvery = time.Second
	sealLimit = 1000 // events of a batch; a full one is followed by the next at once
)

// cutEvery is how often it is looked for what is older than it is kept.
const cutEvery = time.Minute

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
			n, err := s.Seal(ctx)
			if err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "chain the audit log", "err", err)
			}
			if n < sealLimit || err != nil {
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
	s.watch(ctx, last)
	waiting, err := s.waiting(ctx)
	if err != nil || len(waiting) == 0 {
		return 0, err
	}
	events, opened := make([]store.Event, len(waiting)), make([]Opened, len(waiting))
	for i, u := range waiting {
		if events[i], opened[i], err = s.reseal(u); err != nil {
			return 0, err
		}
	}
	var extra []store.HookDelivery
	if s.Deliver != nil {
		if extra, err = s.Deliver(ctx, opened); err != nil {
			return 0, fmt.Errorf("make what webhooks are told: %w", err)
		}
	}
	b := s.chain.link(last, events, s.Store.Now())
	made, err := s.Store.ChainEvents(ctx, b, events, extra)
	if made {
		s.seen = b
	}
	return len(waiting), err
}

// waiting reads what is to be chained, after making keys for the people who need one.
func (s *Sealer) waiting(ctx context.Context) ([]store.Unchained, error) {
	for first := true; ; first = false {
		waiting, err := s.Store.Unchained(ctx, sealLimit)
		if err != nil {
			return nil, err
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

// reseal moves what is personal of an event from the instance's key to that of whom it is
// about. Of somebody who is gone it is dropped.
func (s *Sealer) reseal(u store.Unchained) (store.Event, Opened, error) {
	e := u.Event
	told := Opened{Event: e}
	if len(e.Personal) == 0 {
		return e, told, nil
	}
	plain, err := s.book.Open(e.Personal, e.ID[:])
	if err != nil { // under a secret that is gone: it stays what it is
		return e, told, nil
	}
	told.Known = plain
	switch {
	case e.User == "":
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

// cutBatches bounds how much is removed in one go.
const cutBatches = 500

// Cut removes the oldest batches, at most so many, if all in them is older than entries are
// kept. The chain begins behind them then, at an anchor that says so.
func (s *Sealer) Cut(ctx context.Context, most int) (n int, err error) {
	if s.Keep == 0 {
		return 0, nil
	}
	now := s.Store.Now()
	oldest, err := s.Store.EventBatches(ctx, 0, most)
	for ; err == nil && n < len(oldest) && oldest[n].CreatedAt.Before(now.Add(-s.Keep)); n++ {
		a := store.EventAnchor{No: oldest[n].No, Hash: oldest[n].Hash, CutAt: now}
		s.chain.anchor(&a)
		done, err := s.Store.CutEvents(ctx, a)
		if err != nil || !done { // another replica is at it
			return n, err
		}
	}
	return n, err
}

// watch compares the end of the chain with the furthest that was seen: whoever can write to
// the database can cut it off, which the rows that are left do not show.
func (s *Sealer) watch(ctx context.Context, last store.EventBatch) {
	if last.No < s.seen.No || last.No == s.seen.No && last.Hash != s.seen.Hash {
		s.Log.ErrorContext(ctx, "the audit log was cut or changed: its last batch is not the one that was there", "batch", s.seen.No, "now", last.No)
	}
	s.seen = last
}
