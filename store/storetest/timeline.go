package storetest

import (
	"testing"
	"time"

	"idp/store"
)

// What administrators are told of an address: its challenges, the entries they led to, a mute,
// and limits that are spent.
func testTimeline(t *testing.T, f *fixture) {
	n, user := f.signUp("ada@example.com")
	open := f.begin("ada@example.com")
	open.Purpose = store.PurposeSignIn
	open.Recipient = store.Limit{Name: "sends", Key: random(), Windows: [2]store.Window{{Count: 1, Period: time.Hour}}}
	f.begun(open)
	f.expect(open, 2, store.OutcomeWrong)
	gone := random()

	tried, err := f.db.TriedChallenges(f.ctx(), []store.ID{n.ID, open.ID, store.ID(gone[:16])})
	f.no(err)
	if len(tried) != 2 {
		t.Fatalf("%+v", tried)
	}
	for _, c := range tried {
		if done := c.ID == n.ID; c.ConsumedAt.IsZero() == done || c.Tries != map[bool]int{true: 0, false: 1}[done] || c.MaxTries != open.Tries || c.Sends != 1 || !c.ExpiresAt.After(c.CreatedAt) {
			t.Errorf("%+v", c)
		}
	}
	if none, err := f.db.TriedChallenges(f.ctx(), nil); err != nil || len(none) != 0 {
		t.Error(none, err)
	}
	events, err := f.db.EventsByID(f.ctx(), []store.ID{n.ID, open.ID})
	f.no(err)
	if len(events) != 1 || events[0].Kind != "user.registered" || events[0].User != user {
		t.Errorf("%+v", events)
	}

	waits, err := f.db.LimitWaits(f.ctx(), []store.Limit{open.Recipient, {Name: "other", Key: random(), Windows: open.Recipient.Windows}, {}})
	f.no(err)
	if waits[0] <= 50*time.Minute || waits[0] > time.Hour || waits[1] != 0 || waits[2] != 0 {
		t.Error(waits)
	}

	muted := func() time.Time {
		t.Helper()
		until, err := f.db.MutedUntil(f.ctx(), open.Address, open.Former)
		f.no(err)
		return until
	}
	if until := muted(); !until.IsZero() {
		t.Error(until)
	}
	if u := f.notMe(open); !muted().Equal(u.MutedUntil) {
		t.Error(muted(), u)
	}
	f.no(f.db.Unmute(store.WithOrigin(f.ctx(), &store.Origin{Actor: "user:operator"}), disowned(open)))
	if until := muted(); !until.IsZero() {
		t.Error(until)
	}
	if n := f.count(`SELECT COUNT(*) FROM event WHERE kind = 'mute.lifted' AND actor = 'user:operator' AND user_id = $1`, user); n != 1 {
		t.Errorf("%d entries", n)
	}
}
