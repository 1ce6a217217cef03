package storetest

import (
	"testing"
	"time"

	"idp/store"
)

// again proves the same or another address in the browser of m, whose session it
// replaces.
func (m *family) again(email store.Email) (store.NewChallenge, store.Completion) {
	m.t.Helper()
	n := m.begin(email)
	n.Browser = m.n.Browser
	m.begun(n)
	c := completion(n)
	c.Session.Replaces = completion(m.n).Session.Hash
	g := guess(n, 1)
	g.Confirm = true
	in, err := m.db.CompleteChallenge(m.ctx(), g, c)
	m.no(err)
	if in.Outcome != store.OutcomeAccepted {
		m.t.Fatalf("outcome %d", in.Outcome)
	}
	return n, c
}

func (f *fixture) end(user string, session store.Hash, client string) {
	f.t.Helper()
	f.no(f.db.EndSessions(f.ctx(), store.Ending{User: user, Session: session, Client: client, Event: "user.signed_out"}))
}

func (f *fixture) holds(m *family, session store.Hash, want bool) {
	f.t.Helper()
	held, err := f.db.HoldsGrant(f.ctx(), m.user, session, "bookstore")
	f.no(err)
	if held != want {
		f.t.Fatalf("holds a grant: %v", held)
	}
}

// A sign-out ends the session, its codes and its grants; of the grants that outlive
// sessions only those of the client that asked for it.
func testEndSession(t *testing.T, f *fixture) {
	for name, c := range map[string]struct {
		offline bool
		client  string
		lives   bool
	}{
		"bound":                  {false, "", false},
		"offline":                {true, "", true},
		"offline, its client":    {true, "bookstore", false},
		"offline, other client":  {true, "other", true},
		"bound, other client":    {false, "other", false},
		"bound, its own client ": {false, "bookstore", false},
	} {
		t.Run(name, func(t *testing.T) {
			m := f.family(store.Email(store.RandomText(8)+"@example.com"), c.offline)
			session := completion(m.n).Session.Hash
			pending := completion(m.n)
			pending.Code.Hash = random()
			_, err := f.db.CompleteSession(f.ctx(), session, m.n.Browser, pending)
			f.no(err)
			f.holds(m, session, true)
			f.end("somebody", session, "") // not hers
			f.holds(m, session, true)
			m.accesses(m.refresh(0).Access, false)
			f.end(m.user, session, c.client)
			_, err = f.db.Session(f.ctx(), session, m.n.Browser)
			f.want(err, store.NotFound)
			r := redemption(m.n)
			r.Code = pending.Code.Hash
			_, err = f.db.RedeemCode(f.ctx(), r)
			f.want(err, store.NotFound)
			if c.lives {
				m.ok(m.refresh(0), 0)
				return
			}
			m.refused(m.refresh(0), store.NotFound)
			f.holds(m, session, true) // until a minute ago
			f.db.AdvanceForTest(2 * time.Minute)
			f.holds(m, session, false)
		})
	}
}

// Signed in once more, the same person goes on with what hangs on the session, and
// a sign-out ends it; a code of the old session dies with the new one.
func testReplacedSession(t *testing.T, f *fixture) {
	m := f.family("ada@example.com", false)
	old := completion(m.n)
	pending, late := old, old
	pending.Code.Hash, late.Code.Hash = random(), random()
	for _, c := range []store.Completion{pending, late} {
		_, err := f.db.CompleteSession(f.ctx(), old.Session.Hash, m.n.Browser, c)
		f.no(err)
	}
	_, renewed := m.again("ada@example.com")
	m.ok(m.refresh(0), 0)
	f.holds(m, renewed.Session.Hash, true)
	r := redemption(m.n)
	r.Code = pending.Code.Hash
	g, err := f.db.RedeemCode(f.ctx(), r)
	f.no(err)
	if g.Session != renewed.Session.Hash {
		t.Error("the grant hangs on a session that is over")
	}
	f.end(m.user, renewed.Session.Hash, "bookstore")
	m.refused(m.refresh(1), store.NotFound)
	_, err = f.db.AccessToken(f.ctx(), r.Grant, r.Access)
	f.want(err, store.NotFound)
	r = redemption(m.n)
	r.Code = late.Code.Hash
	_, err = f.db.RedeemCode(f.ctx(), r)
	f.want(err, store.NotFound)
}

// Somebody else signs in with the same browser: what hangs on the first session ends.
func testAnotherPersonSignsIn(_ *testing.T, f *fixture) {
	bound := f.family("ada@example.com", false)
	bound.again("bob@example.com")
	bound.refused(bound.refresh(0), store.NotFound)
	offline := f.family("cleo@example.com", true)
	offline.again("dan@example.com")
	offline.ok(offline.refresh(0), 0)
}

