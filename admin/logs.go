package admin

import (
	"context"
	"fmt"

	"idp/audit"
	"idp/store"
)

type logStore interface {
	Event(ctx context.Context, id store.ID) (store.KeyedEvent, error)
	Events(ctx context.Context, f store.EventFilter, offset, limit int) ([]store.KeyedEvent, error)
	EventsBefore(ctx context.Context, f store.EventFilter, before store.EventPlace, limit int) ([]store.KeyedEvent, error)
	EventsAfter(ctx context.Context, f store.EventFilter, after store.EventPlace, limit int) ([]store.KeyedEvent, error)
	CountEvents(ctx context.Context, f store.EventFilter, most int) (int, error)
}

// LogReach is how many entries numbered pages reach, and are counted, from the newest on. What
// is older is found by time.
const LogReach = 10_000

// Log reads an entry of the audit log. The error is [store.NotFound].
func (s *Service) Log(ctx context.Context, id store.ID) (audit.Opened, error) {
	e, err := s.store.Event(ctx, id)
	return s.book.Open(e), err
}

// Logs lists entries of the audit log, newest first, and counts up to one more than
// [LogReach] of them.
func (s *Service) Logs(ctx context.Context, f store.EventFilter, offset, limit int) ([]audit.Opened, int, error) {
	const op = "list logs"
	if offset+limit > LogReach {
		return nil, 0, store.InvalidField(op, "page", fmt.Sprintf("is beyond the first %d entries: ask for older ones by their time", LogReach))
	}
	total, err := s.store.CountEvents(ctx, f, LogReach+1)
	if err != nil {
		return nil, 0, err
	}
	events, err := s.store.Events(ctx, f, offset, limit)
	return s.opened(events), total, err
}

// LogsBefore lists entries before a place, newest first; the zero place is the end.
func (s *Service) LogsBefore(ctx context.Context, f store.EventFilter, before store.EventPlace, limit int) ([]audit.Opened, error) {
	events, err := s.store.EventsBefore(ctx, f, before, limit)
	return s.opened(events), err
}

// LogsAfter lists entries after a place, oldest first; the zero place is the beginning.
func (s *Service) LogsAfter(ctx context.Context, f store.EventFilter, after store.EventPlace, limit int) ([]audit.Opened, error) {
	events, err := s.store.EventsAfter(ctx, f, after, limit)
	return s.opened(events), err
}

func (s *Service) opened(events []store.KeyedEvent) []audit.Opened {
	out := make([]audit.Opened, len(events))
	for i, e := range events {
		out[i] = s.book.Open(e)
	}
	return out
}
