package mailer

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"idp/store"
)

// Health is how one replica gets on with one connector. It is stored as JSON.
type Health struct {
	State       State     `json:"state"`
	Since       time.Time `json:"since"`                // of the state
	LastError   string    `json:"lastError,omitempty"`  // the provider's words, no address and no code in them
	LastSuccess time.Time `json:"lastSuccess,omitzero"` // when it took a mail last
	Rate        float64   `json:"rate,omitempty"`       // mails a second that this replica sends at most; 0: not limited
	Throttled   bool      `json:"throttled,omitempty"`  // slowed down because the provider said so

	// What the account may send, where the provider tells.
	PerSecond float64 `json:"perSecond,omitempty"`
	Day       float64 `json:"day,omitempty"`
	Sent      float64 `json:"sent,omitempty"` // in the last 24 hours
	Sandbox   bool    `json:"sandbox,omitempty"`
	Paused    bool    `json:"paused,omitempty"`

	Refusals Refusals `json:"refusals,omitzero"` // since it took a mail
}

// Nearly tells that most of the account's mails of the day are used up (80 %).
func (h Health) Nearly() bool { return h.Day > 0 && h.Sent >= warnOfDay*h.Day }

// ConnectorState is how all replicas get on with one connector.
type ConnectorState struct {
	Connector string
	// State is closed if any replica's is, open if all are.
	State       State
	LastSuccess time.Time // of any replica
	Rate        float64   // mails a second of all replicas together; 0: not limited
	Latest      Health    // of the replica that told last
	At          time.Time
	Reports     []Report
}

// Report is what one replica told.
type Report struct {
	Replica store.ID
	At      time.Time
	Health
}

// How often a replica tells of its connectors, and when it counts as gone.
const (
	healthEvery = 15 * time.Second
	healthFresh = 45 * time.Second
)

// HealthStore keeps what the replicas tell.
type HealthStore interface {
	ConnectorHealth(ctx context.Context) ([]store.ConnectorHealth, error)
	Now() time.Time
}

// ConnectorStates gathers what the running replicas told of their connectors, by
// connector. One that no running replica told of is missing.
func ConnectorStates(ctx context.Context, s HealthStore) ([]ConnectorState, error) {
	rows, err := s.ConnectorHealth(ctx)
	if err != nil {
		return nil, err
	}
	return StatesOf(rows, s.Now())
}

// StatesOf is what [ConnectorStates] gives for what was read at a time.
func StatesOf(rows []store.ConnectorHealth, now time.Time) ([]ConnectorState, error) {
	var all []ConnectorState
	for _, row := range fresh(slices.Clone(rows), now) {
		r := Report{Replica: row.Replica, At: row.At}
		if err := json.Unmarshal(row.Health, &r.Health); err != nil {
			return nil, fmt.Errorf("read the health of connector %q: %w", row.Connector, err)
		}
		i := slices.IndexFunc(all, func(c ConnectorState) bool { return c.Connector == row.Connector })
		if i < 0 {
			i = len(all)
			all = append(all, ConnectorState{Connector: row.Connector, State: r.State})
		}
		all[i].add(r)
	}
	slices.SortFunc(all, func(a, b ConnectorState) int { return cmp.Compare(a.Connector, b.Connector) })
	return all, nil
}

// With gives the state with what one replica told after that.
func (c ConnectorState) With(latest Report) ConnectorState {
	with := ConnectorState{Connector: c.Connector, State: latest.State}
	for _, r := range c.Reports {
		if r.Replica != latest.Replica {
			with.add(r)
		}
	}
	with.add(latest)
	return with
}

func (c *ConnectorState) add(r Report) {
	rank := map[State]int{Open: 0, HalfOpen: 1, Closed: 2}
	if rank[r.State] > rank[c.State] {
		c.State = r.State
	}
	if !r.At.Before(c.At) {
		c.At, c.Latest = r.At, r.Health
	}
	if r.LastSuccess.After(c.LastSuccess) {
		c.LastSuccess = r.LastSuccess
	}
	c.Rate += r.Rate
	c.Reports = append(c.Reports, r)
}

// fresh leaves out the replicas that are gone.
func fresh(rows []store.ConnectorHealth, now time.Time) []store.ConnectorHealth {
	return slices.DeleteFunc(rows, func(r store.ConnectorHealth) bool { return now.Sub(r.At) > healthFresh })
}

// health is what to write down of a line. The line is locked.
func (l *line) health(now time.Time) Health {
	return Health{
		State: l.circuit.state, Since: l.circuit.since.UTC(), LastError: l.circuit.lastError, LastSuccess: l.circuit.lastGood.UTC(),
		Rate: l.limiter.rate(now), Throttled: !l.limiter.slowed.at.IsZero(),
		PerSecond: l.quota.PerSecond, Day: l.quota.Day, Sent: l.quota.Sent + float64(l.quota.sent), Sandbox: l.quota.Sandbox, Paused: l.quota.Paused,
		Refusals: l.row.Refusals,
	}
}
