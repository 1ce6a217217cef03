package storetest

import (
	"context"
	"testing"

	"idp/store"
)

// Entries that the store makes itself say where they came from, and abuse has one, once.
func testTraces(t *testing.T, f *fixture) {
	f.db.Trace = func(_ context.Context, id store.ID, email store.Email) ([]byte, string) {
		return append([]byte("from "+string(email)+" "), id[:]...), "request"
	}
	n, user := f.signUp("ada@example.com")
	check := func(kind string, email store.Email, times int) {
		t.Helper()
		found, err := f.db.EventsAfter(f.ctx(), store.EventFilter{Kind: kind}, store.EventPlace{}, 10)
		f.no(err)
		if len(found) != times {
			t.Fatalf("%s: %d entries, want %d", kind, len(found), times)
		}
		for _, e := range found {
			if want := "from " + string(email) + " " + string(e.ID[:]); string(e.Personal) != want || e.Request != "request" || e.User != user {
				t.Errorf("%s: %+v", kind, e)
			}
		}
	}
	check("user.registered", "ada@example.com", 1)
	f.expect(n, 1, store.OutcomeAccepted)
	check("user.registered", "ada@example.com", 1)

	locked := f.begin("ada@example.com")
	locked.Purpose = store.PurposeSignIn
	f.begun(locked)
	for range locked.Tries - 1 {
		f.expect(locked, 2, store.OutcomeWrong)
	}
	check("challenge.locked", "ada@example.com", 0)
	f.expect(locked, 2, store.OutcomeSpent)
	check("challenge.locked", "ada@example.com", 1)
	f.expect(locked, 1, store.OutcomeSpent)
	check("challenge.locked", "ada@example.com", 1)
	check("user.signed_in", "", 0)

	r := redemption(n)
	_, err := f.db.RedeemCode(f.ctx(), r)
	f.no(err)
	check("grant.code_replayed", "", 0)
	for range 3 {
		r.Attempt = random()
		_, err = f.db.RedeemCode(f.ctx(), r)
		f.want(err, store.Used)
	}
	check("grant.code_replayed", "", 1)
	f.no(f.db.EndSessions(f.ctx(), store.Ending{User: user, Event: "user.signed_out"}))
	check("user.signed_out", "", 1)
}
