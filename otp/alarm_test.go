package otp_test

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"idp/otp"
	"idp/store"
)

// replica is one more engine on the same database.
func (f *fixture) replica(config otp.Config) *otp.Engine {
	f.t.Helper()
	e, err := otp.New(otp.Deps{Store: f.db, Ring: f.ring, Outbox: f.outbox, Config: config, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.t.Fatal(err)
	}
	return e
}

func (f *fixture) events(kind string) int {
	f.t.Helper()
	found, err := f.db.Events(f.t.Context(), store.EventFilter{Kind: kind}, 0, 100)
	if err != nil {
		f.t.Fatal(err)
	}
	return len(found)
}

func (f *fixture) look(e *otp.Engine) otp.GuessAlarm {
	f.t.Helper()
	if err := e.LookAtGuesses(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	return e.GuessAlarm()
}

// misses guesses wrong on so many addresses, and gives one of the challenges.
func (f *fixture) misses(e *otp.Engine, n int) {
	f.t.Helper()
	for range n {
		a := attempt(store.Email(store.RandomText(12)+"@example.com"), fmt.Sprintf("198.51.100.%d", n))
		begun, err := e.Begin(f.t.Context(), a)
		if err != nil {
			f.t.Fatal(err)
		}
		f.guess(e, a, begun.ID, wrongFor(f.outbox.last().Code, ""), store.OutcomeWrong)
	}
}

func (f *fixture) guess(e *otp.Engine, a store.Attempt, id store.ID, code string, want store.Outcome) {
	f.t.Helper()
	g, err := e.Guess(store.Try{Challenge: id, Purpose: a.Purpose, Email: a.Email, Browser: a.Browser, Request: a.Request, IP: a.IP, Code: code})
	if err != nil {
		f.t.Fatal(err)
	}
	in, err := e.Verify(f.t.Context(), g, store.Completion{Session: store.NewSession{Hash: store.HashOf(id[:]), Idle: time.Hour, Absolute: time.Hour}, UserID: store.RandomText(12)})
	if err != nil || in.Outcome != want {
		f.t.Fatalf("outcome %d, %v; want %d", in.Outcome, err, want)
	}
}

func alarmAt(count int) func(*otp.Config) {
	return func(c *otp.Config) {
		c.GuessAlarm.Count = count
		c.Limits.IPGuesses, c.Limits.IPSends = nil, nil
	}
}

// Two replicas that both see guesses on many addresses raise one alarm. While it is on new codes
// have eight digits, those of before are as right as they were, and it ends by itself.
func TestGuessAlarm(t *testing.T) {
	t.Parallel()
	f := setup(t, alarmAt(10))
	config := otp.DefaultConfig()
	alarmAt(10)(&config)
	one, two := f.engine, f.replica(config)

	before := attempt("ada@example.com", "192.0.2.1")
	begun, err := one.Begin(t.Context(), before)
	if err != nil {
		t.Fatal(err)
	}
	six := f.outbox.last().Code
	if len(six) != 6 || begun.Length != 6 {
		t.Fatalf("code %q, %d digits", six, begun.Length)
	}

	// A person who is wrong three times and then right counts for nothing, wherever that was.
	clumsy := attempt("bob@example.com", "192.0.2.2")
	if begun, err = one.Begin(t.Context(), clumsy); err != nil {
		t.Fatal(err)
	}
	code := f.outbox.last().Code
	for range 3 {
		f.guess(one, clumsy, begun.ID, wrongFor(code, ""), store.OutcomeWrong)
	}
	f.misses(one, 5)
	if a := f.look(one); a.Missed != 8 || a.On || !a.Enabled || a.Limit != 10 {
		t.Errorf("%+v", a)
	}
	f.guess(two, clumsy, begun.ID, code, store.OutcomeAccepted)
	f.misses(two, 5)
	if a := f.look(two); a.Missed != 10 || a.Redeemed != 1 || a.On {
		t.Errorf("%+v", a)
	}

	f.misses(two, 1)
	if err := two.LookAtGuesses(t.Context()); err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	for _, e := range []*otp.Engine{one, two, f.replica(config), f.replica(config)} {
		both.Go(func() {
			if err := e.LookAtGuesses(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if n := f.events(otp.EventAlarmRaised); n != 1 {
		t.Errorf("raised %d times", n)
	}
	f.look(one)
	if a := f.look(f.replica(config)); !a.On || a.Since.IsZero() { // one that has just started
		t.Errorf("%+v", a)
	}

	during := attempt("eve@example.com", "192.0.2.3")
	if begun, err = one.Begin(t.Context(), during); err != nil {
		t.Fatal(err)
	}
	eight := f.outbox.last().Code
	if len(eight) != 8 || begun.Length != 8 {
		t.Errorf("code %q, %d digits", eight, begun.Length)
	}
	beforeID, err := one.Begin(t.Context(), before) // the same form again: the same challenge
	if err != nil {
		t.Fatal(err)
	}
	f.guess(one, before, beforeID.ID, six, store.OutcomeAccepted)

	// It lasts an hour at least, and until an hour was calm.
	f.db.AdvanceForTest(59 * time.Minute)
	f.misses(two, 2)
	if !f.look(two).On {
		t.Error("over before an hour")
	}
	f.db.AdvanceForTest(70 * time.Minute)
	late := attempt("fay@example.com", "192.0.2.4")
	if begun, err = two.Begin(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	eight = f.outbox.last().Code
	f.look(one)
	if a := f.look(two); a.On || a.Ended.IsZero() {
		t.Errorf("%+v", a)
	}
	f.guess(two, late, begun.ID, eight, store.OutcomeAccepted)
	if n := f.events(otp.EventAlarmEnded); n != 1 {
		t.Errorf("ended %d times", n)
	}
	// What raised it does not raise it again; as much anew does, from the next stretch that is
	// counted on.
	f.db.AdvanceForTest(10 * time.Minute)
	f.look(one)
	f.misses(one, 10)
	if f.look(one).On {
		t.Error("raised again by what raised it before")
	}
	f.misses(one, 2)
	f.look(one)
	if !f.look(one).On || f.events(otp.EventAlarmRaised) != 2 {
		t.Error("not raised again")
	}
}

// What a busy instance has anyway is no alarm: half a percent of the codes that were right.
func TestGuessAlarmOfBusyInstance(t *testing.T) {
	t.Parallel()
	f := setup(t, alarmAt(10))
	now := f.db.Now()
	count := func(c store.GuessCount) {
		t.Helper()
		if err := f.db.CountGuesses(t.Context(), store.NewID(now), []store.GuessCount{c}); err != nil {
			t.Fatal(err)
		}
	}
	count(store.GuessCount{At: now.Add(-3 * time.Hour), Missed: 90, Redeemed: 20_000})
	if a := f.look(f.engine); a.On || a.Limit != 100 || a.Missed != 90 {
		t.Errorf("%+v", a)
	}
	count(store.GuessCount{At: now, Missed: 11})
	f.look(f.engine)
	if !f.look(f.engine).On {
		t.Error("not raised")
	}
}

// Without the alarm nothing is looked at, and codes stay as they are.
func TestGuessAlarmOff(t *testing.T) {
	t.Parallel()
	f := setup(t, func(c *otp.Config) { c.GuessAlarm = store.Window{} })
	if err := f.db.RaiseAlarm(t.Context(), store.Alarm{Name: store.AlarmGuesses}); err != nil {
		t.Fatal(err)
	}
	if a := f.look(f.engine); a.On || a.Enabled {
		t.Errorf("%+v", a)
	}
}
