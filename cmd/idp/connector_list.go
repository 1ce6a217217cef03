package main

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"idp/mailer"
	"idp/store"
)

type connectorListCmd struct{ jsonFlag }

// connectorView is a connector as the command prints it.
type connectorView struct {
	ID        string         `json:"id"`
	Position  int            `json:"position"`
	Sender    string         `json:"sender,omitempty"`
	Error     string         `json:"error,omitempty"`  // why its configuration does not work
	Health    *healthView    `json:"health,omitempty"` // absent until a running server has reported
	Mails     map[string]int `json:"mails"`            // of the last 24 hours, by state
	UpdatedAt string         `json:"updatedAt"`
}

// healthView is how the running servers get on with a connector.
type healthView struct {
	State       mailer.State     `json:"state"` // closed: mails go through it; open: it is left alone for a while
	Since       time.Time        `json:"since"`
	LastError   string           `json:"lastError,omitempty"`
	LastSuccess time.Time        `json:"lastSuccess,omitzero"`
	Refusals    *mailer.Refusals `json:"refusals,omitempty"` // in a row, of mails to ten recipients or more
	Rate        float64          `json:"rate,omitempty"`     // mails a second of all servers together; absent: not limited
	Day         float64          `json:"day,omitempty"`      // that the account may send in 24 hours
	Sent        float64          `json:"sent,omitempty"`     // of them
	Sandbox     bool             `json:"sandbox,omitempty"`
	Paused      bool             `json:"paused,omitempty"`
	Servers     int              `json:"servers"`
}

// countedFor is how far back mails are counted.
const countedFor = 24 * time.Hour

// Run lists the connectors; their configuration stays sealed.
func (c *connectorListCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		views, err := in.connectorViews(ctx)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return a.printJSON(views)
		case len(views) == 0:
			a.note("No connector is set: mails wait in the queue and expire. Set one: idp connector set --help")
			return nil
		}
		return a.printConnectors(views)
	})
}

func (in *instance) connectorViews(ctx context.Context) ([]connectorView, error) {
	found, err := in.db.Connectors(ctx)
	if err != nil {
		return nil, err
	}
	states, err := mailer.ConnectorStates(ctx, in.db)
	if err != nil {
		return nil, err
	}
	counts, err := in.db.MailCounts(ctx, in.db.Now().Add(-countedFor), math.MaxInt32)
	if err != nil {
		return nil, err
	}
	views := []connectorView{}
	for i, one := range found {
		v := connectorView{ID: one.ID, Position: i, UpdatedAt: one.UpdatedAt.Format("2006-01-02T15:04:05Z07:00"), Mails: map[string]int{}}
		if sender, _, err := in.sender(one); err != nil {
			v.Error = err.Error()
		} else {
			v.Sender = addressOf(sender)
		}
		for _, s := range states {
			if s.Connector == one.ID {
				v.Health = healthOf(s)
			}
		}
		for _, n := range counts {
			if n.Sender == one.ID {
				v.Mails[mailer.StateName(n.State)] += n.Count
			}
		}
		views = append(views, v)
	}
	return views, nil
}

func healthOf(s mailer.ConnectorState) *healthView {
	h := s.Latest
	v := &healthView{State: s.State, Since: h.Since, LastError: h.LastError, LastSuccess: s.LastSuccess, Rate: s.Rate,
		Day: h.Day, Sent: h.Sent, Sandbox: h.Sandbox, Paused: h.Paused, Servers: len(s.Reports)}
	if row, refusing := s.Refusing(); refusing {
		v.Refusals = &row
	}
	return v
}

func (a *app) printConnectors(views []connectorView) error {
	rows := [][]string{{"#", "CONNECTOR", "SENDER", "HEALTH", "RATE", "LAST 24 HOURS", "SET"}}
	for _, v := range views {
		set, err := time.Parse(time.RFC3339, v.UpdatedAt)
		if err != nil {
			return err
		}
		rate := "-"
		if v.Health != nil && v.Health.Rate > 0 {
			rate = fmt.Sprintf("%.3g/s", v.Health.Rate)
		}
		rows = append(rows, []string{fmt.Sprint(v.Position + 1), v.ID, orDash(v.Sender), v.Health.word(), rate, orDash(countsOf(v.Mails)), day(set)})
	}
	if err := a.table(rows...); err != nil {
		return err
	}
	for _, v := range views {
		switch {
		case v.Error != "":
			a.note("%s does not work: %s", v.ID, printable(v.Error))
		case v.Health != nil && v.Health.LastError != "" && v.Health.State != mailer.Closed:
			a.note("%s failed: %s", v.ID, printable(v.Health.LastError))
		case v.Health != nil && v.Health.Refusals != nil:
			row := v.Health.Refusals
			a.note("%s", refusedAll(v.ID, *row, v.Health.LastSuccess))
		}
	}
	return nil
}

// word is the health for people, who do not think of circuits.
func (h *healthView) word() string {
	switch {
	case h == nil:
		return "no report yet" // no server runs, or it has not come to it
	case h.Paused:
		return "paused by the provider"
	case h.State == mailer.Closed && h.Refusals != nil:
		return "took no mail lately"
	case h.State == mailer.Closed && h.Sandbox:
		return "works, sandbox"
	case h.State == mailer.Closed:
		return "works"
	case h.State == mailer.HalfOpen:
		return "tried again"
	}
	return "failing since " + h.Since.Local().Format("15:04:05")
}

// countsOf prints counts in the order of the states.
func countsOf(mails map[string]int) string {
	var out []string
	for s := store.MailQueued; s <= store.MailRejected; s++ {
		if n := mails[mailer.StateName(s)]; n > 0 {
			out = append(out, fmt.Sprint(n, " ", mailer.StateName(s)))
		}
	}
	return strings.Join(out, ", ")
}