func testSessionList(t *testing.T, f *fixture) {
	m := f.family("ada@example.com", true)
	f.family("bob@example.com", true)
	f.db.AdvanceForTest(time.Hour)
	n := f.begin("ada@example.com")
	n.Purpose = store.PurposeSignIn
	f.begun(n)
	c := completion(n)
	c.Session.Agent = "Firefox on Windows"
	_, err := f.db.CompleteChallenge(f.ctx(), guess(n, 1), c)
	f.no(err)
	f.db.AdvanceForTest(time.Hour)
	_, err = f.db.CompleteSession(f.ctx(), completion(m.n).Session.Hash, m.n.Browser, store.Completion{Session: store.NewSession{Idle: time.Hour}})
	f.no(err)
	list, err := f.db.Sessions(f.ctx(), m.user)
	f.no(err)
	if len(list) != 2 || list[0].Agent != "Firefox on Windows" || list[1].Agent != "" || list[0].Hash != c.Session.Hash || list[0].User.Email != "ada@example.com" ||
		list[1].SeenAt.Sub(list[1].AuthTime).Round(time.Minute) != 2*time.Hour || !list[0].SeenAt.Equal(list[0].AuthTime) {
		t.Fatalf("%+v", list)
	}
	f.no(f.db.EndSessions(f.ctx(), store.Ending{User: m.user, Session: completion(m.n).Session.Hash, Offline: true}))
	if list, err = f.db.Sessions(f.ctx(), m.user); err != nil || len(list) != 1 {
		t.Errorf("%+v %v", list, err)
	}
	m.refused(m.refresh(0), store.NotFound) // as the account page wants it
	if last, err := f.db.LastSession(f.ctx(), completion(m.n).Session.Hash, m.n.Browser); err != nil || last.User.ID != m.user {
		t.Errorf("%+v %v", last, err)
	}
	_, err = f.db.LastSession(f.ctx(), completion(m.n).Session.Hash, random())
	f.want(err, store.NotFound)
	f.end(m.user, store.Hash{}, "")
	if list, err = f.db.Sessions(f.ctx(), m.user); err != nil || len(list) != 0 {
		t.Errorf("%+v %v", list, err)
	}
	if n := f.count(`SELECT COUNT(*) FROM event WHERE kind = 'user.signed_out'`); n < 1 {
		t.Error("not recorded")
	}
}

// A recovery ends all that the account had, once, and leaves what begins with it.
func testRecovery(t *testing.T, f *fixture) {
	m := f.family("ada@example.com", true)
	bob := f.family("bob@example.com", true)
	pending := completion(m.n)
	pending.Code.Hash = random()
	_, err := f.db.CompleteSession(f.ctx(), pending.Session.Hash, m.n.Browser, pending)
	f.no(err)

	n := f.begin("ada@example.com")
	n.Purpose = store.PurposeRecover
	f.begun(n)
	c := completion(n)
	c.Others, c.Event, c.Code.Offline = true, "user.recovered", true
	notice := f.mail()
	notice.Usage = store.UsageRecovered
	try := func(code int) store.SignedIn {
		t.Helper()
		g := guess(n, code)
		g.Notice = store.Notice{Mail: notice}
		in, err := f.db.CompleteChallenge(f.ctx(), g, c)
		f.no(err)
		return in
	}
	if in := try(7); in.Outcome != store.OutcomeWrong {
		t.Fatalf("outcome %d", in.Outcome)
	}
	m.ok(m.refresh(0), 0) // a wrong code ends nothing
	if in := try(1); in.Outcome != store.OutcomeAccepted || in.User != m.user {
		t.Fatalf("%+v", in)
	}
	m.refused(m.refresh(1), store.NotFound)
	_, err = f.db.Session(f.ctx(), completion(m.n).Session.Hash, m.n.Browser)
	f.want(err, store.NotFound)
	r := redemption(m.n)
	r.Code = pending.Code.Hash
	_, err = f.db.RedeemCode(f.ctx(), r)
	f.want(err, store.NotFound)
	bob.ok(bob.refresh(0), 0)

	// The app redeems, and then comes the second click.
	fresh := &family{fixture: f, root: random(), n: n, user: m.user}
	r = redemption(n)
	r.Refresh = store.NewRefresh{Hash: fresh.token(0), Idle: day, Absolute: day}
	g, err := f.db.RedeemCode(f.ctx(), r)
	f.no(err)
	fresh.grant = g.ID
	if in := try(1); in.Outcome != store.OutcomeAccepted {
		t.Fatalf("%+v", in)
	}
	fresh.ok(fresh.refresh(0), 0)
	if mails := f.count(`SELECT COUNT(*) FROM mail WHERE usage = 'Recovered' AND challenge = $1`, n.ID[:]); mails != 1 {
		t.Errorf("%d notices, want 1", mails)
	}
	if events := f.count(`SELECT COUNT(*) FROM event WHERE kind = 'user.recovered' AND user_id = $1`, m.user); events != 1 {
		t.Errorf("%d events, want 1", events)
	}
}

