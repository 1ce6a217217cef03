package storetest

import (
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

const (
	consoleIdle     = 30 * time.Minute
	consoleAbsolute = 12 * time.Hour
)

// enter is an attempt to sign in to the console with the code 1.
func (f *fixture) enter(email store.Email) (store.NewChallenge, store.Completion) {
	f.t.Helper()
	n := f.begin(email)
	n.Purpose = store.PurposeConsole
	f.begun(n)
	c := completion(n)
	c.Session.Console, c.Code, c.Event = true, store.NewCode{}, "console.signed_in"
	c.Session.Idle, c.Session.Absolute = consoleIdle, consoleAbsolute
	return n, c
}

func (f *fixture) entering(n store.NewChallenge, c store.Completion, code int, want store.Outcome) store.SignedIn {
	f.t.Helper()
	in, err := f.db.CompleteChallenge(f.ctx(), guess(n, code), c)
	f.no(err)
	if in.Outcome != want {
		f.t.Fatalf("outcome %d, want %d", in.Outcome, want)
	}
	return in
}

// entered signs an operator in, and gives the browser and the session.
func (f *fixture) entered(email store.Email) (browser, session store.Hash, user string) {
	f.t.Helper()
	n, c := f.enter(email)
	in := f.entering(n, c, 1, store.OutcomeAccepted)
	return n.Browser, c.Session.Hash, in.User
}

func (f *fixture) inConsole(browser, session store.Hash, want bool) {
	f.t.Helper()
	_, err := f.db.ConsoleSession(f.ctx(), session, browser)
	if want {
		f.no(err)
		return
	}
	f.want(err, store.NotFound)
}

func testConsoleSignIn(t *testing.T, f *fixture) {
	// Nobody's code makes neither account nor session.
	n, c := f.enter("eve@example.com")
	f.entering(n, c, 2, store.OutcomeWrong)
	f.entering(n, c, 1, store.OutcomeNoOperator)
	f.entering(n, c, 1, store.OutcomeNoOperator)
	if got := f.count(`SELECT COUNT(*) FROM users`) + f.count(`SELECT COUNT(*) FROM console_session`) + f.count(`SELECT COUNT(*) FROM event WHERE kind <> 'challenge.locked'`); got != 0 {
		t.Errorf("%d rows of who has no access", got)
	}
	if err := f.db.AddOperator(f.ctx(), "ada@example.com", store.RoleAdmin, store.Event{Kind: "operator.added"}); err != nil && !f.twice {
		t.Fatal(err)
	}
	n, c = f.enter("ada@example.com")
	in := f.entering(n, c, 1, store.OutcomeAccepted)
	again := f.entering(n, c, 1, store.OutcomeAccepted) // a double click
	if in.User == "" || again.User != in.User || f.count(`SELECT COUNT(*) FROM console_session`) != 1 || f.count(`SELECT COUNT(*) FROM session`) != 0 {
		t.Errorf("%+v %+v", in, again)
	}
	for kind, want := range map[string]int{"console.signed_in": 1, "user.registered": 1} {
		if got := f.count(`SELECT COUNT(*) FROM event WHERE kind = $1 AND user_id = $2`, kind, in.User); got != want {
			t.Errorf("%d entries of %s", got, kind)
		}
	}
	v, err := f.db.ConsoleSession(f.ctx(), c.Session.Hash, n.Browser)
	f.no(err)
	if v.User.Email != "ada@example.com" || v.Role != store.RoleAdmin || v.AuthTime.IsZero() || v.ExpiresAt.Sub(v.AuthTime) != consoleAbsolute {
		t.Errorf("%+v", v)
	}
	f.inConsole(random(), c.Session.Hash, false)
	// A session of the console is none for apps, nor the reverse.
	if _, err := f.db.Session(f.ctx(), c.Session.Hash, n.Browser); store.CodeOf(err) != store.NotFound {
		t.Error(err)
	}
	m := f.begin("ada@example.com")
	m.Purpose = store.PurposeSignIn
	f.begun(m)
	f.expect(m, 1, store.OutcomeAccepted)
	f.inConsole(m.Browser, completion(m).Session.Hash, false)
	// Codes are for what they were made for.
	n, c = f.enter("ada@example.com")
	for _, other := range []store.Purpose{store.PurposeSignIn, store.PurposeRegister, store.PurposeRecover, store.PurposeVerify} {
		g := guess(n, 1)
		g.Purpose = other
		got, err := f.db.CompleteChallenge(f.ctx(), g, completion(n))
		f.no(err)
		if got.Outcome != store.OutcomeGone {
			t.Errorf("a code of the console as one for %d: %d", other, got.Outcome)
		}
		k := f.begin("ada@example.com")
		k.Purpose = other
		f.begun(k)
		g = guess(k, 1)
		g.Purpose = store.PurposeConsole
		if got, err = f.db.CompleteChallenge(f.ctx(), g, c); err != nil || got.Outcome != store.OutcomeGone {
			t.Errorf("a code for %d in the console: %d %v", other, got.Outcome, err)
		}
	}
	// Who did not ask for the mail takes back what it opened.
	n, c = f.enter("ada@example.com")
	f.entering(n, c, 1, store.OutcomeAccepted)
	f.inConsole(n.Browser, c.Session.Hash, true)
	if u := f.notMe(n); !u.SignedOut {
		t.Errorf("%+v", u)
	}
	f.inConsole(n.Browser, c.Session.Hash, false)
}

func testConsoleSessionLives(t *testing.T, f *fixture) {
	if err := f.db.AddOperator(f.ctx(), "ada@example.com", store.RoleOwner); err != nil && !f.twice {
		t.Fatal(err)
	}
	browser, session, _ := f.entered("ada@example.com")
	look := func() error {
		_, err := f.db.ConsoleSession(f.ctx(), session, browser)
		return err
	}
	for range 24 { // it is used, up to its end
		f.db.AdvanceForTest(29 * time.Minute)
		f.no(look())
	}
	f.db.AdvanceForTest(29 * time.Minute)
	f.want(look(), store.NotFound)
	browser, session, _ = f.entered("ada@example.com")
	f.db.AdvanceForTest(31 * time.Minute)
	f.want(look(), store.NotFound)
	// A new one in the same browser takes the place of the one before.
	browser, session, _ = f.entered("ada@example.com")
	n, c := f.enter("ada@example.com")
	n.Browser = browser
	n.ID = store.NewID(f.db.Now())
	f.begun(n)
	c.Session.Replaces, c.Session.Hash = session, random()
	f.entering(n, c, 1, store.OutcomeAccepted)
	f.want(look(), store.NotFound)
	f.inConsole(browser, c.Session.Hash, true)
	if !f.twice {
		f.no(f.db.EndConsoleSession(f.ctx(), c.Session.Hash, store.Event{Kind: "console.signed_out"}))
		f.want(f.db.EndConsoleSession(f.ctx(), c.Session.Hash), store.NotFound)
		session = c.Session.Hash
		f.want(look(), store.NotFound)
	}
}

// What ends sessions of the console.
func testConsoleEndings(t *testing.T, f *fixture) {
	const ada = store.Email("ada@example.com")
	f.no(f.db.AddOperator(f.ctx(), "root@example.com", store.RoleOwner))
	f.no(f.db.AddOperator(f.ctx(), ada, store.RoleViewer))
	for name, end := range map[string]func(browser store.Hash, user string) error{
		"everywhere":     func(_ store.Hash, user string) error { return f.db.EndSessions(f.ctx(), store.Ending{User: user}) },
		"of the console": func(_ store.Hash, user string) error { return f.db.EndConsoleSessions(f.ctx(), user) },
		"recovery": func(store.Hash, string) error {
			n := f.begin(ada)
			n.Purpose = store.PurposeRecover
			f.begun(n)
			c := completion(n)
			c.Others = true
			_, err := f.db.CompleteChallenge(f.ctx(), guess(n, 1), c)
			return err
		},
		"suspension": func(_ store.Hash, user string) error {
			_, err := f.db.SuspendUser(f.ctx(), user, true, time.Time{})
			if err == nil {
				_, err = f.db.SuspendUser(f.ctx(), user, false, time.Time{})
			}
			return err
		},
		"removed and added": func(store.Hash, string) error {
			if err := f.db.RemoveOperator(f.ctx(), ada); err != nil {
				return err
			}
			return f.db.AddOperator(f.ctx(), ada, store.RoleViewer)
		},
	} {
		browser, session, user := f.entered(ada)
		f.inConsole(browser, session, true)
		f.no(end(browser, user))
		if _, err := f.db.ConsoleSession(f.ctx(), session, browser); store.CodeOf(err) != store.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A removed operator is out at once, on every replica, and a changed role holds at once.
	browser, session, user := f.entered(ada)
	f.no(f.db.SetOperatorRole(f.ctx(), ada, store.RoleAdmin))
	v, err := f.replica().ConsoleSession(f.ctx(), session, browser)
	f.no(err)
	if v.Role != store.RoleAdmin {
		t.Error(v.Role)
	}
	f.no(f.replica().RemoveOperator(f.ctx(), ada))
	f.want(f.db.SetOperatorRole(f.ctx(), ada, store.RoleOwner), store.NotFound)
	f.inConsole(browser, session, false)
	// Nor does an app's sign-out reach the console.
	f.no(f.db.AddOperator(f.ctx(), ada, store.RoleViewer))
	browser, session, _ = f.entered(ada)
	m := f.begin(ada)
	m.Purpose, m.Browser = store.PurposeSignIn, browser
	f.begun(m)
	f.expect(m, 1, store.OutcomeAccepted)
	f.no(f.db.EndSessions(f.ctx(), store.Ending{User: user, Session: completion(m).Session.Hash}))
	f.inConsole(browser, session, true)
	f.no(f.db.DeleteUser(f.ctx(), user, time.Time{}, store.Traces{}))
	f.inConsole(browser, session, false)
	if n := f.count(`SELECT COUNT(*) FROM console_session WHERE user_id = $1`, user); n != 0 {
		t.Errorf("%d sessions of who is gone", n)
	}
}

// Only owners count for the guard of the last one.
func testOperatorRoles(t *testing.T, f *fixture) {
	f.no(f.db.AddOperator(f.ctx(), "ada@example.com", store.RoleOwner))
	f.no(f.db.AddOperator(f.ctx(), "bob@example.com", store.RoleAdmin))
	f.want(f.db.RemoveOperator(f.ctx(), "ada@example.com"), store.InUse)
	f.want(f.db.SetOperatorRole(f.ctx(), "ada@example.com", store.RoleAdmin), store.InUse)
	f.no(f.db.SetOperatorRole(f.ctx(), "bob@example.com", store.RoleOwner))
	var lost atomic.Int64
	f.parallel(2, []*sqlstore.DB{f.db, f.replica()}, func(i int, db *sqlstore.DB) {
		email := []store.Email{"ada@example.com", "bob@example.com"}[i]
		if err := db.SetOperatorRole(f.ctx(), email, store.RoleViewer); store.CodeOf(err) == store.InUse {
			lost.Add(1)
		} else {
			f.no(err)
		}
	})
	all, err := f.db.Operators(f.ctx())
	f.no(err)
	owners := 0
	for _, o := range all {
		if o.Role == store.RoleOwner {
			owners++
		}
	}
	if lost.Load() != 1 || owners != 1 || len(all) != 2 {
		t.Errorf("%d refused, %+v", lost.Load(), all)
	}
}

func testConsoleLink(t *testing.T, f *fixture) {
	link := func(email store.Email) store.ConsoleLink {
		return store.ConsoleLink{Hash: random(), Email: email, ExpiresAt: f.db.Now().Add(10 * time.Minute)}
	}
	f.want(f.db.CreateConsoleLink(f.ctx(), link("ada@example.com")), store.NotFound)
	if err := f.db.AddOperator(f.ctx(), "ada@example.com", store.RoleOwner); err != nil && !f.twice {
		t.Fatal(err)
	}
	l := link("ada@example.com")
	f.no(f.db.CreateConsoleLink(f.ctx(), l, store.Event{Kind: "console.link_made"}))
	enter := func(e store.ConsoleEntry) error {
		_, err := f.db.EnterByLink(f.ctx(), e, store.Event{Kind: "console.signed_in"})
		return err
	}
	entry := func(l store.ConsoleLink) store.ConsoleEntry {
		return store.ConsoleEntry{Link: l.Hash, Browser: random(), UserID: store.RandomText(12),
			Session: store.NewSession{Console: true, Hash: random(), Idle: consoleIdle, Absolute: consoleAbsolute}}
	}
	e := entry(l)
	f.no(enter(e))
	f.inConsole(e.Browser, e.Session.Hash, true)
	f.no(enter(e)) // a double click
	f.want(enter(entry(l)), store.Used)
	for _, kind := range []string{"console.signed_in", "user.registered"} {
		if n := f.count(`SELECT COUNT(*) FROM event WHERE kind = $1 AND user_id <> ''`, kind); n != 1 {
			t.Errorf("%d entries of %s", n, kind)
		}
	}
	f.want(enter(entry(link("ada@example.com"))), store.NotFound) // nobody has made it
	// An old one, and one of who is no operator any more.
	l = link("ada@example.com")
	f.no(f.db.CreateConsoleLink(f.ctx(), l))
	f.db.AdvanceForTest(11 * time.Minute)
	f.want(enter(entry(l)), store.Expired)
	if f.twice {
		return
	}
	f.no(f.db.AddOperator(f.ctx(), "bob@example.com", store.RoleOwner))
	l = link("bob@example.com")
	f.no(f.db.CreateConsoleLink(f.ctx(), l))
	f.no(f.db.RemoveOperator(f.ctx(), "bob@example.com"))
	f.want(enter(entry(l)), store.NotFound)
	if n := f.count(`SELECT COUNT(*) FROM users WHERE email = 'bob@example.com'`); n != 0 {
		t.Error("an account was made")
	}
}

// Of two browsers that use one link at once, one is in.
func testConsoleLinkRaces(t *testing.T, f *fixture) {
	f.no(f.db.AddOperator(f.ctx(), "ada@example.com", store.RoleOwner))
	l := store.ConsoleLink{Hash: random(), Email: "ada@example.com", ExpiresAt: f.db.Now().Add(10 * time.Minute)}
	f.no(f.db.CreateConsoleLink(f.ctx(), l))
	var in atomic.Int64
	f.parallel(10, []*sqlstore.DB{f.db, f.replica()}, func(_ int, db *sqlstore.DB) {
		_, err := db.EnterByLink(f.ctx(), store.ConsoleEntry{Link: l.Hash, Browser: random(), UserID: store.RandomText(12),
			Session: store.NewSession{Console: true, Hash: random(), Idle: consoleIdle, Absolute: consoleAbsolute}})
		if store.CodeOf(err) == store.Used {
			return
		}
		f.no(err)
		in.Add(1)
	})
	if in.Load() != 1 || f.count(`SELECT COUNT(*) FROM console_session`) != 1 {
		t.Errorf("%d are in", in.Load())
	}
}

func testForms(t *testing.T, f *fixture) {
	key := random()
	var first atomic.Int64
	f.parallel(10, []*sqlstore.DB{f.db, f.replica()}, func(_ int, db *sqlstore.DB) {
		_, is, err := db.ClaimForm(f.ctx(), key)
		f.no(err)
		if is {
			first.Add(1)
		}
	})
	if first.Load() != 1 {
		t.Errorf("%d are first", first.Load())
	}

	key = random()
	claim := func(want bool, at string) {
		t.Helper()
		to, first, err := f.db.ClaimForm(f.ctx(), key)
		f.no(err)
		if first != want || to != at {
			t.Errorf("%q %t, want %q %t", to, first, at, want)
		}
	}
	claim(true, "")
	claim(false, "")
	f.no(f.db.ReleaseForm(f.ctx(), key))
	claim(true, "")
	f.db.AdvanceForTest(3 * time.Minute) // who claimed it has gone down
	claim(true, "")
	f.no(f.db.FinishForm(f.ctx(), key, "/console/applications/x"))
	f.no(f.db.ReleaseForm(f.ctx(), key)) // not what is finished
	f.db.AdvanceForTest(time.Hour)
	claim(false, "/console/applications/x")
}
