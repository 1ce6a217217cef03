package admin

import (
	"context"
	"slices"
	"time"

	"idp/audit"
	"idp/store"
)

type timelineStore interface {
	TriedChallenges(ctx context.Context, ids []store.ID) ([]store.Tried, error)
	EventsByID(ctx context.Context, ids []store.ID) ([]store.KeyedEvent, error)
	MutedUntil(ctx context.Context, address, former store.Hash) (time.Time, error)
	LimitWaits(ctx context.Context, limits []store.Limit) ([]time.Duration, error)
	Unmute(ctx context.Context, d store.Disowned) error
}

// How much of an address's past is looked at: about what two days of trying leave behind.
const (
	timelineMails  = 40
	timelineEvents = 40
)

// Timeline is why somebody may not get in: what stands in the way of an address now, and
// what happened when it was tried.
type Timeline struct {
	Email     store.Email
	User      *store.User // nil: there is no account
	Obstacles []Obstacle
	Attempts  []Attempt      // newest first
	Events    []audit.Opened // entries about the account that belong to no attempt, newest first
	More      bool           // there are older mails
}

// Attempt is one time that a code was asked for.
type Attempt struct {
	At      time.Time
	Usage   store.Usage  // what it was for
	Tried   *store.Tried // nil: it is a day old, or no code was to be typed
	Mails   []Delivery   // in the order they went
	Outcome AttemptOutcome
	Event   *audit.Opened // what it led to, nil for nothing
}

// AttemptOutcome is how an attempt ended.
type AttemptOutcome string

// The outcomes.
const (
	AttemptSucceeded AttemptOutcome = "succeeded" // its Event says in what
	AttemptProved    AttemptOutcome = "proved"    // the code was right, and let nobody in: the account is suspended, or only the address was verified
	AttemptDisowned  AttemptOutcome = "disowned"  // the owner of the address says that it was not them
	AttemptLocked    AttemptOutcome = "locked"    // all tries were wrong
	AttemptExpired   AttemptOutcome = "expired"
	AttemptWaiting   AttemptOutcome = "waiting"   // a code can still be typed
	AttemptForgotten AttemptOutcome = "forgotten" // only its mails are remembered
	AttemptNotice    AttemptOutcome = "notice"    // a mail without a code
)

// Timeline tells what stands in the way of an address. Looking is written down: it is about
// one person.
func (s *Service) Timeline(ctx context.Context, by audit.Actor, email store.Email) (Timeline, error) {
	t := Timeline{Email: email}
	u, err := s.store.UserByEmail(ctx, email)
	switch {
	case err == nil:
		t.User = &u
	case store.CodeOf(err) != store.NotFound:
		return t, err
	}
	entry := s.book.Entry(by, audit.Record{Kind: "timeline.viewed", User: u.ID, Personal: map[string]any{"email": email}})
	if err := s.store.Tell(ctx, entry); err != nil {
		return t, err
	}
	if err := s.attempts(ctx, &t); err != nil {
		return t, err
	}
	for _, find := range []func(context.Context, *Timeline) error{s.accountObstacles, s.addressObstacles, s.mailObstacles} {
		if err := find(ctx, &t); err != nil {
			return t, err
		}
	}
	return t, nil
}

// LiftMute has codes for an address sent to any browser again, before the day is over that
// follows on "this was not me". Where there is no mute it does nothing.
func (s *Service) LiftMute(ctx context.Context, by audit.Actor, email store.Email) error {
	d := store.Disowned{Email: email}
	if s.codes != nil {
		d.Address, d.Former = s.codes.Address(email)
	}
	return s.store.Unmute(madeBy(ctx, by), d)
}

// attempts puts mails, challenges and entries together. A mail names its challenge, and what
// a challenge led to is the entry with its id: so all is found by keys.
func (s *Service) attempts(ctx context.Context, t *Timeline) error {
	mails, err := s.deliveries.List(ctx, DeliveryQuery{To: t.Email, Limit: timelineMails + 1})
	if err != nil {
		return err
	}
	if t.More = len(mails) > timelineMails; t.More {
		mails = mails[:timelineMails]
	}
	var ids []store.ID
	for _, m := range slices.Backward(mails) {
		i := slices.Index(ids, m.Challenge)
		if i < 0 {
			i, ids = len(ids), append(ids, m.Challenge)
			t.Attempts = append(t.Attempts, Attempt{At: m.Times.Created, Usage: m.UsageType})
		}
		t.Attempts[i].Mails = append(t.Attempts[i].Mails, m)
	}
	tried, err := s.store.TriedChallenges(ctx, ids)
	if err != nil {
		return err
	}
	led, err := s.store.EventsByID(ctx, ids)
	if err != nil {
		return err
	}
	if t.User != nil {
		if t.Events, err = s.LogsBefore(ctx, store.EventFilter{User: t.User.ID}, store.EventPlace{}, timelineEvents); err != nil {
			return err
		}
	}
	for i := range tried {
		t.Attempts[slices.Index(ids, tried[i].ID)].Tried = &tried[i]
	}
	opened := s.opened(led)
	for i := range opened {
		t.Attempts[slices.Index(ids, opened[i].ID)].Event = &opened[i]
	}
	now := s.store.Now()
	for i := range t.Attempts {
		t.Attempts[i].Outcome = outcomeOf(t.Attempts[i], ids[i], t.Events, now)
	}
	t.Events = slices.DeleteFunc(t.Events, func(e audit.Opened) bool { return slices.Contains(ids, e.ID) || e.Kind == "timeline.viewed" })
	slices.Reverse(t.Attempts)
	return nil
}

func outcomeOf(a Attempt, id store.ID, events []audit.Opened, now time.Time) AttemptOutcome {
	// The entry of "this was not me" begins with the time of the challenge, as its id does.
	if slices.ContainsFunc(events, func(e audit.Opened) bool {
		return e.Kind == audit.KindChallengeDisowned && [6]byte(e.ID[:6]) == [6]byte(id[:6])
	}) {
		return AttemptDisowned
	}
	switch c := a.Tried; {
	case a.Event != nil && a.Event.Failed():
		return AttemptLocked
	case a.Event != nil:
		return AttemptSucceeded
	case c == nil && slices.Contains([]store.Usage{store.UsageNoAccount, store.UsageClosed, store.UsageRecovered}, a.Usage):
		return AttemptNotice
	case c == nil:
		return AttemptForgotten
	case !c.ConsumedAt.IsZero():
		return AttemptProved
	case c.Tries >= c.MaxTries:
		return AttemptLocked
	case !now.Before(c.ExpiresAt):
		return AttemptExpired
	}
	return AttemptWaiting
}

// Of the last half an hour, this many mails are looked at, and so many waiting are a backlog.
const (
	recentMails = 2000
	manyMails   = 20
)

// inboxConnector is the one that keeps mails here (package mailer/inbox).
const inboxConnector = "inbox"
