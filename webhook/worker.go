package webhook

import (
	"context"
	"net/http"
	"sync"
	"time"

	"idp/store"
)

// line is how a hook gets on in this replica.
type line struct {
	busy     bool
	failures int       // claims in a row of which every post failed
	until    time.Time // it is left alone
}

// Run posts what is due until ctx ends; then it lets the posts that are under way finish.
func (s *Service) Run(ctx context.Context) {
	var working sync.WaitGroup
	defer working.Wait()
	for {
		s.start(ctx, &working)
		select {
		case <-ctx.Done():
			return
		case <-time.After(jitter(s.pace.Poll)):
		}
	}
}

// start sets workers on the hooks that have something due and have none.
func (s *Service) start(ctx context.Context, working *sync.WaitGroup) {
	due, err := s.store.DueHooks(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.log.WarnContext(ctx, "cannot look for due webhook deliveries", "err", err)
		}
		return
	}
	for _, h := range due {
		if l := s.take(h.ID); l != nil {
			working.Go(func() { s.work(ctx, h, l) })
		}
	}
}

// take makes the caller the one that works for a hook, unless somebody does or it rests.
func (s *Service) take(hook string) *line {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lines[hook]
	if l == nil {
		s.forget()
		l = &line{}
		s.lines[hook] = l
	}
	if l.busy || time.Now().Before(l.until) {
		return nil
	}
	l.busy = true
	return l
}

// forget drops lines that say nothing, of hooks that may be gone.
func (s *Service) forget() {
	for id, l := range s.lines {
		if !l.busy && time.Since(l.until) > s.pace.MaxRest {
			delete(s.lines, id)
		}
	}
}

// work posts what is due of a hook, claim by claim, until nothing is, all of a claim failed,
// or ctx ends. A hook that failed before is tried with one.
func (s *Service) work(ctx context.Context, h store.Hook, l *line) {
	failures := l.failures
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		l.busy, l.failures, l.until = false, failures, time.Time{}
		if failures > 0 {
			l.until = time.Now().Add(s.pace.rest(failures))
		}
	}()
	to, key, err := s.vault.open(h)
	if err != nil { // during a rotation of the secret, a replica that has the new one can
		failures++
		s.log.ErrorContext(ctx, "a webhook waits for another replica: its configuration does not open here (was the instance secret changed?)", "hook", h.ID, "err", err)
		return
	}
	for ctx.Err() == nil {
		limit := claimTimes * perHook
		if failures > 0 {
			limit = 1
		}
		claimed, err := s.store.ClaimHookDeliveries(ctx, h.ID, s.pace.Lease, limit)
		if err != nil || len(claimed) == 0 {
			if err != nil && ctx.Err() == nil {
				failures++
				s.log.WarnContext(ctx, "cannot claim webhook deliveries", "hook", h.ID, "err", err)
			}
			return
		}
		results, down := s.postAll(ctx, claimed, to, key)
		if !s.settle(ctx, h.ID, claimed[0].Worker, results) || down {
			failures++
			return
		}
		failures = 0
		if len(claimed) < limit {
			return
		}
	}
}

// postAll posts what was claimed, perHook at a time. down tells that nothing came through.
func (s *Service) postAll(ctx context.Context, claimed []store.HookDelivery, to Config, key string) (results []store.HookResult, down bool) {
	results = make([]store.HookResult, len(claimed))
	failed := make([]bool, len(claimed))
	slots := make(chan struct{}, perHook)
	var posting sync.WaitGroup
	for i, d := range claimed {
		slots <- struct{}{}
		posting.Go(func() {
			defer func() { <-slots }()
			results[i], failed[i] = s.deliver(ctx, d, to, key)
		})
	}
	posting.Wait()
	down = true
	for _, f := range failed {
		down = down && f
	}
	return results, down
}

// deliver posts one delivery, and tells how that ended, and whether the receiver is at
// fault: what it refuses it may refuse because of what is in it.
func (s *Service) deliver(ctx context.Context, d store.HookDelivery, to Config, key string) (r store.HookResult, failed bool) {
	r = store.HookResult{ID: d.ID, State: store.HookWaiting}
	if ctx.Err() != nil { // we stop: another replica, or the next start, goes on
		r.Untried = true
		return r, false
	}
	age := s.store.Now().Sub(d.CreatedAt)
	if age > s.pace.MaxAge {
		r.State, r.Status, r.Error = store.HookGivenUp, d.Status, "waited for too long"
		return r, false
	}
	n, err := s.vault.openNote(d)
	if err != nil {
		s.log.ErrorContext(ctx, "a webhook delivery waits for another replica: it does not open here (was the instance secret changed?)", "hook", d.Hook, "err", err)
		r.Untried, r.Retry, r.Error = true, s.pace.MaxRest, "does not open"
		return r, false
	}
	// What was begun is finished, also while we stop: the receiver may have acted on it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), postTimeout)
	defer cancel()
	if s.trace != nil {
		traced, ended := s.trace(ctx, d.ID, d.Hook, d.Event, d.Attempts)
		ctx = traced
		defer func() { ended(r.Status, err) }()
	}
	text, err := s.compose(ctx, d.Hook, d.Event, n)
	if err != nil {
		s.log.WarnContext(ctx, "cannot read what a webhook is told of", "hook", d.Hook, "err", err)
		r.Untried, r.Retry = true, s.pace.Rest
		return r, true // there is no use in claiming more
	}
	r.Status, err = s.client.post(ctx, to, key, d.ID.String(), text)
	if err == nil {
		r.State = store.HookDelivered
		return r, false
	}
	r.Error = err.Error()
	again := false
	if r.Status != http.StatusGone {
		r.Retry, again = s.pace.retry(d.Attempts, to)
	}
	if !again {
		r.State = store.HookGivenUp
	}
	s.log.WarnContext(ctx, "webhook delivery failed", "hook", d.Hook, "event", d.Event, "delivery", d.ID.String(), "attempt", d.Attempts, "error", r.Error, "again", again)
	down := r.Status == 0 || r.Status >= 500 || r.Status == http.StatusTooManyRequests
	return r, down
}

// settle writes results down, also while we stop, and again while the database is away but
// the leases last: what was delivered is not delivered again.
func (s *Service) settle(ctx context.Context, hook string, worker store.ID, results []store.HookResult) bool {
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.pace.Lease/4)
	defer cancel()
	for {
		err := s.store.SettleHookDeliveries(within, worker, results)
		if err == nil {
			return true
		}
		s.log.WarnContext(ctx, "cannot write down what became of webhook deliveries", "hook", hook, "err", err)
		select {
		case <-within.Done():
			return false
		case <-time.After(time.Second):
		}
		if ctx.Err() != nil { // once more is enough
			return s.store.SettleHookDeliveries(within, worker, results) == nil
		}
	}
}
