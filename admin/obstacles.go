package admin

import (
	"context"
	"slices"
	"time"

	"idp/mailer"
	"idp/store"
	"idp/store/address"
)

// Obstacle is something that keeps an address from signing in now.
type Obstacle struct {
	Kind   ObstacleKind
	Name   string        // of the limit or connector
	Detail string        // in a provider's or operator's words
	Wait   time.Duration // until it is over by itself; 0: it is not
	Since  time.Time
	Count  int
	Reason store.Reason // of a suppression
}

// ObstacleKind is what it is.
type ObstacleKind string

// The kinds, the most certain first.
const (
	ObstacleSuspended   ObstacleKind = "suspended"
	ObstacleClosed      ObstacleKind = "closed"       // no account, and nobody can register
	ObstacleNotAdmitted ObstacleKind = "not-admitted" // no account, and the address cannot have one
	ObstacleSignInOff   ObstacleKind = "sign-in-off"  // an account, and the experience is for registering only
	ObstacleSuppressed  ObstacleKind = "suppressed"
	ObstacleMuted       ObstacleKind = "muted"
	ObstacleLimit       ObstacleKind = "limit"
	ObstacleCeiling     ObstacleKind = "ceiling" // of all mails
	ObstacleNoConnector ObstacleKind = "no-connector"
	ObstacleInbox       ObstacleKind = "inbox"   // mails stay here
	ObstacleDown        ObstacleKind = "down"    // all connectors fail
	ObstacleSandbox     ObstacleKind = "sandbox" // the provider sends to its own addresses only
	ObstacleBacklog     ObstacleKind = "backlog" // many mails wait
)

func (t *Timeline) meet(o Obstacle) { t.Obstacles = append(t.Obstacles, o) }

// accountObstacles are about the account, or that there is none.
func (s *Service) accountObstacles(ctx context.Context, t *Timeline) error {
	e, err := s.store.FreshExperience(ctx)
	if err != nil {
		return err
	}
	switch {
	case t.User != nil && !t.User.SuspendedAt.IsZero():
		t.meet(Obstacle{Kind: ObstacleSuspended, Since: t.User.SuspendedAt})
	case t.User != nil && !e.Mode.Allows(store.PurposeSignIn):
		t.meet(Obstacle{Kind: ObstacleSignInOff})
	case t.User == nil && !e.Mode.Allows(store.PurposeRegister):
		t.meet(Obstacle{Kind: ObstacleClosed})
	case t.User == nil && !address.Admits(e.Addresses, t.Email):
		t.meet(Obstacle{Kind: ObstacleNotAdmitted})
	}
	return nil
}

// addressObstacles are about the address.
func (s *Service) addressObstacles(ctx context.Context, t *Timeline) error {
	switch listed, err := s.Suppression(ctx, t.Email); {
	case err == nil:
		t.meet(Obstacle{Kind: ObstacleSuppressed, Detail: listed.Detail, Since: listed.CreatedAt, Reason: listed.Reason, Name: listed.Connector})
	case store.CodeOf(err) != store.NotFound:
		return err
	}
	if s.codes != nil {
		now, former := s.codes.Address(t.Email)
		until, err := s.store.MutedUntil(ctx, now, former)
		if err != nil {
			return err
		}
		if !until.IsZero() {
			t.meet(Obstacle{Kind: ObstacleMuted, Wait: until.Sub(s.store.Now())})
		}
	}
	if s.frame.Limits == nil {
		return nil
	}
	limits := s.frame.Limits(t.Email)
	waits, err := s.store.LimitWaits(ctx, limits)
	if err != nil {
		return err
	}
	for i, wait := range waits {
		ofStrangers := limits[i].Name == store.LimitUnknownSends || limits[i].Name == store.LimitUnknownNotices
		if wait > 0 && (t.User == nil || !ofStrangers) {
			t.meet(Obstacle{Kind: ObstacleLimit, Name: limits[i].Name, Wait: wait})
		}
	}
	return nil
}

// mailObstacles are about mail as such.
func (s *Service) mailObstacles(ctx context.Context, t *Timeline) error {
	alarms, err := s.Alarms(ctx)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(alarms, func(a store.Alarm) bool { return a.Name == store.AlarmMails }); i >= 0 {
		t.meet(Obstacle{Kind: ObstacleCeiling, Since: alarms[i].Raised})
	}
	connectors, err := s.Connectors(ctx)
	if err != nil {
		return err
	}
	states, err := mailer.ConnectorStates(ctx, s.store)
	if err != nil {
		return err
	}
	working := slices.DeleteFunc(slices.Clone(connectors), func(c Connector) bool { return c.Problem != "" })
	switch {
	case len(connectors) == 0:
		t.meet(Obstacle{Kind: ObstacleNoConnector})
	case len(working) == 0:
		t.meet(Obstacle{Kind: ObstacleDown, Name: connectors[0].ID, Detail: connectors[0].Problem})
	case working[0].ID == inboxConnector:
		t.meet(Obstacle{Kind: ObstacleInbox})
	}
	var down []mailer.ConnectorState
	for _, c := range working {
		i := slices.IndexFunc(states, func(h mailer.ConnectorState) bool { return h.Connector == c.ID })
		if i < 0 {
			continue
		}
		if states[i].State == mailer.Open || states[i].Latest.Paused {
			down = append(down, states[i])
		} else if states[i].Latest.Sandbox {
			t.meet(Obstacle{Kind: ObstacleSandbox, Name: c.ID})
		}
	}
	if len(down) > 0 && len(down) == len(working) {
		t.meet(Obstacle{Kind: ObstacleDown, Name: down[0].Connector, Detail: down[0].Latest.LastError, Since: down[0].Latest.Since})
	}
	counts, err := s.store.MailCounts(ctx, s.store.Now().Add(-30*time.Minute), recentMails)
	if err != nil {
		return err
	}
	waiting := 0
	for _, c := range counts {
		if c.State == store.MailQueued {
			waiting += c.Count
		}
	}
	if waiting >= manyMails {
		t.meet(Obstacle{Kind: ObstacleBacklog, Count: waiting})
	}
	return nil
}
