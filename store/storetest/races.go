package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

// 200 wrong guesses at once on one challenge: five are compared.
func testParallelWrongGuesses(t *testing.T, f *fixture) {
	n := f.begun(f.begin("ada@example.com"))
	var c tally
	f.parallel(200, []*sqlstore.DB{f.db, f.replica()}, func(i int, db *sqlstore.DB) {
		in, err := db.CompleteChallenge(f.ctx(), guess(n, 1000+i), completion(n))
		if err != nil {
			t.Error(err)
		}
		c.add(in.Outcome)
	})
	// The fifth wrong guess answers "spent" as well: tell them apart by the row.
	if tries := f.count(`SELECT tries FROM challenge WHERE id = $1`, n.ID[:]); tries != 5 || c.of(store.OutcomeWrong) != 4 {
		t.Fatalf("%d guesses were compared, want 5: %s", tries, &c)
	}
	f.expect(n, 1, store.OutcomeSpent)
	if s := f.count(`SELECT COUNT(*) FROM session`); s != 0 {
		t.Fatalf("%d sessions", s)
	}
}

// 200 right guesses at once on one challenge: one session, one redeemable code.
func testParallelRightGuesses(t *testing.T, f *fixture) {
	n := f.begun(f.begin("ada@example.com"))
	var c tally
	f.parallel(200, []*sqlstore.DB{f.db, f.replica()}, func(_ int, db *sqlstore.DB) {
		in, err := db.CompleteChallenge(f.ctx(), guess(n, 1), completion(n))
		if err != nil {
			t.Error(err)
		}
		c.add(in.Outcome)
	})
	if c.of(store.OutcomeAccepted) != 200 {
		t.Errorf("all are the same browser with the same code, so all land on the same session: %s", &c)
	}
	for _, table := range []string{"users", "session", "auth_code", "event"} {
		if rows := f.count(`SELECT COUNT(*) FROM ` + table); rows != 1 {
			t.Errorf("%d rows in %s, want 1", rows, table)
		}
	}
	_, err := f.db.RedeemCode(f.ctx(), redemption(n))
	f.no(err)
}

// 64 redemptions at once of one code: one token set.
func testParallelRedemptions(t *testing.T, f *fixture) {
	n, _ := f.signUp("ada@example.com")
	var won, used, other atomic.Int64
	f.parallel(64, []*sqlstore.DB{f.db, f.replica()}, func(_ int, db *sqlstore.DB) {
		_, err := db.RedeemCode(f.ctx(), redemption(n))
		switch store.CodeOf(err) {
		case "":
			won.Add(1)
		case store.Used:
			used.Add(1)
		default:
			other.Add(1)
			t.Error(err)
		}
	})
	if won.Load() != 1 || used.Load() != 63 {
		t.Errorf("%d won, %d used, %d else; want 1, 63, 0", won.Load(), used.Load(), other.Load())
	}
	if g := f.count(`SELECT COUNT(*) FROM oidc_grant`); g != 1 {
		t.Errorf("%d grants, want 1", g)
	}
}

// Two browsers register one address at once: one account.
func testParallelRegistrations(t *testing.T, f *fixture) {
	var ns []store.NewChallenge
	for range 20 {
		n := f.begin("ada@example.com")
		n.Address = store.HashOf([]byte("ada")) // one address, one guess budget
		ns = append(ns, f.begun(n))
	}
	var c tally
	f.parallel(len(ns), []*sqlstore.DB{f.db, f.replica()}, func(i int, db *sqlstore.DB) {
		in, err := db.CompleteChallenge(f.ctx(), guess(ns[i], 1), completion(ns[i]))
		if err != nil {
			t.Error(err)
		}
		c.add(in.Outcome)
	})
	if u := f.count(`SELECT COUNT(*) FROM users`); u != 1 {
		t.Errorf("%d accounts, want 1", u)
	}
	if c.of(store.OutcomeAccepted) != 1 || c.of(store.OutcomeConfirm) != 19 {
		t.Errorf("one registers, the others are asked whether they want to sign in: %s", &c)
	}
}

