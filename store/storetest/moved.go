package storetest

import (
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

// move gives an account another address, as an administrator does.
func (f *fixture) move(user string, to store.Email) {
	f.t.Helper()
	u, err := f.db.User(f.ctx(), user)
	f.no(err)
	seen := u.UpdatedAt
	u.Email = to
	_, err = f.db.UpdateUser(f.ctx(), u, seen)
	f.no(err)
}

// lives tells whether the session that a challenge became is there.
func (f *fixture) lives(n store.NewChallenge) bool {
	f.t.Helper()
	_, err := f.db.Session(f.ctx(), completion(n).Session.Hash, n.Browser)
	if store.CodeOf(err) != store.NotFound {
		f.no(err)
	}
	return err == nil
}

// told is whose entry says that a challenge was disowned.
func (f *fixture) told(n store.NewChallenge) string {
	f.t.Helper()
	e, err := f.db.Event(f.ctx(), disowned(n).Event)
	f.no(err)
	return e.User
}

// Who got in with a code that was mailed to an address is thrown out from there, also when
// the account has another address by now: at once, and when the challenge has been purged.
func testNotMeAfterMove(t *testing.T, f *fixture) {
	for name, wait := range map[string]time.Duration{"at-once": 0, "weeks-later": 10 * day} {
		thief := f.family(store.Email(name+"@example.com"), true)
		own := f.like(thief.n)
		f.begun(own)
		f.expect(own, 1, store.OutcomeAccepted)
		f.move(thief.user, store.Email(name+"@new.example.com"))
		next := 0
		if wait > 0 {
			f.db.AdvanceForTest(wait)
			thief.ok(thief.refresh(0), 0)
			f.db.AdvanceForTest(wait)
			f.purgeAll()
			next = 1
		} else if !f.lives(own) || !f.lives(thief.n) {
			t.Fatalf("%s: a new address signs out", name)
		}
		for range 2 {
			if u := f.notMe(thief.n); !u.SignedOut || u.MutedUntil.IsZero() {
				t.Errorf("%s: %+v", name, u)
			}
		}
		thief.refused(thief.refresh(next), store.NotFound)
		if f.lives(thief.n) {
			t.Errorf("%s: the session lives", name)
		}
		if wait == 0 && !f.lives(own) {
			t.Errorf("%s: another browser is signed out", name)
		}
		if who := f.told(thief.n); who != thief.user {
			t.Errorf("%s: it is told of %q, not of %q", name, who, thief.user)
		}
	}
}

// The next account of an address is not the one that a link of before is about, whatever
// became of that one, and also in the same browser. What is mailed to it is.
func testNotMeOfTheNextHolder(t *testing.T, f *fixture) {
	for name, leaves := range map[string]func(user string){
		"moved":   func(user string) { f.move(user, "moved@new.example.com") },
		"deleted": func(user string) { f.no(f.db.DeleteUser(f.ctx(), user, time.Time{}, store.Traces{})) },
	} {
		email := store.Email(name + "@example.com")
		before := f.family(email, true)
		unused := f.begun(f.like(before.n)) // asked for, and never typed
		leaves(before.user)
		elsewhere := f.like(before.n)
		elsewhere.Purpose = store.PurposeRegister
		f.begun(elsewhere)
		next := f.expect(elsewhere, 1, store.OutcomeAccepted).User
		here := f.like(before.n)
		here.Browser = before.n.Browser
		f.begun(here)
		if in := f.expect(here, 1, store.OutcomeAccepted); in.User != next || next == before.user {
			t.Fatalf("%s: %q is in, after %q and %q", name, in.User, before.user, next)
		}

		u := f.notMe(before.n)
		want := before.user
		if name == "deleted" {
			want = "" // nobody is left whom it could be told of
		}
		if who := f.told(before.n); u.SignedOut != (name == "moved") || who != want {
			t.Errorf("%s: %+v, told of %q", name, u, who)
		}
		before.refused(before.refresh(0), store.NotFound)
		if f.lives(before.n) || !f.lives(here) || !f.lives(elsewhere) {
			t.Errorf("%s: the wrong account is signed out", name)
		}
		if f.notMe(unused); !f.lives(here) || !f.lives(elsewhere) {
			t.Errorf("%s: a code that nobody typed, of another browser, signs out", name)
		}
		if u := f.notMe(here); !u.SignedOut || f.lives(here) || !f.lives(elsewhere) || f.told(here) != next {
			t.Errorf("%s: of the account that has the address: %+v", name, u)
		}
	}
}

// A guess, another address for the account and "this was not me", all at once: whatever
// the order, nobody stays signed in by that code.
func testNotMeDuringMove(t *testing.T, f *fixture) {
	dbs := []*sqlstore.DB{f.db, f.replica()}
	var accepted, refused atomic.Int64
	for range 30 {
		name := store.RandomText(8)
		own, user := f.signUp(store.Email(name + "@example.com"))
		n := f.begun(f.like(own))
		was, err := f.db.User(f.ctx(), user)
		f.no(err)
		f.parallel(3, dbs, func(i int, db *sqlstore.DB) {
			switch i {
			case 0:
				in, err := db.CompleteChallenge(f.ctx(), guess(n, 1), completion(n))
				if err != nil {
					t.Error(err)
				}
				if in.Outcome == store.OutcomeAccepted {
					accepted.Add(1)
				} else {
					refused.Add(1)
				}
			case 1:
				u := was
				u.Email = store.Email(name + "@new.example.com")
				if _, err := db.UpdateUser(f.ctx(), u, was.UpdatedAt); err != nil && store.CodeOf(err) != store.Changed {
					t.Error(err)
				}
			case 2:
				if _, err := db.NotMe(f.ctx(), disowned(n)); err != nil {
					t.Error(err)
				}
			}
		})
		if f.lives(n) {
			t.Error("a session outlives it")
		}
		if codes := f.count(`SELECT COUNT(*) FROM auth_code WHERE hash = $1 AND expires_at > 0`, hashOf(completion(n).Code.Hash)); codes != 0 {
			t.Error("a code outlives it")
		}
		if !f.lives(own) {
			t.Error("another browser is signed out")
		}
	}
	t.Logf("%d guesses were faster, %d slower", accepted.Load(), refused.Load())
}
