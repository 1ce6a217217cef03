package webhook

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"idp/audit"
	"idp/store"
)

// maxBacklog is how many deliveries wait for a hook. A receiver that is away while a
// thousand people sign in each second does not fill the database.
const maxBacklog = 100_000

// backlog is how long a queue was.
type backlog struct {
	full bool
	at   time.Time
}

// backlogAge is for how long that is believed.
const backlogAge = 5 * time.Second

// Deliver makes the deliveries of events for the enabled hooks that want them. It is an
// [audit.Deliver]: the sealer writes them in the transaction that chains the events, so
// that each event is queued once.
func (s *Service) Deliver(ctx context.Context, events []audit.Opened) ([]store.HookDelivery, error) {
	hooks, err := s.store.Hooks(ctx)
	if err != nil || len(hooks) == 0 {
		return nil, err
	}
	now := s.store.Now()
	var out []store.HookDelivery
	dropped := map[string]int{}
	for _, e := range events {
		for _, name := range meaning(e.Event) {
			for _, h := range hooks {
				if !h.Enabled || !slices.Contains(h.Events, name) {
					continue
				}
				if s.isFull(ctx, h.ID) {
					dropped[h.ID]++
					continue
				}
				d := store.HookDelivery{ID: store.NewID(now), Hook: h.ID, Event: name, State: store.HookWaiting, DueAt: now, CreatedAt: now}
				if d.Payload, err = s.vault.sealNote(d.ID, noteOf(e)); err != nil {
					return nil, err
				}
				out = append(out, d)
			}
		}
	}
	for id, n := range dropped {
		s.log.ErrorContext(ctx, "events are not told to a webhook: its queue is full", "hook", id, "events", n, "waiting", maxBacklog)
	}
	return out, nil
}

// isFull tells whether a hook's queue takes no more. If that cannot be known, it does.
func (s *Service) isFull(ctx context.Context, hook string) bool {
	s.mu.Lock()
	b := s.full[hook]
	s.mu.Unlock()
	if time.Since(b.at) < backlogAge {
		return b.full
	}
	n, err := s.store.HookBacklog(ctx, hook, maxBacklog)
	b = backlog{err == nil && n >= maxBacklog, time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.full) > 2*store.MaxHooks { // some of hooks that are gone
		clear(s.full)
	}
	s.full[hook] = b
	return b.full
}

func noteOf(e audit.Opened) note {
	n := note{At: e.At.UnixMilli(), User: e.User, Client: e.Client, Target: e.Target}
	if json.Valid(e.Detail) { // else it was changed in the database, and would stop the chain
		n.Detail = e.Detail
	}
	var who struct{ IP, Agent string }
	if json.Unmarshal(e.Known, &who) == nil {
		n.IP, n.Agent = who.IP, who.Agent
	}
	return n
}
