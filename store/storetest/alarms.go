package storetest

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

// A wrong guess that was compared counts once, and is taken back by what redeems its challenge.
func testMissedGuesses(t *testing.T, f *fixture) {
	n := f.begun(f.begin("ada@example.com"))
	missed := func(in store.SignedIn, want int) {
		t.Helper()
		if in.Missed != want {
			t.Errorf("outcome %d: %d missed, want %d", in.Outcome, in.Missed, want)
		}
	}
	missed(f.expect(n, 2, store.OutcomeWrong), 1)
	missed(f.expect(n, 3, store.OutcomeWrong), 1)
	missed(f.expect(n, 1, store.OutcomeAccepted), -2)
	missed(f.expect(n, 1, store.OutcomeAccepted), 0) // a double click
	missed(f.expect(n, 2, store.OutcomeUsed), 0)

	m := f.begin("bob@example.com")
	m.Tries = 1
	f.begun(m)
	missed(f.expect(m, 2, store.OutcomeSpent), 1)
	missed(f.expect(m, 2, store.OutcomeSpent), 0) // not compared any more

	// Right, and a question is open: nothing is redeemed yet.
	signIn := f.begin("nobody@example.com")
	signIn.Purpose = store.PurposeSignIn
	f.begun(signIn)
	missed(f.expect(signIn, 2, store.OutcomeWrong), 1)
	missed(f.expect(signIn, 1, store.OutcomeConfirm), 0)
	g := guess(signIn, 1)
	g.Confirm = true
	in, err := f.db.CompleteChallenge(f.ctx(), g, completion(signIn))
	f.no(err)
	missed(in, -1)
}

func testGuessCounts(t *testing.T, f *fixture) {
	now := f.db.Now().Truncate(time.Minute)
	one, two := store.NewID(now), store.NewID(now)
	other := f.replica()
	count := func(db *sqlstore.DB, replica store.ID, counts ...store.GuessCount) {
		t.Helper()
		f.no(db.CountGuesses(f.ctx(), replica, counts))
	}
	count(f.db, one, store.GuessCount{At: now.Add(-48 * time.Hour), Missed: 100}, store.GuessCount{At: now.Add(-2 * time.Hour), Missed: 5, Redeemed: 7})
	count(f.db, one, store.GuessCount{At: now, Missed: 1})
	count(f.db, one, store.GuessCount{At: now, Missed: 3, Redeemed: 1}) // how much in all
	count(other, two, store.GuessCount{At: now, Missed: -1, Redeemed: 2})
	sums, err := other.GuessSums(f.ctx(), store.GuessWindows{Since: now.Add(-24 * time.Hour), Lately: now.Add(-time.Hour)})
	f.no(err)
	if s, l := sums.Since, sums.Lately; s.Missed != 7 || s.Redeemed != 10 || l.Missed != 2 || l.Redeemed != 3 {
		t.Errorf("%+v", sums)
	}
	// What no window reaches goes, the rest stays.
	f.db.AdvanceForTest(2 * time.Hour)
	_, err = f.db.Purge(f.ctx(), 100)
	f.no(err)
	if n := f.count(`SELECT COUNT(*) FROM guess_count`); n != 3 {
		t.Errorf("%d rows", n)
	}
	// However much was counted before, the sum looks at what it sums up.
	for i := range 300 {
		var counts []store.GuessCount
		for j := range 20 {
			counts = append(counts, store.GuessCount{At: now.Add(-time.Duration(i*20+j+400) * 10 * time.Minute), Missed: 1})
		}
		count(f.db, one, counts...)
	}
	f.exec(`ANALYZE`)
	var plans []string
	db := start(t, func() sqlstore.Engine {
		return explained{f.open(), &plans, func(query string) bool { return strings.Contains(query, "FROM guess_count") }, new(sync.Mutex)}
	})
	_, err = db.GuessSums(f.ctx(), store.GuessWindows{Since: now.Add(-24 * time.Hour), Lately: now.Add(-time.Hour)})
	f.no(err)
	plan := strings.Join(plans, "\n")
	if !strings.Contains(plan, "USING PRIMARY KEY (at>?)") && !strings.Contains(plan, "guess_count_pkey") {
		t.Errorf("the sum walks through the table:\n%s", plan)
	}
}

func testAlarm(t *testing.T, f *fixture) {
	state := func() store.Alarm {
		t.Helper()
		all, err := f.replica().Alarms(f.ctx())
		f.no(err)
		if len(all) == 0 {
			return store.Alarm{Name: store.AlarmGuesses}
		}
		return all[0]
	}
	never := state()
	if never.On() {
		t.Fatal("on from the start")
	}
	f.want(f.db.EndAlarm(f.ctx(), never), store.Changed)
	f.no(f.db.RaiseAlarm(f.ctx(), never, store.Event{Kind: "guess_alarm.raised"}))
	on := state()
	if !on.On() || on.Raised.IsZero() {
		t.Fatalf("%+v", on)
	}
	f.want(f.db.RaiseAlarm(f.ctx(), never, store.Event{Kind: "guess_alarm.raised"}), store.Changed)
	f.want(f.db.RaiseAlarm(f.ctx(), on), store.Changed)
	f.no(f.db.EndAlarm(f.ctx(), on, store.Event{Kind: "guess_alarm.ended"}))
	f.want(f.db.EndAlarm(f.ctx(), on, store.Event{Kind: "guess_alarm.ended"}), store.Changed)
	over := state()
	if over.On() || over.Ended.IsZero() {
		t.Fatalf("%+v", over)
	}
	f.want(f.db.RaiseAlarm(f.ctx(), never), store.Changed) // by who has not seen that it was over
	f.no(f.db.RaiseAlarm(f.ctx(), over))
	f.want(f.db.EndAlarm(f.ctx(), on), store.Changed) // another one
	if n := f.count(`SELECT COUNT(*) FROM event WHERE kind LIKE 'guess_alarm.%'`); n != 2 {
		t.Errorf("%d entries", n)
	}
}

// Of many that see the same at the same time, one raises the alarm, and tells of it.
func testAlarmIsRaisedOnce(t *testing.T, f *fixture) {
	dbs := []*sqlstore.DB{f.db, f.replica(), f.replica()}
	var raised atomic.Int64
	f.parallel(30, dbs, func(_ int, db *sqlstore.DB) {
		switch err := db.RaiseAlarm(f.ctx(), store.Alarm{Name: store.AlarmGuesses}, store.Event{Kind: "guess_alarm.raised"}); store.CodeOf(err) {
		case "":
			raised.Add(1)
		case store.Changed:
		default:
			t.Error(err)
		}
	})
	if n := f.count(`SELECT COUNT(*) FROM event WHERE kind = 'guess_alarm.raised'`); raised.Load() != 1 || n != 1 {
		t.Errorf("raised %d times, told %d times", raised.Load(), n)
	}
}