// An address without an account gets the other mail, at most as often as its limit says.
func testRecoveryOfNobody(t *testing.T, f *fixture) {
	f.signUp("ada@example.com")
	once := limit("unknown_notices", 1, day)
	ask := func(email store.Email, unknown store.Limit) store.Begun {
		t.Helper()
		n := f.begin(email)
		n.Purpose, n.Unknown = store.PurposeRecover, unknown
		n.Mail.Usage, n.Mail.Other = store.UsageForgotPassword, &store.OtherMail{Usage: store.UsageNoAccount, Payload: []byte("other")}
		b, err := f.db.BeginChallenge(f.ctx(), n)
		f.no(err)
		var payload []byte
		e := f.open()
		defer func() { _ = e.Close() }()
		f.no(e.Read(f.ctx(), `SELECT payload FROM mail WHERE id = $1`, []any{n.Mail.ID[:]}, func(scan func(...any) error) error { return scan(&payload) }))
		if want := map[bool]string{true: "other", false: "sealed"}[b.Other]; string(payload) != want {
			t.Errorf("payload %q, want %q", payload, want)
		}
		if n := f.count(`SELECT COUNT(*) FROM mail WHERE id = $1 AND usage = $2`, n.Mail.ID[:], map[bool]string{true: "NoAccount", false: "ForgotPassword"}[b.Other]); n != 1 {
			t.Error("the row has the other usage")
		}
		return b
	}
	if b := ask("ada@example.com", limit("unknown_notices", 1, day)); b.Other || b.Decoy {
		t.Errorf("%+v", b)
	}
	if b := ask("nobody@example.com", once); !b.Other || b.Decoy {
		t.Errorf("%+v", b)
	}
	if b := ask("nobody@example.com", once); !b.Decoy {
		t.Errorf("%+v", b)
	}
}

// A code for one person only is not issued to another.
func testSubject(_ *testing.T, f *fixture) {
	n := f.begun(f.begin("ada@example.com"))
	c := completion(n)
	c.Code.Subject = "somebody"
	in, err := f.db.CompleteChallenge(f.ctx(), guess(n, 1), c)
	f.no(err)
	_, err = f.db.RedeemCode(f.ctx(), redemption(n))
	f.want(err, store.NotFound)
	next := c
	next.Code.Hash, next.Code.Subject = random(), in.User
	_, err = f.db.CompleteSession(f.ctx(), c.Session.Hash, n.Browser, next)
	f.no(err)
	r := redemption(n)
	r.Code = next.Code.Hash
	_, err = f.db.RedeemCode(f.ctx(), r)
	f.no(err)
}

func testClientKeys(t *testing.T, f *fixture) {
	c := client("keys")
	c.JWKS, c.AlwaysRefresh = `{"keys":[]}`, true
	f.no(f.db.CreateClient(f.ctx(), c))
	used := f.db.Now()
	f.no(f.db.NoteSecretUse(f.ctx(), map[store.ID]time.Time{c.Secrets[0].ID: used, store.NewID(used): used}))
	f.no(f.db.NoteSecretUse(f.ctx(), map[store.ID]time.Time{c.Secrets[0].ID: used.Add(-time.Hour)}))
	got, err := f.replica().Client(f.ctx(), "keys")
	f.no(err)
	if got.JWKS != c.JWKS || !got.AlwaysRefresh || !got.Secrets[0].UsedAt.Equal(used) {
		t.Errorf("%+v", got)
	}
	f.changeClient("keys", func(c *store.Client) { c.JWKS = `{"keys":[{}]}` })
	if got, err = f.db.Client(f.ctx(), "keys"); err != nil || got.JWKS != `{"keys":[{}]}` {
		t.Errorf("%+v %v", got, err)
	}
	key := random()
	f.no(f.db.UseAssertion(f.ctx(), key, used.Add(time.Minute)))
	f.want(f.replica().UseAssertion(f.ctx(), key, used.Add(time.Minute)), store.Used)
	f.no(f.db.UseAssertion(f.ctx(), random(), used.Add(time.Minute)))
}

// Use keeps a session alive, but not for ever.
func testSessionEndsAtLast(_ *testing.T, f *fixture) {
	n, _ := f.signUp("ada@example.com")
	c := completion(n)
	use := func() error {
		next := store.Completion{Session: store.NewSession{Idle: c.Session.Idle}}
		_, err := f.db.CompleteSession(f.ctx(), c.Session.Hash, n.Browser, next)
		return err
	}
	for range 30 { // 13 days and 18 hours
		f.db.AdvanceForTest(11 * time.Hour)
		f.no(use())
	}
	f.db.AdvanceForTest(11 * time.Hour)
	f.want(use(), store.NotFound)
}
