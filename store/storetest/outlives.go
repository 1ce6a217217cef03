package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

// thief holds a live session of Ada's and an unredeemed code of it.
func (f *fixture) thief() (m *family, r store.Redemption) {
	f.t.Helper()
	m = f.family("ada@example.com", true)
	c := completion(m.n)
	c.Code.Hash, c.Code.Offline = random(), true
	_, err := f.db.CompleteSession(f.ctx(), c.Session.Hash, m.n.Browser, c)
	f.no(err)
	r = redemption(m.n)
	r.Code = c.Code.Hash
	r.Refresh = store.NewRefresh{Hash: random(), Idle: 14 * day, Absolute: 90 * day}
	return m, r
}

// recoverIn proves the address with a recovery's code, on a replica.
func (f *fixture) recoverIn(db *sqlstore.DB, email store.Email) {
	f.t.Helper()
	n := f.begin(email)
	n.Purpose = store.PurposeRecover
	f.begun(n)
	c := completion(n)
	c.Others, c.Event = true, "user.recovered"
	in, err := db.CompleteChallenge(f.ctx(), guess(n, 1), c)
	f.no(err)
	if in.Outcome != store.OutcomeAccepted {
		f.t.Fatalf("outcome %d", in.Outcome)
	}
}

func (f *fixture) isDead(r store.Redemption) {
	f.t.Helper()
	if _, err := f.db.AccessToken(f.ctx(), r.Grant, r.Access); err == nil {
		f.t.Error("the access token lives")
	}
	if _, err := f.db.RefreshToken(f.ctx(), r.Grant, r.Refresh.Hash); err == nil {
		f.t.Error("the refresh token lives")
	}
}

