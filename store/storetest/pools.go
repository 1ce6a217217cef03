package storetest

import (
	"errors"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

// own is a limit as a browser meets it: the pool that strangers share, or its own.
func own(l store.Limit, browser store.Hash) store.Limit {
	l.Known = browser
	l.Known[0] ^= l.Key[0]
	l.Known[1] ^= l.Key[1]
	return l
}

// from is a new challenge for the address of n in the browser of b.
func (f *fixture) from(n, b store.NewChallenge) store.NewChallenge {
	m := f.like(n)
	m.Browser = b.Browser
	return m
}

func (f *fixture) units(key store.Hash, unit time.Duration) int {
	f.t.Helper()
	return f.count(`SELECT COALESCE(MAX((tat - $2 + $3 / 2) / $3), 0) FROM budget WHERE key = $1`, key[:], f.db.Now().UnixMicro(), unit.Microseconds())
}

func waitOf(err error) time.Duration {
	var e *store.Error
	if errors.As(err, &e) {
		return e.Wait
	}
	return 0
}

// What strangers ask for uses up nothing of a browser that has signed in, nor the
// reverse, and what each is told to wait is its own.
func testPoolsOfMails(t *testing.T, f *fixture) {
	ada, _ := f.signUp("ada@example.com")
	recipient := limit("recipient_sends", 2, time.Hour)
	begin := func(n store.NewChallenge) error {
		n.Recipient = own(recipient, n.Browser)
		_, err := f.db.BeginChallenge(f.ctx(), n)
		return err
	}
	for range 2 { // two strangers
		f.no(begin(f.like(ada)))
	}
	f.db.AdvanceForTest(10 * time.Minute)
	err := begin(f.like(ada))
	f.want(err, store.Limited)
	if wait := waitOf(err); wait < 19*time.Minute || wait > 21*time.Minute {
		t.Errorf("a stranger waits %s, want 20 min", wait)
	}
	for range 2 {
		f.no(begin(f.from(ada, ada)))
	}
	err = begin(f.from(ada, ada))
	f.want(err, store.Limited)
	if wait := waitOf(err); wait < 29*time.Minute || wait > 31*time.Minute {
		t.Errorf("the owner waits %s, want 30 min", wait)
	}
	f.db.AdvanceForTest(21 * time.Minute)
	f.no(begin(f.like(ada)))
	f.want(begin(f.from(ada, ada)), store.Limited)
	// The same browser is a stranger to another address, account or not.
	bob, _ := f.signUp("bob@example.com")
	for _, n := range []store.NewChallenge{bob, f.begin("nobody@example.com")} {
		recipient = limit("recipient_sends", 1, time.Hour)
		f.no(begin(f.from(n, ada)))
		f.want(begin(f.like(n)), store.Limited)
	}
}

// Another code is asked for from the same pool as the first.
func testPoolsOfMoreMails(t *testing.T, f *fixture) {
	ada, _ := f.signUp("ada@example.com")
	recipient := limit("recipient_sends", 2, time.Hour)
	home, strange := f.from(ada, ada), f.like(ada)
	home.Recipient, strange.Recipient = own(recipient, home.Browser), own(recipient, strange.Browser)
	f.begun(home)
	f.begun(strange)
	again := func(n store.NewChallenge) error {
		_, err := f.db.ResendCode(f.ctx(), store.Resend{ID: n.ID, Browser: n.Browser, Request: n.Request, Email: n.Email, Address: n.Address, MAC: mac(2),
			CodeTTL: 10 * time.Minute, NextSend: time.Minute, Mail: f.mail(), IP: n.IP, Recipient: n.Recipient, Unknown: n.Unknown})
		return err
	}
	f.db.AdvanceForTest(2 * time.Minute)
	f.no(again(strange))
	f.no(again(home))
	f.db.AdvanceForTest(2 * time.Minute)
	f.want(again(strange), store.Limited)
	f.want(again(home), store.Limited)
	if s, h := f.units(recipient.Key, 30*time.Minute), f.units(home.Recipient.Known, 30*time.Minute); s != 2 || h != 2 {
		t.Errorf("%d units of strangers and %d of the owner's, want 2 and 2", s, h)
	}
}

// Wrong guesses of a known browser and of strangers at once never pass either pool. After
// that no short code is accepted, however right, and a long one is.
func testPoolsOfGuesses(t *testing.T, f *fixture) {
	ada, _ := f.signUp("ada@example.com")
	account := limit("account_guesses", 10, time.Hour)
	var home, strange []store.NewChallenge
	for range 40 {
		home = append(home, f.begun(f.from(ada, ada)))
		strange = append(strange, f.begun(f.like(ada)))
	}
	guesses := func(code int, short bool) (owners, strangers *tally) {
		owners, strangers = new(tally), new(tally)
		f.parallel(80, []*sqlstore.DB{f.db, f.replica()}, func(i int, db *sqlstore.DB) {
			n, c := home[i/2], owners
			if i%4 < 2 {
				n, c = strange[i/2], strangers
			}
			g := guess(n, code)
			if g.Account = (store.Limit{}); short {
				g.Account = own(account, n.Browser)
			}
			in, err := db.CompleteChallenge(f.ctx(), g, completion(n))
			if err != nil {
				t.Error(err)
			}
			if in.Outcome == store.OutcomeLimited && (in.Limit != "account_guesses" || in.Wait < time.Second) {
				t.Errorf("refused by %q for %s", in.Limit, in.Wait)
			}
			c.add(in.Outcome)
		})
		return owners, strangers
	}
	owners, strangers := guesses(999, true)
	for who, c := range map[string]*tally{"the owner's": owners, "strangers'": strangers} {
		if c.of(store.OutcomeWrong) != 10 || c.of(store.OutcomeLimited) != 30 {
			t.Errorf("of %s guesses ten are compared, the others refused: %s", who, c)
		}
	}
	owners, strangers = guesses(1, true)
	if owners.of(store.OutcomeLimited) != 40 || strangers.of(store.OutcomeLimited) != 40 {
		t.Errorf("right guesses after the budget was spent: %s %s", owners, strangers)
	}
	owners, strangers = guesses(1, false)
	if owners.of(store.OutcomeAccepted) != 40 || strangers.of(store.OutcomeAccepted) != 40 {
		t.Errorf("right long codes after the budget was spent: %s %s", owners, strangers)
	}
}

// A long code takes nothing from the address's guesses, but a try of its challenge, and the
// guesses of its network.
func testLongGuesses(t *testing.T, f *fixture) {
	n := f.begun(f.begin("ada@example.com"))
	ip := limit("ip_guesses", 4, time.Hour)
	for i, want := range []store.Outcome{store.OutcomeWrong, store.OutcomeWrong, store.OutcomeWrong, store.OutcomeWrong, store.OutcomeLimited} {
		g := guess(n, 900+i)
		g.IP, g.Account = ip, store.Limit{}
		in, err := f.db.CompleteChallenge(f.ctx(), g, completion(n))
		f.no(err)
		if in.Outcome != want || want == store.OutcomeLimited && in.Limit != "ip_guesses" {
			t.Errorf("guess %d: %+v", i, in)
		}
	}
	if tries := f.count(`SELECT tries FROM challenge WHERE id = $1`, n.ID[:]); tries != 4 {
		t.Errorf("%d tries, want 4", tries)
	}
}

// Who was forgotten is a stranger again: after a recovery elsewhere, and after a
// sign-out everywhere.
func testForgottenBrowserHasNoPool(t *testing.T, f *fixture) {
	for name, forget := range map[string]func(ada store.NewChallenge, user string){
		"recovery": func(ada store.NewChallenge, _ string) {
			n := f.like(ada)
			n.Purpose = store.PurposeRecover
			f.begun(n)
			c := completion(n)
			c.Others = true
			in, err := f.db.CompleteChallenge(f.ctx(), guess(n, 1), c)
			f.no(err)
			if in.Outcome != store.OutcomeAccepted {
				t.Fatalf("outcome %d", in.Outcome)
			}
		},
		"sign-out everywhere": func(ada store.NewChallenge, user string) {
			f.no(f.db.EndSessions(f.ctx(), store.Ending{User: user, Address: ada.Address}))
		},
	} {
		ada, user := f.signUp(store.Email(store.RandomText(8) + "@example.com"))
		recipient, account := limit("recipient_sends", 1, time.Hour), limit("account_guesses", 1, time.Hour)
		stranger := f.like(ada)
		stranger.Recipient = own(recipient, stranger.Browser)
		f.begun(stranger)
		g := guess(stranger, 999)
		g.Account = own(account, stranger.Browser)
		_, err := f.db.CompleteChallenge(f.ctx(), g, completion(stranger))
		f.no(err)
		begin := func() error {
			n := f.from(ada, ada)
			n.Recipient, n.Guesses = own(recipient, n.Browser), own(account, n.Browser)
			_, err := f.db.BeginChallenge(f.ctx(), n)
			return err
		}
		f.no(begin())
		forget(ada, user)
		if err := begin(); store.CodeOf(err) != store.GuessesSpent {
			t.Errorf("after a %s the browser has its own guesses: %v", name, err)
		}
		account = store.Limit{}
		if err := begin(); store.CodeOf(err) != store.Limited {
			t.Errorf("after a %s the browser has its own mails: %v", name, err)
		}
	}
}

// While its guesses are spent a challenge takes only a code that needs none. The refusal
// charges nothing and changes nothing, whatever limits there are.
func testGuessesSpent(t *testing.T, f *fixture) {
	ada, _ := f.signUp("ada@example.com")
	account := limit("account_guesses", 1, time.Hour)
	spend := func(n store.NewChallenge) {
		g := guess(f.begun(n), 999)
		g.Account = own(account, n.Browser)
		_, err := f.db.CompleteChallenge(f.ctx(), g, completion(n))
		f.no(err)
	}
	open := f.begun(f.like(ada)) // of a stranger, before
	spend(f.like(ada))
	f.db.AdvanceForTest(65 * time.Second)
	ask := func(n store.NewChallenge, length int) (store.Begun, error) {
		if n.Length = length; length < 26 {
			n.Guesses = own(account, n.Browser)
		}
		return f.db.BeginChallenge(f.ctx(), n)
	}
	again := func(n store.NewChallenge, length int) (store.Begun, error) {
		r := store.Resend{ID: n.ID, Browser: n.Browser, Request: n.Request, Email: n.Email, Address: n.Address, MAC: mac(2), Length: length,
			CodeTTL: 10 * time.Minute, NextSend: time.Minute, Mail: f.mail(), IP: n.IP, Recipient: n.Recipient, Unknown: n.Unknown}
		if length < 26 {
			r.Guesses = own(account, n.Browser)
		}
		return f.db.ResendCode(f.ctx(), r)
	}
	limits := map[string]func(*store.NewChallenge){
		"all":          func(*store.NewChallenge) {},
		"no network's": func(n *store.NewChallenge) { n.IP = store.Limit{} },
		"none": func(n *store.NewChallenge) {
			n.IP, n.Recipient, n.Unknown = store.Limit{}, store.Limit{}, store.Limit{}
		},
		"decoys only": func(n *store.NewChallenge) { n.IP, n.Recipient = store.Limit{}, store.Limit{} },
	}
	rows := func() int {
		return f.count(`SELECT COUNT(*) FROM budget`) + f.count(`SELECT COUNT(*) FROM challenge`) + f.count(`SELECT COUNT(*) FROM mail`)
	}
	for name, change := range limits {
		before := rows()
		n := f.like(ada)
		n.Recipient = own(n.Recipient, n.Browser)
		change(&n)
		_, err := ask(n, 6)
		if store.CodeOf(err) != store.GuessesSpent || waitOf(err) < 58*time.Minute {
			t.Errorf("limits %s, short: %v", name, err)
		}
		if after := rows(); after != before {
			t.Errorf("limits %s: %d rows were written", name, after-before)
		}
		begun, err := ask(n, 26)
		if err != nil || begun.Length != 26 {
			t.Errorf("limits %s, long: %v %+v", name, err, begun)
		}
		if st, err := f.db.ChallengeState(f.ctx(), n.ID, n.Browser); err != nil || st.Length != 26 {
			t.Errorf("limits %s: %v %+v", name, err, st)
		}
		o := open
		change(&o)
		before = rows()
		if _, err = again(o, 6); store.CodeOf(err) != store.GuessesSpent || rows() != before {
			t.Errorf("limits %s, another short one: %v", name, err)
		}
	}
	if begun, err := ask(f.from(ada, ada), 6); err != nil || begun.Length != 6 {
		t.Errorf("a known browser has guesses of its own: %v %+v", err, begun)
	}
	begun, err := again(open, 26)
	if err != nil || begun.Length != 26 || begun.Sends != 2 {
		t.Errorf("another long one: %v %+v", err, begun)
	}
	spend(f.from(ada, ada))
	_, err = ask(f.from(ada, ada), 6)
	f.want(err, store.GuessesSpent)
	f.db.AdvanceForTest(61 * time.Minute)
	_, err = ask(f.like(ada), 6)
	f.no(err)
}
