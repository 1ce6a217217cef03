package storetest

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
)

func (f *fixture) token(email store.Email) store.OneTimeToken {
	f.t.Helper()
	made, err := f.db.CreateOneTimeToken(f.ctx(), store.OneTimeToken{ID: store.RandomText(21), Email: email, Hash: random(), Context: json.RawMessage(`{}`),
		ExpiresAt: f.db.Now().Add(10 * time.Minute)}, store.Event{Kind: "one_time_token.created"})
	f.no(err)
	return made
}

// byToken is a guess of a token, and the challenge it is about.
func (f *fixture) byToken(made store.OneTimeToken) (store.Guess, store.NewChallenge) {
	n := f.begin(made.Email)
	n.Purpose = store.PurposeSignIn
	g := guess(n, 1)
	g.IP, g.Account, g.Confirm = store.Limit{}, store.Limit{}, true
	g.Token = store.TokenProof{Hash: made.Hash, TTL: 10 * time.Minute}
	return g, n
}

func testOneTimeTokens(t *testing.T, f *fixture) {
	a, b, c := f.token("ada@example.com"), f.token("ada@example.com"), f.token("bob@example.com")
	list := func(q store.TokenQuery, want int) []store.OneTimeToken {
		t.Helper()
		q.Limit, q.Count = 20, 100
		got, total, err := f.db.OneTimeTokens(f.ctx(), q)
		f.no(err)
		if len(got) != want || total != want {
			t.Errorf("%+v: %d of %d, want %d", q, len(got), total, want)
		}
		return got
	}
	list(store.TokenQuery{}, 3)
	list(store.TokenQuery{Email: "ada@example.com"}, 2)
	if !f.twice { // the second run finds it used
		f.no(f.db.RevokeOneTimeToken(f.ctx(), a.ID))
		f.want(f.db.RevokeOneTimeToken(f.ctx(), a.ID), store.Used)
		f.want(f.db.ConsumeOneTimeToken(f.ctx(), a.ID), store.Used)
		f.no(f.db.ConsumeOneTimeToken(f.ctx(), b.ID, store.Event{Kind: "one_time_token.used"}))
		f.want(f.db.ConsumeOneTimeToken(f.ctx(), "missing"), store.NotFound)
		list(store.TokenQuery{Status: store.TokenActive}, 1)
		list(store.TokenQuery{Status: store.TokenConsumed, Email: "bob@example.com"}, 0)
		list(store.TokenQuery{Status: store.TokenRevoked}, 1)
		f.no(f.db.DeleteOneTimeToken(f.ctx(), a.ID))
		f.want(f.db.DeleteOneTimeToken(f.ctx(), a.ID), store.NotFound)
	}
	got, err := f.db.OneTimeTokenByHash(f.ctx(), c.Hash)
	f.no(err)
	if got.ID != c.ID || got.Email != c.Email || !got.ExpiresAt.Equal(c.ExpiresAt.Truncate(time.Microsecond)) {
		t.Errorf("got %+v, want %+v", got, c)
	}
	f.db.AdvanceForTest(11 * time.Minute)
	if got := list(store.TokenQuery{Status: store.TokenExpired, Email: "bob@example.com"}, 1); got[0].Status(f.db.Now()) != store.TokenExpired {
		t.Errorf("status %s", got[0].Status(f.db.Now()))
	}
}

