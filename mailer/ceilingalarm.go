package mailer

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"

	"idp/store"
)

// Kinds of events.
const (
	EventCeilingReached = "mail_ceiling.reached"
	EventCeilingEnded   = "mail_ceiling.ended"
)

// watchCeiling looks at where the ceiling stands, gives back what is not needed of it, and tells
// everybody once that it is reached, and once that it is over.
func (q *Queue) watchCeiling(ctx context.Context) {
	c := q.ceiling
	if c.limit.IsZero() {
		return
	}
	err := c.giveBack(ctx, false)
	c.look(ctx)
	if err == nil {
		err = q.alarm(ctx)
	}
	if err != nil && ctx.Err() == nil {
		q.nag(slog.LevelWarn, "ceiling watched", "cannot look at the ceiling of all mails", "error", err)
	}
}

// alarm raises or ends the alarm. It ends when a tenth is there again, and not with each
// mail that may go: a ceiling that is reached gives way for one mail at a time.
func (q *Queue) alarm(ctx context.Context) error {
	c := q.ceiling
	ctx, cancel := context.WithTimeout(ctx, ceilingTime)
	defer cancel()
	c.mu.Lock()
	shut, left, w := c.shut, c.left(), c.limit.Windows[0]
	c.mu.Unlock()
	state, err := q.ceilingAlarm(ctx)
	switch {
	case err != nil:
		return err
	case shut && !state.On():
		if err = q.store.RaiseAlarm(ctx, state, ceilingEvent(EventCeilingReached, w)); err == nil {
			q.log.WarnContext(ctx, "the ceiling of all mails is reached: nobody can ask for codes but in the console, and mails wait", "limit", w.Count, "period", w.Period)
		}
	case !shut && state.On() && left >= max(1, w.Count/10):
		err = q.endAlarm(ctx, state, w)
	}
	if store.CodeOf(err) == store.Changed { // another replica was faster
		return nil
	}
	return err
}

func (q *Queue) endAlarm(ctx context.Context, state store.Alarm, w store.Window) error {
	err := q.store.EndAlarm(ctx, state, ceilingEvent(EventCeilingEnded, w))
	if err == nil {
		q.log.InfoContext(ctx, "the ceiling of all mails is not reached any more")
	}
	return err
}

func (q *Queue) ceilingAlarm(ctx context.Context) (store.Alarm, error) {
	all, err := q.store.Alarms(ctx)
	if i := slices.IndexFunc(all, func(a store.Alarm) bool { return a.Name == store.AlarmMails }); i >= 0 {
		return all[i], err
	}
	return store.Alarm{Name: store.AlarmMails}, err
}

// forgetAlarm ends what was raised while there was a ceiling, if there is none any more. Another
// replica that still has one raises it anew. It answers false if that could not be looked at.
func (q *Queue) forgetAlarm(ctx context.Context) bool {
	if !q.ceiling.limit.IsZero() {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, ceilingTime)
	defer cancel()
	state, err := q.ceilingAlarm(ctx)
	if err == nil && state.On() {
		err = q.endAlarm(ctx, state, store.Window{})
	}
	if err == nil || store.CodeOf(err) == store.Changed { // another replica was faster
		return true
	}
	q.nag(slog.LevelWarn, "ceiling forgotten", "cannot end the alarm of a ceiling that is not set any more", "error", err)
	return false
}

// ceilingEvent is the entry of the audit log.
func ceilingEvent(kind string, w store.Window) store.Event {
	detail, err := json.Marshal(map[string]any{"limit": w.Count, "within": w.Period.String()})
	if err != nil {
		panic(fmt.Errorf("a number and a text: %w", err))
	}
	return store.Event{Kind: kind, Detail: detail}
}
