package admin

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

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

// LogQuery chooses entries.
type LogQuery struct {
	store.EventFilter
	Failed bool // only those that [audit.Opened.Failed]
}

// kinds are the kinds that are asked for, "" for any.
func (q LogQuery) kinds() []string {
	switch {
	case !q.Failed:
		return []string{q.Kind}
	case q.Kind == "":
		return audit.FailedKinds()
	case slices.Contains(audit.FailedKinds(), q.Kind):
		return []string{q.Kind}
	}
	return nil
}

// FindLogs lists entries, newest first: those before a place, or, if after is not zero, the
// ones that come next after that one.
//
// Failures are few among many: each of their kinds is read by its index.
func (s *Service) FindLogs(ctx context.Context, q LogQuery, before, after store.EventPlace, limit int) ([]audit.Opened, error) {
	var found []store.KeyedEvent
	forward := after != store.EventPlace{}
	for _, kind := range q.kinds() {
		f := q.EventFilter
		f.Kind = kind
		var some []store.KeyedEvent
		var err error
		if forward {
			some, err = s.store.EventsAfter(ctx, f, after, limit)
		} else {
			some, err = s.store.EventsBefore(ctx, f, before, limit)
		}
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	slices.SortFunc(found, func(a, b store.KeyedEvent) int {
		return cmp.Or(b.At.Compare(a.At), bytes.Compare(b.ID[:], a.ID[:]))
	})
	switch {
	case len(found) <= limit:
	case forward:
		found = found[len(found)-limit:] // the nearest
	default:
		found = found[:limit]
	}
	return s.opened(found), nil
}

// ExportLimit is how many entries [Service.ExportLogs] gives at most.
const ExportLimit = 100_000

// exportPage is how many it reads at a time.
const exportPage = 1000

// ExportLogs gives entries to each, newest first, [ExportLimit] at most. That somebody took
// them is an entry itself, written before.
func (s *Service) ExportLogs(ctx context.Context, by audit.Actor, q LogQuery, each func(audit.Opened) error) error {
	asked := map[string]any{}
	for name, value := range map[string]string{"user": q.User, "client": q.Client, "kind": q.Kind, "by": q.Actor} {
		if value != "" {
			asked[name] = value
		}
	}
	for name, at := range map[string]time.Time{"since": q.Since, "until": q.Until} {
		if !at.IsZero() {
			asked[name] = at.UTC()
		}
	}
	if q.Failed {
		asked["failed"] = true
	}
	if err := s.store.Tell(ctx, s.book.Entry(by, audit.Record{Kind: KindLogsExported, Detail: asked})); err != nil {
		return err
	}
	var before store.EventPlace
	for n := 0; n < ExportLimit; {
		page, err := s.FindLogs(ctx, q, before, store.EventPlace{}, min(exportPage, ExportLimit-n))
		if err != nil {
			return err
		}
		for _, e := range page {
			if err := each(e); err != nil {
				return err
			}
			before = e.Place()
		}
		if n += len(page); len(page) < exportPage {
			break
		}
	}
	return nil
}

func (s *Service) opened(events []store.KeyedEvent) []audit.Opened {
	out := make([]audit.Opened, len(events))
	for i, e := range events {
		out[i] = s.book.Open(e)
	}
	return out
}
