package storetest

import (
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

// disowned is what the link in the mail of a challenge says.
func disowned(n store.NewChallenge) store.Disowned {
	d := store.Disowned{Challenge: n.ID, Browser: n.Browser, Email: n.Email, Event: n.ID, Address: n.Address, Former: n.Former}
	d.Event[15] ^= 1
	return d
}

func (f *fixture) notMe(n store.NewChallenge) store.Undone {
	f.t.Helper()
	u, err := f.db.NotMe(f.ctx(), disowned(n))
	f.no(err)
	return u
}

// Whatever state a challenge is in, no code of it works after its owner took it back,
// and what came from it is over. What others hold of the account stays.
func testNotMe(t *testing.T, f *fixture) {
	own := f.family("ada@example.com", true)
	open := f.begin("ada@example.com")
	open.Purpose = store.PurposeSignIn
	f.begun(open)
	if u := f.notMe(open); u.SignedOut || !u.MutedUntil.After(f.db.Now().Add(23*time.Hour)) {
		t.Errorf("%+v", u)
	}
	f.expect(open, 1, store.OutcomeExpired)
	_, err := f.db.ResendCode(f.ctx(), store.Resend{ID: open.ID, Browser: open.Browser, Request: open.Request, Email: open.Email, MAC: mac(2), Mail: f.mail()})
	f.want(err, store.Expired)

	for name, offline := range map[string]bool{"bound": false, "offline": true} {
		thief := f.family(store.Email(name+"@example.com"), offline)
		later := thief
		if offline { // a later sign-in in the same browser inherits the grant
			later = &family{fixture: f, n: f.signInAgain(thief), user: thief.user, grant: thief.grant}
		}
		if u := f.notMe(thief.n); !u.SignedOut {
			t.Errorf("%s: %+v", name, u)
		}
		if u := f.notMe(thief.n); !u.SignedOut {
			t.Errorf("%s: the second time it says something else: %+v", name, u)
		}
		thief.refused(thief.refresh(0), store.NotFound)
		if n := f.count(`SELECT COUNT(*) FROM oidc_grant WHERE user_id = $1 AND revoked_at IS NULL`, thief.user); n != 0 {
			t.Errorf("%s: %d grants are left", name, n)
		}
		f.expect(thief.n, 1, store.OutcomeUsed) // a reload within the minute of grace
		if _, err := f.db.Session(f.ctx(), completion(later.n).Session.Hash, thief.n.Browser); store.CodeOf(err) != store.NotFound {
			t.Errorf("%s: the session lives: %v", name, err)
		}
		if n := f.count(`SELECT COUNT(*) FROM event WHERE kind = 'challenge.disowned' AND user_id = $1`, thief.user); n != 1 {
			t.Errorf("%s: %d events", name, n)
		}
	}
	own.ok(own.refresh(0), 0)
	if _, err := f.db.Session(f.ctx(), completion(own.n).Session.Hash, own.n.Browser); err != nil {
		t.Error(err)
	}
}

func (f *fixture) signInAgain(m *family) store.NewChallenge {
	f.t.Helper()
	n, _ := m.again(m.n.Email)
	return n
}

// The link works when the challenge has been purged long since.
func testNotMeAfterPurge(t *testing.T, f *fixture) {
	m := f.family("ada@example.com", true)
	f.db.AdvanceForTest(10 * day)
	m.ok(m.refresh(0), 0)
	f.db.AdvanceForTest(10 * day)
	f.purgeAll()
	if n := f.count(`SELECT COUNT(*) FROM challenge`); n != 0 {
		t.Fatalf("%d challenges", n)
	}
	if u := f.notMe(m.n); !u.SignedOut {
		t.Errorf("%+v", u)
	}
	m.refused(m.refresh(1), store.NotFound)
}

// Where there is no account there is nothing to end; all else is the same.
func testNotMeByWhomNobodyKnows(t *testing.T, f *fixture) {
	n := f.begun(f.begin("nobody@example.com"))
	if u := f.notMe(n); u.SignedOut {
		t.Errorf("%+v", u)
	}
	f.expect(n, 1, store.OutcomeExpired)
	if u := f.count(`SELECT COUNT(*) FROM users`); u != 0 {
		t.Errorf("%d accounts", u)
	}
}

// The right code and "this was not me" at once: either the session ends, or it never
// begins.
func testNotMeDuringGuess(t *testing.T, f *fixture) {
	dbs := []*sqlstore.DB{f.db, f.replica()}
	var accepted, refused atomic.Int64
	for range 30 {
		n := f.begun(f.begin(store.Email(store.RandomText(8) + "@example.com")))
		f.parallel(6, dbs, func(i int, db *sqlstore.DB) {
			if i%3 == 2 {
				if _, err := db.NotMe(f.ctx(), disowned(n)); err != nil {
					t.Error(err)
				}
				return
			}
			in, err := db.CompleteChallenge(f.ctx(), guess(n, 1), completion(n))
			if err != nil {
				t.Error(err)
			}
			if in.Outcome == store.OutcomeAccepted {
				accepted.Add(1)
			} else {
				refused.Add(1)
			}
		})
		if live := f.count(`SELECT COUNT(*) FROM session WHERE browser = $1 AND ended_at IS NULL`, n.Browser[:]); live != 0 {
			t.Error("a session outlives it")
		}
		if codes := f.count(`SELECT COUNT(*) FROM auth_code WHERE hash = $1 AND expires_at > 0`, hashOf(completion(n).Code.Hash)); codes != 0 {
			t.Error("a code outlives it")
		}
		if devices := f.count(`SELECT COUNT(*) FROM device WHERE browser = $1`, n.Browser[:]); devices != 0 {
			t.Error("the browser is known")
		}
	}
	t.Logf("%d guesses were faster, %d slower", accepted.Load(), refused.Load())
}

func hashOf(h store.Hash) []byte { return h[:] }

func testNotMeDuringRedemption(_ *testing.T, f *fixture) {
	m, r := f.thief()
	f.meanwhile(r, func() {
		_, err := f.replica().NotMe(f.ctx(), disowned(m.n))
		f.no(err)
	})
}

// sends begins a challenge and tells whether its mail goes anywhere.
func (f *fixture) sends(n store.NewChallenge) bool {
	f.t.Helper()
	f.begun(n)
	st, err := f.db.ChallengeState(f.ctx(), n.ID, n.Browser)
	f.no(err)
	if st.Mail != store.MailQueued || st.Sends != 1 || st.TriesLeft != 5 {
		f.t.Errorf("the mute is seen: %+v", st)
	}
	return f.count(`SELECT decoy FROM mail WHERE id = $1`, n.Mail.ID[:]) == 0
}

// like is a new challenge for the address of n, in a browser of its own.
func (f *fixture) like(n store.NewChallenge) store.NewChallenge {
	m := f.begin(n.Email)
	m.Address, m.Former, m.Purpose = n.Address, n.Former, store.PurposeSignIn
	return m
}

// Who has one mail of somebody's own can say it again for a month. That ends nothing
// that its owner began since, and mutes nobody anew.
func testNotMeAgain(t *testing.T, f *fixture) {
	own, _ := f.signUp("ada@example.com")
	f.notMe(own)
	f.db.AdvanceForTest(time.Hour)
	back := f.like(own)
	back.Browser = own.Browser
	f.begun(back)
	f.expect(back, 1, store.OutcomeAccepted)
	ends := f.notMe(own).MutedUntil
	f.db.AdvanceForTest(time.Hour)
	if again := f.notMe(own); !again.SignedOut || !again.MutedUntil.Equal(ends) {
		t.Errorf("muted until %s, then %s", ends, again.MutedUntil)
	}
	if _, err := f.db.Session(f.ctx(), completion(back).Session.Hash, own.Browser); err != nil {
		t.Error("what began since is over:", err)
	}
	if n := f.count(`SELECT COUNT(*) FROM device WHERE browser = $1`, own.Browser[:]); n != 1 {
		t.Error("the browser is not known any more")
	}
	if f.sends(f.like(own)) {
		t.Error("the mute is gone")
	}
	f.db.AdvanceForTest(day)
	if again := f.notMe(own); !again.MutedUntil.IsZero() || !f.sends(f.like(own)) {
		t.Errorf("muted for another day: %+v", again)
	}
}

// While an address is muted, mails go to browsers that signed in before only, and
// nobody sees a difference.
func testMute(t *testing.T, f *fixture) {
	own, user := f.signUp("ada@example.com")
	stranger := f.like(own)
	f.begun(stranger)
	f.notMe(stranger)
	home := f.like(own)
	home.Browser = own.Browser
	if !f.sends(home) {
		t.Error("a known browser gets no mail")
	}
	again := f.like(own)
	if f.sends(again) {
		t.Error("an unknown browser gets a mail")
	}
	f.db.AdvanceForTest(2 * time.Minute)
	second := f.mail()
	more, err := f.db.ResendCode(f.ctx(), store.Resend{ID: again.ID, Browser: again.Browser, Request: again.Request, Email: again.Email,
		Address: again.Address, MAC: mac(2), CodeTTL: time.Minute, NextSend: time.Minute, Mail: second})
	f.no(err)
	if more.Sends != 2 || f.count(`SELECT decoy FROM mail WHERE id = $1`, second.ID[:]) != 1 {
		t.Errorf("an unknown browser gets a second mail: %+v", more)
	}
	if other := f.begin("bob@example.com"); !f.sends(other) {
		t.Error("somebody else is muted")
	}
	for range 2 {
		f.no(f.db.Unmute(f.ctx(), disowned(stranger)))
	}
	if n := f.count(`SELECT COUNT(*) FROM event WHERE kind = 'mute.lifted' AND user_id = $1`, user); n != 1 {
		t.Errorf("%d events", n)
	}
	if !f.sends(f.like(own)) {
		t.Error("the mute was not lifted")
	}
	f.notMe(stranger)
	f.db.AdvanceForTest(day + time.Minute)
	if !f.sends(f.like(own)) {
		t.Error("the mute does not end")
	}
	f.purgeAll()
	if n := f.count(`SELECT COUNT(*) FROM mute`); n != 0 {
		t.Errorf("%d mutes are left", n)
	}
}

// During a rotation of the secret, mutes and browsers of the old one still count.
func testMuteUnderTwoSecrets(t *testing.T, f *fixture) {
	old, _ := f.signUp("ada@example.com")
	now := old
	now.Address, now.Former = random(), old.Address
	f.notMe(f.begun(f.like(old)))
	if f.sends(f.like(now)) {
		t.Error("the mute of the old secret is not found")
	}
	home := f.like(now)
	home.Browser = old.Browser
	if !f.sends(home) {
		t.Error("the browser of the old secret is not found")
	}
	f.notMe(home)
	last := f.like(now)
	last.Browser = old.Browser
	if f.sends(last) {
		t.Error("the browser that was disowned is known under the old secret")
	}
	f.no(f.db.Unmute(f.ctx(), disowned(now)))
	if !f.sends(f.like(now)) {
		t.Error("the mute of the old secret was not lifted")
	}
}

// The ten browsers that signed in last are known, for 180 days.
func testDevices(t *testing.T, f *fixture) {
	own, _ := f.signUp("ada@example.com")
	browsers := []store.NewChallenge{own}
	for range 10 {
		f.db.AdvanceForTest(time.Hour)
		n := f.begun(f.like(own))
		f.expect(n, 1, store.OutcomeAccepted)
		browsers = append(browsers, n)
	}
	wrong := f.begun(f.like(own))
	f.expect(wrong, 7, store.OutcomeWrong)
	f.notMe(wrong)
	known := func(n store.NewChallenge) bool {
		m := f.like(own)
		m.Browser = n.Browser
		return f.sends(m)
	}
	if known(browsers[0]) || !known(browsers[1]) || !known(browsers[10]) || known(wrong) {
		t.Error("not the last ten")
	}
	f.purgeAll()
	if n := f.count(`SELECT COUNT(*) FROM device`); n != 10 {
		t.Errorf("%d browsers are kept", n)
	}
	back := f.like(own) // signs in again, and is the newest
	back.Browser = browsers[1].Browser
	f.db.AdvanceForTest(100 * day)
	f.begun(back)
	f.expect(back, 1, store.OutcomeAccepted)
	f.db.AdvanceForTest(100 * day)
	f.notMe(f.begun(f.like(own)))
	if !known(browsers[1]) || known(browsers[2]) {
		t.Error("not those of the last 180 days")
	}
	f.purgeAll()
	if n := f.count(`SELECT COUNT(*) FROM device`); n != 1 {
		t.Errorf("%d browsers are kept", n)
	}
}

// A recovery and a sign-out everywhere forget the browsers; a sign-out of one does not.
func testDevicesForgotten(t *testing.T, f *fixture) {
	own, user := f.signUp("ada@example.com")
	bob, _ := f.signUp("bob@example.com")
	devices := func(want int) {
		t.Helper()
		if n := f.count(`SELECT COUNT(*) FROM device WHERE address = $1`, own.Address[:]); n != want {
			t.Errorf("%d browsers are known, want %d", n, want)
		}
	}
	f.no(f.db.EndSessions(f.ctx(), store.Ending{User: user, Session: completion(own).Session.Hash, Address: own.Address}))
	devices(1)
	second := f.begun(f.like(own))
	f.expect(second, 1, store.OutcomeAccepted)
	devices(2)
	n := f.like(own)
	n.Purpose = store.PurposeRecover
	f.begun(n)
	c := completion(n)
	c.Others = true
	for range 2 { // a double click forgets nobody anew
		in, err := f.db.CompleteChallenge(f.ctx(), guess(n, 1), c)
		f.no(err)
		if in.Outcome != store.OutcomeAccepted {
			t.Fatalf("outcome %d", in.Outcome)
		}
		devices(1)
		third := f.begun(f.like(own))
		f.expect(third, 1, store.OutcomeAccepted)
		devices(2)
		f.exec(`DELETE FROM device WHERE browser = $1`, third.Browser[:])
	}
	f.no(f.db.EndSessions(f.ctx(), store.Ending{User: user, Address: random(), Former: own.Address}))
	devices(0)
	if n := f.count(`SELECT COUNT(*) FROM device WHERE address = $1`, bob.Address[:]); n != 1 {
		t.Error("somebody else's browser was forgotten")
	}
}
