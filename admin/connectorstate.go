package admin

import (
	"context"
	"slices"
	"time"

	"idp/mailer"
)

// ConnectorState is a connector at work.
type ConnectorState struct {
	Connector
	Health *mailer.ConnectorState // as the running servers tell; nil: none did in the last minute
	Mails  map[string]int         // of the last 24 hours, by state
}

// countedMails bounds how many mails of a day are counted: their reading is what a
// page waits for.
const countedMails = 10_000

// ConnectorStates lists the connectors in the order they are tried, with how they get on. More
// says that there were more mails than were counted.
func (s *Service) ConnectorStates(ctx context.Context) (states []ConnectorState, more bool, err error) {
	found, err := s.Connectors(ctx)
	if err != nil {
		return nil, false, err
	}
	told, err := mailer.ConnectorStates(ctx, s.store)
	if err != nil {
		return nil, false, err
	}
	counts, err := s.store.MailCounts(ctx, s.store.Now().Add(-24*time.Hour), countedMails)
	if err != nil {
		return nil, false, err
	}
	counted := 0
	for _, c := range found {
		one := ConnectorState{Connector: c, Mails: map[string]int{}}
		if i := slices.IndexFunc(told, func(t mailer.ConnectorState) bool { return t.Connector == c.ID }); i >= 0 {
			one.Health = &told[i]
		}
		for _, n := range counts {
			if n.Sender == c.ID {
				one.Mails[mailer.StateName(n.State)] += n.Count
			}
		}
		states = append(states, one)
	}
	for _, n := range counts {
		counted += n.Count
	}
	return states, counted >= countedMails, nil
}
