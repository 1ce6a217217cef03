package admin

import (
	"context"

	"idp/store"
)

type alarmStore interface {
	Alarms(ctx context.Context) ([]store.Alarm, error)
}

// Alarms lists those that are on, by name.
func (s *Service) Alarms(ctx context.Context) (on []store.Alarm, err error) {
	all, err := s.store.Alarms(ctx)
	for _, a := range all {
		if a.On() {
			on = append(on, a)
		}
	}
	return on, err
}
