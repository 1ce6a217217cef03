package admin

import (
	"context"
	"time"

	"idp/store"
)

// HookDay is the time that [Service.HookCounts] looks back, and a log does as a rule.
const HookDay = 24 * time.Hour

// HookLog lists what became of the deliveries of a webhook, the newest first, and counts them
// up to most. The error is [store.NotFound].
func (s *Service) HookLog(ctx context.Context, f store.HookLogFilter, offset, limit, most int) ([]store.HookDelivery, int, error) {
	if _, err := s.store.FreshHook(ctx, f.Hook); err != nil {
		return nil, 0, err
	}
	return s.store.HookLog(ctx, f, offset, limit, most)
}

// HookDelivery reads a delivery of a webhook. The error is [store.NotFound].
func (s *Service) HookDelivery(ctx context.Context, hook string, id store.ID) (store.HookDelivery, error) {
	return s.store.HookDelivery(ctx, hook, id)
}

// HookCounts tells how a webhook got on in the last day.
func (s *Service) HookCounts(ctx context.Context, id string) (store.HookCounts, error) {
	return s.store.HookCounts(ctx, id, s.store.Now().Add(-HookDay), 10_000)
}

// HookStanding is how a webhook gets on, as far as its newest deliveries tell.
type HookStanding struct {
	Counts  store.HookCounts   // of the last day
	Last    store.HookDelivery // the newest that was tried; without an id if there is none
	Waiting int                // deliveries that are still to be made
}

// Failing tells whether nothing came through in the last day, though something was posted.
func (s HookStanding) Failing() bool { return s.Counts.Requests > 0 && s.Counts.Successes == 0 }

// HookStanding tells how a webhook gets on. It looks at most deliveries, and counts those
// that wait no further than that.
func (s *Service) HookStanding(ctx context.Context, id string, most int) (h HookStanding, err error) {
	if h.Counts, err = s.store.HookCounts(ctx, id, s.store.Now().Add(-HookDay), most); err != nil {
		return h, err
	}
	last, _, err := s.store.HookLog(ctx, store.HookLogFilter{Hook: id, Newest: most}, 0, 1, 1)
	if err != nil {
		return h, err
	}
	if len(last) == 1 {
		h.Last = last[0]
	}
	h.Waiting, err = s.store.HookBacklog(ctx, id, most)
	return h, err
}