func testSignInByToken(t *testing.T, f *fixture) {
	made := f.token("ada@example.com")
	g, n := f.byToken(made)
	bad := func(name string, change func(*store.Guess)) {
		t.Helper()
		other, m := f.byToken(made)
		change(&other)
		in, err := f.db.CompleteChallenge(f.ctx(), other, completion(m))
		f.no(err)
		if in.Outcome != store.OutcomeGone {
			t.Errorf("%s: outcome %d", name, in.Outcome)
		}
	}
	bad("another address", func(g *store.Guess) { g.Email = "bob@example.com" })
	bad("another token", func(g *store.Guess) { g.Token.Hash = random() })
	in, err := f.db.CompleteChallenge(f.ctx(), g, completion(n))
	f.no(err)
	if in.Outcome != store.OutcomeAccepted || in.User == "" {
		t.Fatalf("signed in: %+v", in)
	}
	g.Attempt = random() // a double click
	again, err := f.db.CompleteChallenge(f.ctx(), g, completion(n))
	f.no(err)
	if again.Outcome != store.OutcomeAccepted || again.User != in.User {
		t.Errorf("the second click: %+v", again)
	}
	bad("another browser, after it", func(*store.Guess) {})
	if s := f.count(`SELECT COUNT(*) FROM session`); s != 1 {
		t.Errorf("%d sessions", s)
	}
	f.db.AdvanceForTest(2 * time.Minute)
	late, err := f.db.CompleteChallenge(f.ctx(), g, completion(n))
	f.no(err)
	if late.Outcome == store.OutcomeAccepted {
		t.Error("accepted two minutes later")
	}

	// One that recovers an account is not used up where there is none.
	nobodys := f.token("bob@example.com")
	g, n = f.byToken(nobodys)
	g.Purpose, g.Confirm = store.PurposeRecover, false
	in, err = f.db.CompleteChallenge(f.ctx(), g, completion(n))
	f.no(err)
	if kept, err := f.db.OneTimeToken(f.ctx(), nobodys.ID); err != nil || in.Outcome != store.OutcomeGone || !kept.ConsumedAt.IsZero() {
		t.Errorf("a recovery of nobody's account: %+v %+v %v", in, kept, err)
	}

	expired := f.token("eve@example.com")
	f.db.AdvanceForTest(11 * time.Minute)
	g, n = f.byToken(expired)
	in, err = f.db.CompleteChallenge(f.ctx(), g, completion(n))
	f.no(err)
	if in.Outcome != store.OutcomeGone || f.count(`SELECT COUNT(*) FROM users WHERE email = 'eve@example.com'`) != 0 {
		t.Errorf("an expired token: %+v", in)
	}
	if !f.twice {
		revoked := f.token("eve@example.com")
		f.no(f.db.RevokeOneTimeToken(f.ctx(), revoked.ID))
		g, n = f.byToken(revoked)
		if in, err = f.db.CompleteChallenge(f.ctx(), g, completion(n)); err != nil || in.Outcome != store.OutcomeGone {
			t.Errorf("a revoked token: %+v %v", in, err)
		}
	}
}

// Of many browsers that hold the same token, one gets in.
func testParallelTokens(t *testing.T, f *fixture) {
	made := f.token("ada@example.com")
	other := f.replica()
	var in atomic.Int32
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			db := f.db
			if i%2 == 1 {
				db = other
			}
			g, n := f.byToken(made)
			got, err := db.CompleteChallenge(f.ctx(), g, completion(n))
			if err == nil && got.Outcome == store.OutcomeAccepted {
				in.Add(1)
			}
		})
	}
	wait.Wait()
	if in.Load() != 1 || f.count(`SELECT COUNT(*) FROM session`) != 1 {
		t.Errorf("%d got in, with %d sessions", in.Load(), f.count(`SELECT COUNT(*) FROM session`))
	}
}

// A code that an app asked for itself makes neither account nor session.
func testVerification(t *testing.T, f *fixture) {
	n := f.begin("ada@example.com")
	n.Purpose = store.PurposeVerify
	f.begun(n)
	try := func(code int) store.Outcome {
		t.Helper()
		g := guess(n, code)
		g.Confirm = true
		in, err := f.db.CompleteChallenge(f.ctx(), g, store.Completion{})
		f.no(err)
		return in.Outcome
	}
	if o := try(2); o != store.OutcomeWrong {
		t.Errorf("wrong code: %d", o)
	}
	if o := try(1); o != store.OutcomeAccepted {
		t.Errorf("right code: %d", o)
	}
	if o := try(1); o != store.OutcomeUsed {
		t.Errorf("again: %d", o)
	}
	if f.count(`SELECT COUNT(*) FROM users`)+f.count(`SELECT COUNT(*) FROM session`) != 0 {
		t.Error("somebody was signed in")
	}
}