// 50 requests at once with a budget of five: five challenges and five mails.
func testParallelBegins(t *testing.T, f *fixture) {
	recipient := limit("recipient_sends", 5, time.Hour)
	var ok, limited atomic.Int64
	f.parallel(50, []*sqlstore.DB{f.db, f.replica()}, func(_ int, db *sqlstore.DB) {
		n := f.begin("ada@example.com")
		n.Recipient = recipient
		_, err := db.BeginChallenge(f.ctx(), n)
		switch store.CodeOf(err) {
		case "":
			ok.Add(1)
		case store.Limited:
			limited.Add(1)
		default:
			t.Error(err)
		}
	})
	if ok.Load() != 5 || limited.Load() != 45 {
		t.Errorf("%d begun, %d limited; want 5 and 45", ok.Load(), limited.Load())
	}
	if c, m := f.count(`SELECT COUNT(*) FROM challenge`), f.count(`SELECT COUNT(*) FROM mail`); c != 5 || m != 5 {
		t.Errorf("%d challenges and %d mails, want 5 of each", c, m)
	}
}

// Once an address's budget of wrong guesses is spent, no right guess is accepted
// either, on any challenge, however many run at once.
func testGuessBudget(t *testing.T, f *fixture) {
	account := limit("account_guesses", 10, time.Hour)
	var ns []store.NewChallenge
	for range 40 {
		ns = append(ns, f.begun(f.begin("ada@example.com")))
	}
	with := func(n store.NewChallenge, code int) store.Guess {
		g := guess(n, code)
		g.Account = account
		return g
	}
	var c tally
	f.parallel(40, []*sqlstore.DB{f.db, f.replica()}, func(i int, db *sqlstore.DB) {
		in, err := db.CompleteChallenge(f.ctx(), with(ns[i], 999), completion(ns[i]))
		if err != nil {
			t.Error(err)
		}
		c.add(in.Outcome)
	})
	if c.of(store.OutcomeWrong) != 10 || c.of(store.OutcomeLimited) != 30 {
		t.Errorf("ten guesses are compared, the others refused: %s", &c)
	}
	var right tally
	f.parallel(40, []*sqlstore.DB{f.db, f.replica()}, func(i int, db *sqlstore.DB) {
		in, err := db.CompleteChallenge(f.ctx(), with(ns[i], 1), completion(ns[i]))
		if err != nil {
			t.Error(err)
		}
		if in.Outcome == store.OutcomeLimited && in.Wait < time.Second {
			t.Errorf("the wait is %s", in.Wait)
		}
		right.add(in.Outcome)
	})
	if right.of(store.OutcomeAccepted) != 0 {
		t.Errorf("right guesses after the budget was spent: %s", &right)
	}
	f.db.AdvanceForTest(13 * time.Minute) // two units of 6 minutes are back
	in, err := f.db.CompleteChallenge(f.ctx(), with(f.begun(f.begin("ada@example.com")), 1), completion(ns[0]))
	f.no(err)
	if in.Outcome != store.OutcomeAccepted {
		t.Errorf("outcome %d after the wait", in.Outcome)
	}
}

// A stranger who is stopped at his own network's limit charges nobody else's.
func testIPBudgetSparesOthers(t *testing.T, f *fixture) {
	ip, account := limit("ip_guesses", 1, time.Hour), limit("account_guesses", 10, time.Hour)
	for range 20 {
		n := f.begun(f.begin("ada@example.com"))
		g := guess(n, 999)
		g.IP, g.Account = ip, account
		_, err := f.db.CompleteChallenge(f.ctx(), g, completion(n))
		f.no(err)
	}
	left := f.count(`SELECT COUNT(*) FROM budget WHERE key = $1 AND tat < $2`, account.Key[:], f.db.Now().Add(7*time.Minute).UnixMicro())
	if left != 1 {
		t.Error("the address was charged for guesses that its network's limit had refused")
	}
}

// The workload of a busy minute in every order: no deadlock, no lost unit.
func testMixedLoad(t *testing.T, f *fixture) {
	ips := []store.Limit{limit("ip", 100_000, time.Hour), limit("ip", 100_000, time.Hour)}
	addresses := []store.Limit{limit("address", 100_000, time.Hour), limit("address", 100_000, time.Hour), limit("address", 100_000, time.Hour)}
	dbs := []*sqlstore.DB{f.db, f.replica()}
	f.parallel(24, dbs, func(i int, db *sqlstore.DB) {
		for round := range 6 {
			email := store.Email(fmt.Sprintf("p%d@example.com", (i+round)%3))
			n := f.begin(email)
			n.IP, n.Recipient, n.Unknown = ips[(i+round)%2], addresses[(i+round)%3], addresses[(i+round+1)%3]
			n.Unknown.Key[31]++ // rows of its own, as in the product
			if _, err := db.BeginChallenge(f.ctx(), n); err != nil {
				t.Error(err)
				return
			}
			for _, code := range []int{7, 1} {
				g := guess(n, code)
				g.IP, g.Account, g.Confirm = ips[(i+round+1)%2], addresses[(i+round)%3], true
				g.IP.Key[30]++
				g.Account.Key[30]++
				if _, err := db.CompleteChallenge(f.ctx(), g, completion(n)); err != nil {
					t.Error(err)
					return
				}
			}
			if _, err := db.RedeemCode(f.ctx(), redemption(n)); err != nil {
				t.Error(err)
			}
			if err := db.Refund(f.ctx(), map[store.Limit]int{ips[0]: 1, ips[1]: 1}); err != nil {
				t.Error(err)
			}
		}
	})
	if s := f.count(`SELECT COUNT(*) FROM session`); s != 24*6 {
		t.Errorf("%d sessions, want %d", s, 24*6)
	}
}