// until waits until a query counts something, or what it may have waited for in vain is done.
func (f *fixture) until(done <-chan struct{}, query string) {
	f.t.Helper()
	for end := time.Now().Add(time.Minute); f.count(query) == 0; {
		select {
		case <-done:
			return
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(end) {
			f.t.Errorf("never: %s", query)
			return
		}
	}
}

// slow has each new row of a table take its time on Postgres, as with a slow disk. On SQLite
// one writer lets nothing run beside it, and there it does nothing.
func (f *fixture) slow(table string, took time.Duration) (slow bool) {
	f.t.Helper()
	e := f.open()
	defer func() { _ = e.Close() }()
	if e.SkipLocked() == "" {
		return false
	}
	f.exec(fmt.Sprintf(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(%f); RETURN NEW; END $$`, took.Seconds()))
	f.exec(`CREATE TRIGGER slow BEFORE INSERT ON ` + table + ` FOR EACH ROW EXECUTE FUNCTION slow()`)
	return true
}

// meanwhile ends everything while a redemption is under way.
func (f *fixture) meanwhile(r store.Redemption, end func()) {
	f.t.Helper()
	slow := f.slow("oidc_grant", time.Second)
	var wg sync.WaitGroup
	redeemed := make(chan struct{})
	wg.Go(func() {
		defer close(redeemed)
		if _, err := f.db.RedeemCode(f.ctx(), r); err != nil {
			f.t.Errorf("the code was not good to begin with: %v", err)
		}
	})
	if !slow {
		<-redeemed
	} else {
		f.until(redeemed, `SELECT COUNT(*) FROM pg_locks WHERE relation = 'oidc_grant'::regclass AND mode = 'RowExclusiveLock'`)
	}
	end()
	wg.Wait()
	f.isDead(r)
}

func testRedemptionDuringRecovery(_ *testing.T, f *fixture) {
	_, r := f.thief()
	f.meanwhile(r, func() { f.recoverIn(f.replica(), "ada@example.com") })
}

func testRedemptionDuringSignOut(_ *testing.T, f *fixture) {
	m, r := f.thief()
	f.meanwhile(r, func() { f.end(m.user, store.Hash{}, "") })
}

func testRedemptionDuringReplacing(_ *testing.T, f *fixture) {
	m, r := f.thief()
	f.exec(`UPDATE auth_code SET offline = 0`)
	f.meanwhile(r, func() { m.again("bob@example.com") })
}

// gated is an engine whose writes wait, as for a connection of the pool or a lock.
type gated struct {
	sqlstore.Engine
	mu   sync.Mutex
	gate chan struct{}
	came chan struct{}
}

func (g *gated) Run(ctx context.Context, s *sqlstore.Script) error {
	g.mu.Lock()
	gate, came := g.gate, g.came
	g.mu.Unlock()
	if gate != nil {
		came <- struct{}{}
		<-gate
	}
	return g.Engine.Run(ctx, s)
}

// A recovery that waits for a connection or a lock ends what a thief gets meanwhile.
func testRecoveryThatWaits(t *testing.T, f *fixture) {
	_, r := f.thief()
	g := &gated{Engine: f.open()}
	db := start(t, func() sqlstore.Engine { return g })
	n := f.begin("ada@example.com")
	n.Purpose = store.PurposeRecover
	f.begun(n)
	c := completion(n)
	c.Others = true
	g.mu.Lock()
	g.gate, g.came = make(chan struct{}), make(chan struct{}, 9)
	g.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() {
		in, err := db.CompleteChallenge(f.ctx(), guess(n, 1), c)
		if err != nil || in.Outcome != store.OutcomeAccepted {
			t.Error(in, err)
		}
	})
	<-g.came
	_, err := f.db.RedeemCode(f.ctx(), r) // committed before anything of the recovery is
	f.no(err)
	close(g.gate)
	wg.Wait()
	f.isDead(r)
}

// A recovery ends everything although the clock of its replica is behind: it was started
// after the database's clock had stepped back, or measured the offset while the network
// was slow.
func testRecoveryBehindClock(t *testing.T, f *fixture) {
	behind := f.replica()
	f.db.AdvanceForTest(20 * time.Second)
	m, r := f.thief()
	_, err := f.db.RedeemCode(f.ctx(), r)
	f.no(err)
	f.recoverIn(behind, "ada@example.com")
	f.isDead(r)
	if _, err := f.db.Session(f.ctx(), completion(m.n).Session.Hash, m.n.Browser); err == nil {
		t.Error("the thief's session lives")
	}
}

// A token that was replaced a day ago ends the grant, also within the grace of the app's
// next refresh.
func testAncestorAfterRotation(_ *testing.T, f *fixture) {
	m := f.family("ada@example.com", true)
	m.ok(m.refresh(0), 0)
	f.db.AdvanceForTest(day)
	m.ok(m.refresh(1), 0)
	f.db.AdvanceForTest(withinGrace)
	m.refused(m.refresh(0), store.Used)
	m.refused(m.refresh(2), store.NotFound)
}

// What is revoked is dead also where the clock is behind.
func testRevokedOnLaggingReplica(t *testing.T, f *fixture) {
	behind := f.replica()
	m := f.family("ada@example.com", true)
	m.ok(m.refresh(0), 0)
	f.db.AdvanceForTest(20 * time.Second)
	_, err := f.db.RevokeToken(f.ctx(), store.Revocation{Grant: m.grant, Token: m.refresh(0).Access, Client: "bookstore"})
	f.no(err)
	if _, err := behind.AccessToken(f.ctx(), m.grant, m.refresh(0).Access); err == nil {
		t.Error("a revoked access token lives where the clock is behind")
	}
}

// However old a genuine token of the family is, its revocation ends the family.
func testRevokeAncestor(_ *testing.T, f *fixture) {
	m := f.family("ada@example.com", true)
	for i := range 3 {
		m.ok(m.refresh(i), 0)
	}
	_, err := f.db.RevokeToken(f.ctx(), store.Revocation{Grant: m.grant, Token: m.token(0), Client: "bookstore", Refresh: true, Genuine: true})
	f.no(err)
	m.refused(m.refresh(3), store.NotFound)
}

// A recovery makes no account, although the one that there was has gone between mail and
// code, and the guess confirms.
func testRecoveryMakesNoAccount(t *testing.T, f *fixture) {
	m := f.family("ada@example.com", true)
	n := f.begin("ada@example.com")
	n.Purpose = store.PurposeRecover
	f.begun(n)
	f.exec(`DELETE FROM users WHERE id = $1`, m.user)
	c := completion(n)
	c.Others, c.Event = true, "user.recovered"
	g := guess(n, 1)
	g.Confirm = true
	in, err := f.db.CompleteChallenge(f.ctx(), g, c)
	f.no(err)
	if in.Outcome == store.OutcomeAccepted {
		t.Errorf("a recovery registers: %+v", in)
	}
}

// A code of Ada's ends when Bob signs in where she was.
func testCodeOfReplacedPerson(_ *testing.T, f *fixture) {
	m, r := f.thief()
	f.exec(`UPDATE auth_code SET offline = 0`)
	m.again("bob@example.com")
	_, err := f.db.RedeemCode(f.ctx(), r)
	f.want(err, store.NotFound)
}

// A refresh token that died with its session stays dead when its person signs in anew in
// that browser.
func testDeadSessionLeavesNothing(t *testing.T, f *fixture) {
	for name, wait := range map[string]time.Duration{"idle": 13 * time.Hour, "long idle": 13 * day} {
		t.Run(name, func(t *testing.T) {
			m := f.family(store.Email(store.RandomText(8)+"@example.com"), false)
			f.db.AdvanceForTest(wait)
			m.refused(m.refresh(0), store.NotFound)
			m.again(m.n.Email)
			if _, err := f.db.RefreshGrant(f.ctx(), m.refresh(0)); err == nil {
				t.Error("a refresh token that had died with its session lives again")
			}
		})
	}
}
