package otp

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"idp/store"
)

// Kinds of events.
const (
	EventAlarmRaised = "guess_alarm.raised"
	EventAlarmEnded  = "guess_alarm.ended"
)

// Who guesses a few times each on many addresses is seen by no limit of one address. What he
// cannot avoid is to be wrong on challenges that are never redeemed, which the rest of the world
// seldom is. Each replica counts those of what it judges and writes its own row down now and
// then; all look at the sum. Nothing is added to a sign-in, and no row is shared.
const (
	watchEvery   = 5 * time.Second
	countStretch = 10 * time.Minute
	// calm is for how long guesses must have been few for the alarm to end, and the least that
	// it lasts.
	calm = time.Hour
	// missedShare is how many wrong guesses on challenges that are not redeemed a busy instance
	// has anyway, for each challenge that is.
	missedShare = 0.005
	// AlarmDigits are those of new codes while the alarm is on, at least: a hundred times as
	// many codes to guess among.
	AlarmDigits = 8
)

// GuessAlarm is where the alarm stands, as this replica last saw it.
type GuessAlarm struct {
	Enabled bool
	On      bool
	Since   time.Time // when it was raised last; zero: never
	Ended   time.Time // when it ended last, if it is not on

	Missed   int // wrong guesses on challenges that were not redeemed, in the period of the alarm; since it ended last, if that is shorter
	Redeemed int // challenges in that time
	Limit    int // what Missed must not pass
}

// alarm is what a replica counts and knows.
type alarm struct {
	replica store.ID
	on      atomic.Bool

	mu      sync.Mutex
	counts  []store.GuessCount // one a stretch, until it is written down and over
	unsaved bool
	seen    GuessAlarm
}

// count takes a judged guess in.
func (a *alarm) count(now time.Time, in store.SignedIn) {
	if in.Missed == 0 && in.RefundUnits == 0 {
		return
	}
	at := now.Truncate(countStretch)
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.counts, func(c store.GuessCount) bool { return c.At.Equal(at) })
	if i < 0 {
		i = len(a.counts)
		a.counts = append(a.counts, store.GuessCount{At: at})
	}
	a.counts[i].Missed += in.Missed
	if in.RefundUnits > 0 {
		a.counts[i].Redeemed++
	}
	a.unsaved = true
}

// save writes down what was counted.
func (e *Engine) save(ctx context.Context) error {
	a := &e.alarm
	a.mu.Lock()
	counts, unsaved := slices.Clone(a.counts), a.unsaved
	a.unsaved = false
	a.mu.Unlock()
	if !unsaved {
		return nil
	}
	err := e.store.CountGuesses(ctx, a.replica, counts)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.unsaved = true
		return err
	}
	now := e.store.Now().Truncate(countStretch)
	if !a.unsaved { // else a stretch that is over may have been counted in meanwhile
		a.counts = slices.DeleteFunc(a.counts, func(c store.GuessCount) bool { return c.At.Before(now) })
	}
	return nil
}

// GuessAlarm tells where the alarm stands.
func (e *Engine) GuessAlarm() GuessAlarm {
	e.alarm.mu.Lock()
	defer e.alarm.mu.Unlock()
	return e.alarm.seen
}

// watch looks after the alarm until ctx ends.
func (e *Engine) watch(ctx context.Context) {
	for {
		if err := e.LookAtGuesses(ctx); err != nil && ctx.Err() == nil {
			e.log.WarnContext(ctx, "cannot tell whether codes are being guessed at", "error", err)
		}
		select {
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			if err := e.save(ctx); err != nil {
				e.log.WarnContext(ctx, "cannot write down how many guesses were wrong", "error", err)
			}
			return
		case <-time.After(watchEvery):
		}
	}
}

// LookAtGuesses writes down what this replica has counted, looks at what all have, and raises the
// alarm, or ends it. [Engine.Run] does so every few seconds.
func (e *Engine) LookAtGuesses(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if err := e.save(ctx); err != nil {
		return err
	}
	all, err := e.store.Alarms(ctx)
	if err != nil {
		return err
	}
	state := store.Alarm{Name: store.AlarmGuesses}
	if i := slices.IndexFunc(all, func(a store.Alarm) bool { return a.Name == store.AlarmGuesses }); i >= 0 {
		state = all[i]
	}
	seen := GuessAlarm{Enabled: e.config.GuessAlarm.Count > 0, On: state.On(), Since: state.Raised, Ended: state.Ended}
	if !seen.Enabled {
		seen.On = false // but the row stays as it is: another replica may have another setting
		e.see(seen)
		return nil
	}
	w := e.config.GuessAlarm
	now := e.store.Now()
	windows := store.GuessWindows{Since: now.Add(-w.Period), Lately: now.Add(-calm)}
	// What raised the alarm before it ended does not raise it again.
	if !state.On() && state.Ended.After(windows.Since) {
		windows.Since = state.Ended
	}
	sums, err := e.store.GuessSums(ctx, windows)
	if err != nil {
		return err
	}
	seen.Missed, seen.Redeemed = sums.Since.Missed, sums.Since.Redeemed
	seen.Limit = max(w.Count, int(missedShare*float64(sums.Since.Redeemed)))
	e.see(seen)
	lately := max(int(float64(w.Count)*calm.Hours()/w.Period.Hours()), int(missedShare*float64(sums.Lately.Redeemed)))
	switch {
	case !state.On() && seen.Missed > seen.Limit:
		err = e.store.RaiseAlarm(ctx, state, alarmEvent(EventAlarmRaised, seen))
		if err == nil {
			e.log.Log(ctx, slog.LevelWarn, "codes are being guessed at on many addresses: new ones have more digits", "guesses", seen.Missed, "redeemed", seen.Redeemed, "limit", seen.Limit, "length", e.alarmDigits())
		}
		seen.On = true
	case state.On() && now.Sub(state.Raised) >= calm && sums.Lately.Missed <= lately:
		err = e.store.EndAlarm(ctx, state, alarmEvent(EventAlarmEnded, seen))
		if err == nil {
			e.log.InfoContext(ctx, "codes are not guessed at any more: new ones have their usual digits", "guesses", sums.Lately.Missed, "period", calm)
		}
		seen.On = false
	default:
		return nil
	}
	if store.CodeOf(err) == store.Changed { // another replica was faster: what is, is read the next time
		return nil
	}
	if err != nil {
		return err
	}
	e.alarm.on.Store(seen.On)
	return nil
}

func (e *Engine) see(seen GuessAlarm) {
	e.alarm.on.Store(seen.On)
	e.alarm.mu.Lock()
	defer e.alarm.mu.Unlock()
	e.alarm.seen = seen
}

// alarmEvent is the entry of the audit log. An event is told once: it has no other name than the
// row that it is written with.
func alarmEvent(kind string, seen GuessAlarm) store.Event {
	detail, err := json.Marshal(map[string]int{"guesses": seen.Missed, "redeemed": seen.Redeemed, "limit": seen.Limit})
	if err != nil {
		panic(fmt.Errorf("numbers: %w", err))
	}
	return store.Event{Kind: kind, Detail: detail}
}