// With the address's budget spent, a refused guess leaves the same traces whether
// it was right or wrong: a stranger must not be able to try codes against the
// budget of his network.
func testRefusedGuessTellsNothing(t *testing.T, f *fixture) {
	account := limit("account_guesses", 1, time.Hour)
	spend := f.begun(f.begin("ada@example.com"))
	g := guess(spend, 999)
	g.Account = account
	_, err := f.db.CompleteChallenge(f.ctx(), g, completion(spend))
	f.no(err)
	var traces [2]string
	for i, code := range []int{1, 999} {
		n := f.begun(f.begin("ada@example.com"))
		ip := limit("ip_guesses", 3, time.Hour)
		at := f.db.Now().UnixMicro()
		for range 2 {
			g := guess(n, code)
			g.IP, g.Account = ip, account
			in, err := f.db.CompleteChallenge(f.ctx(), g, completion(n))
			f.no(err)
			if in.Outcome != store.OutcomeLimited {
				t.Fatalf("outcome %d", in.Outcome)
			}
		}
		units := f.count(`SELECT (tat - $2 + 60000000) / 1200000000 FROM budget WHERE key = $1`, ip.Key[:], at)
		traces[i] = fmt.Sprint(units, f.count(`SELECT tries FROM challenge WHERE id = $1`, n.ID[:]))
	}
	if traces[0] != traces[1] || traces[0] != "2 0" {
		t.Errorf("right: %s, wrong: %s; want two units and no try for both", traces[0], traces[1])
	}
}

// A right guess costs nobody anything in the end, a wrong one a unit of each.
func testGuessCharges(t *testing.T, f *fixture) {
	for code, want := range map[int]int{1: 0, 999: 1} {
		n := f.begun(f.begin(store.Email(fmt.Sprintf("p%d@example.com", code))))
		ip, account := limit("ip_guesses", 60, time.Hour), limit("account_guesses", 60, time.Hour)
		at := f.db.Now().UnixMicro()
		g := guess(n, code)
		g.IP, g.Account = ip, account
		_, err := f.db.CompleteChallenge(f.ctx(), g, completion(n))
		f.no(err)
		for _, l := range []store.Limit{ip, account} {
			if units := f.count(`SELECT (tat - $2 + 20000000) / 60000000 FROM budget WHERE key = $1`, l.Key[:], at); units != want {
				t.Errorf("code %d: %d units of %s, want %d", code, units, l.Name, want)
			}
		}
	}
}

// A code that is redeemed, or a token that is refreshed, while the account is signed out
// everywhere: whichever comes first, nothing lives on.
func testNothingOutlivesSignOut(t *testing.T, f *fixture) {
	dbs := []*sqlstore.DB{f.db, f.replica()}
	for i := range 40 {
		m := f.family(store.Email(fmt.Sprintf("p%d@example.com", i)), true)
		c := completion(m.n)
		c.Code.Hash, c.Code.Offline = random(), true
		_, err := f.db.CompleteSession(f.ctx(), c.Session.Hash, m.n.Browser, c)
		f.no(err)
		r := redemption(m.n)
		r.Code, r.Refresh = c.Code.Hash, store.NewRefresh{Hash: random(), Idle: day, Absolute: day}
		f.parallel(3, dbs, func(n int, _ *sqlstore.DB) {
			switch n {
			case 0:
				if err := dbs[0].EndSessions(f.ctx(), store.Ending{User: m.user}); err != nil {
					t.Error(err)
				}
			case 1:
				_, _ = dbs[1].RedeemCode(f.ctx(), r)
			case 2:
				_, _ = dbs[1].RefreshGrant(f.ctx(), m.refresh(0))
			}
		})
		if live := f.count(`SELECT COUNT(*) FROM oidc_grant WHERE user_id = $1 AND revoked_at IS NULL`, m.user); live != 0 {
			t.Fatalf("round %d: %d grants outlived the sign-out", i, live)
		}
	}
}
