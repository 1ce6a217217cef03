package storetest

import (
	"context"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

func testExperience(t *testing.T, f *fixture) {
	first, err := f.db.Experience(f.ctx())
	f.no(err)
	if !reflect.DeepEqual(first, store.DefaultExperience()) {
		t.Fatalf("%+v", first)
	}
	other := f.replica()
	_, err = other.Experience(f.ctx()) // and keeps it
	f.no(err)
	_, err = f.db.SetExperience(f.ctx(), first, time.Now())
	f.want(err, store.Changed)

	e := first.Clone()
	e.Mode, e.SupportEmail, e.Color.Dark = store.ModeSignIn, "help@example.com", false
	e.Addresses = store.AddressPolicy{BlockSubaddressing: true, Block: []string{"@bad.example"}}
	told := store.Event{ID: store.NewID(time.Now()), Kind: "experience.updated", Actor: "command"}
	e.UpdatedAt, err = f.db.SetExperience(f.ctx(), e, first.UpdatedAt, told)
	f.no(err)
	if got, err := f.db.Experience(f.ctx()); err != nil || !reflect.DeepEqual(got, e) {
		t.Fatalf("%+v, %v, want %+v", got, err, e)
	}
	_, err = other.SetExperience(f.ctx(), first, first.UpdatedAt, store.Event{ID: store.NewID(time.Now()), Kind: "experience.updated"})
	f.want(err, store.Changed)
	if n := f.count(`SELECT COUNT(*) FROM event WHERE kind = 'experience.updated'`); n != 1 {
		t.Errorf("%d entries of the audit log, want 1", n)
	}
	last, err := other.SetExperience(f.ctx(), first, e.UpdatedAt)
	f.no(err)
	if !last.After(e.UpdatedAt) {
		t.Errorf("%v is no later version than %v", last, e.UpdatedAt)
	}
	if got, err := other.FreshExperience(f.ctx()); err != nil || got.Mode != store.ModeBoth || len(got.Addresses.Block) != 0 || !got.Color.Dark {
		t.Errorf("%+v, %v", got, err)
	}
	until := time.Now().Add(5 * time.Second)
	for {
		got, err := f.db.Experience(f.ctx())
		f.no(err)
		if got.Mode == store.ModeBoth {
			break
		}
		if time.Now().After(until) {
			t.Fatal("the other replica did not follow within 5 s")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Where no account can be made, a right code makes none, whatever it was for; who has an
// account gets in as ever.
func testClosed(t *testing.T, f *fixture) {
	closed := func(n store.NewChallenge, confirm bool, want store.Outcome) {
		t.Helper()
		g := guess(n, 1)
		g.Closed, g.Confirm = true, confirm
		in, err := f.db.CompleteChallenge(f.ctx(), g, completion(n))
		f.no(err)
		if in.Outcome != want {
			t.Errorf("purpose %d, confirmed %t: outcome %d, want %d", n.Purpose, confirm, in.Outcome, want)
		}
	}
	for _, purpose := range []store.Purpose{store.PurposeSignIn, store.PurposeRegister, store.PurposeRecover} {
		n := f.begin("eve@example.com")
		n.Purpose = purpose
		f.begun(n)
		closed(n, false, store.OutcomeClosed)
		closed(n, true, store.OutcomeClosed)
	}
	if rows := f.count(`SELECT COUNT(*) FROM users`) + f.count(`SELECT COUNT(*) FROM session`) + f.count(`SELECT COUNT(*) FROM event`); rows != 0 {
		t.Fatalf("%d rows were written", rows)
	}
	f.signUp("ada@example.com")
	n := f.begin("ada@example.com")
	closed(f.begun(n), false, store.OutcomeConfirm)
	closed(n, true, store.OutcomeAccepted)
	closed(n, true, store.OutcomeAccepted) // the second click
	n = f.begin("ada@example.com")
	n.Purpose = store.PurposeSignIn
	closed(f.begun(n), false, store.OutcomeAccepted)
}

// silentEngine stops answering reads when it is told to.
type silentEngine struct {
	sqlstore.Engine
	silent atomic.Bool
}

func (e *silentEngine) Read(ctx context.Context, query string, args []any, row func(func(...any) error) error) error {
	if e.silent.Load() {
		<-ctx.Done()
		return &store.Error{Code: store.Unavailable, Op: "read", Err: ctx.Err()}
	}
	return e.Engine.Read(ctx, query, args, row)
}

// Pages are shown while the database does not answer, long after the cache is too old.
func testExperienceInOutage(t *testing.T, f *fixture) {
	e := &silentEngine{Engine: f.open()}
	db := start(t, func() sqlstore.Engine { return e })
	want, err := db.Experience(f.ctx())
	f.no(err)
	e.silent.Store(true)
	t.Cleanup(func() { e.silent.Store(false) })
	for began := time.Now(); time.Since(began) < 8*time.Second; time.Sleep(100 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(f.ctx(), 20*time.Second)
		asked := time.Now()
		got, err := db.Experience(ctx)
		cancel()
		if err != nil || got.Mode != want.Mode || time.Since(asked) > 10*time.Second {
			t.Fatalf("after %s, in %s: %v", time.Since(began), time.Since(asked), err)
		}
	}
}
