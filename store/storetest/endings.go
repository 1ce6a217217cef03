package storetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

// purgeAll removes every dead row.
func (f *fixture) purgeAll() {
	f.t.Helper()
	for range 60 {
		_, err := f.db.Purge(f.ctx(), 1000)
		f.no(err)
	}
}

// A grant that outlives its session ends by a sign-out in its browser also when the
// session's row has been purged.
func testSignOutAfterPurge(t *testing.T, f *fixture) {
	for name, e := range map[string]store.Ending{"the app": {Client: "bookstore"}, "the person": {Offline: true}} {
		t.Run(name, func(t *testing.T) {
			m := f.family(store.Email(store.RandomText(8)+"@example.com"), true)
			f.db.AdvanceForTest(10 * day)
			m.ok(m.refresh(0), 0)
			f.db.AdvanceForTest(6 * day)
			m.ok(m.refresh(1), 0)
			f.purgeAll()
			_, c := m.again(m.n.Email)
			if held, err := f.db.HoldsGrant(f.ctx(), m.user, c.Session.Hash, "bookstore"); err != nil || !held {
				t.Errorf("holds a grant: %v %v", held, err)
			}
			e.User, e.Session = m.user, c.Session.Hash
			f.no(f.db.EndSessions(f.ctx(), e))
			if _, err := f.db.RefreshGrant(f.ctx(), m.refresh(2)); err == nil {
				t.Error("signed out in that browser, and the refresh token lives")
			}
		})
	}
}

// Whoever knows a grant of a public client and makes access tokens up for it keeps
// nobody from refreshing.
func testRevocationsStarveNobody(t *testing.T, f *fixture) {
	m := f.family("ada@example.com", true)
	ctx, stop := context.WithCancel(f.ctx())
	var wg sync.WaitGroup
	for _, db := range []*sqlstore.DB{f.replica(), f.replica(), f.replica(), f.replica()} {
		wg.Go(func() {
			for ctx.Err() == nil {
				_, _ = db.RevokeToken(ctx, store.Revocation{Grant: m.grant, Token: random(), Client: "bookstore"})
			}
		})
	}
	time.Sleep(100 * time.Millisecond)
	starved := 0
	for i := range 20 {
		r := m.refresh(i)
		var err error
		for range 8 { // as op does
			var out store.Refreshed
			out, err = f.db.RefreshGrant(f.ctx(), r)
			if store.CodeOf(err) != store.Conflict {
				break
			}
			r.Revoked = out.Revoked
		}
		if err != nil {
			starved++
			t.Log(err)
			break
		}
	}
	stop()
	wg.Wait()
	if starved > 0 {
		t.Error("refreshes were starved by made-up access tokens")
	}
}

// Everything at once on one account and one browser; then a sign-out everywhere leaves
// nothing.
func testMixedEndings(t *testing.T, f *fixture) {
	dbs := []*sqlstore.DB{f.db, f.replica()}
	for round := range 12 {
		m := f.family(store.Email(store.RandomText(8)+"@example.com"), round%2 == 0)
		var mu sync.Mutex
		session := completion(m.n).Session.Hash
		f.parallel(24, dbs, func(i int, db *sqlstore.DB) {
			mu.Lock()
			s := session
			mu.Unlock()
			switch i % 6 {
			case 0, 1:
				c := completion(m.n)
				c.Session.Hash, c.Code.Hash, c.Code.Offline = s, random(), i%4 == 0
				if _, err := db.CompleteSession(f.ctx(), s, m.n.Browser, c); err != nil {
					if store.CodeOf(err) != store.NotFound {
						t.Error("complete session", err)
					}
					return
				}
				r := redemption(m.n)
				r.Code, r.Grant, r.Access = c.Code.Hash, store.NewID(time.Now()), random()
				r.Refresh = store.NewRefresh{Hash: random(), Idle: 14 * day, Absolute: 90 * day}
				r.Attempt = random()
				if _, err := db.RedeemCode(f.ctx(), r); err != nil && store.CodeOf(err) != store.NotFound {
					t.Error("redeem", err)
				}
			case 2:
				if _, err := db.RefreshGrant(f.ctx(), m.refresh(0)); err != nil && store.CodeOf(err) != store.NotFound && store.CodeOf(err) != store.Conflict {
					t.Error("refresh", err)
				}
			case 3:
				n := f.begin(m.n.Email)
				n.Browser, n.Purpose = m.n.Browser, store.PurposeSignIn
				if i%12 == 3 {
					n.Purpose = store.PurposeRecover
				}
				if _, err := db.BeginChallenge(f.ctx(), n); err != nil {
					t.Error("begin", err)
				}
				c := completion(n)
				c.Session.Replaces, c.Others = s, n.Purpose == store.PurposeRecover
				in, err := db.CompleteChallenge(f.ctx(), guess(n, 1), c)
				if err != nil {
					t.Error("complete", err, in)
				} else {
					mu.Lock()
					session = c.Session.Hash
					mu.Unlock()
				}
			case 4:
				if _, err := db.RevokeToken(f.ctx(), store.Revocation{Grant: m.grant, Token: random(), Client: "bookstore"}); err != nil {
					t.Error("revoke", err)
				}
			case 5:
				if i < 12 {
					if round%3 == 0 {
						if _, err := db.NotMe(f.ctx(), disowned(m.n)); err != nil {
							t.Error("not me", err)
						}
					}
					return
				}
				if err := db.EndSessions(f.ctx(), store.Ending{User: m.user, Session: s, Client: "bookstore", Event: "x"}); err != nil {
					t.Error("end", err)
				}
			}
		})
		mu.Lock()
		s := session
		mu.Unlock()
		f.no(f.db.EndSessions(f.ctx(), store.Ending{User: m.user, Session: s, Offline: true, Event: "x"}))
		if n := f.count(`SELECT COUNT(*) FROM oidc_grant WHERE user_id = $1 AND revoked_at IS NULL`, m.user); n > 0 {
			t.Errorf("round %d: %d grants survive", round, n)
		}
		if n := f.count(`SELECT COUNT(*) FROM auth_code WHERE user_id = $1 AND expires_at > 0 AND consumed_at IS NULL`, m.user); n > 0 {
			t.Errorf("round %d: %d codes survive", round, n)
		}
		if n := f.count(`SELECT COUNT(*) FROM session WHERE user_id = $1 AND ended_at IS NULL`, m.user); n > 0 {
			t.Errorf("round %d: %d sessions survive", round, n)
		}
	}
}
