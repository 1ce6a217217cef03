// Package storetest is the contract that every engine passes, races included.
// Each engine's own tests call [Run].
package storetest

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

// Open makes one more engine on the same, migrated, database: a replica.
type Open func() sqlstore.Engine

// Run holds an engine against the contract. fresh gives an empty database.
func Run(t *testing.T, fresh func(t *testing.T) Open) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := fresh(t)
			f := setup(t, open, false)
			f.fresh = func() Open { return fresh(t) }
			test(t, f)
		})
	}
	// The answer of a script's first run is lost, and the engine sends it again.
	for _, name := range []string{
		"NotMe", "NotMeAgain", "NotMeAfterPurge", "NotMeAfterMove", "NotMeOfTheNextHolder", "NotMeByWhomNobodyKnows", "Mute", "MuteUnderTwoSecrets", "Devices", "DevicesForgotten",
		"SignIn", "Outcomes", "Binding", "Resend", "Confirm", "DoubleClick", "RedemptionMismatch",
		"Sessions", "Suspended", "Mail", "MailLastCall", "MailRefused", "ConnectorHealth", "HookDeliveries", "SuppressionTold", "GuessCharges", "SecondTabThenReload", "DeletedClient", "BegunTwice", "RefusedLimitWritesNothing",
		"Refresh", "RefreshAncestor", "RefreshRotatesLate", "RefreshLifetimes", "NarrowScopes", "Revocation", "EndSession", "ReplacedSession",
		"AnotherPersonSignsIn", "SessionList", "Recovery", "Subject", "ClientKeys", "PersonPermissions",
		"Chain", "CutEvents", "Traces", "Feedback", "FeedbackOrder", "Suppression", "Notification",
		"OneTimeTokens", "SignInByToken", "Verification",
		"ConsoleSignIn", "ConsoleSessionLives", "GuessCounts", "MissedGuesses", "TestAddressSignIn", "TestAddressCodes",
		"PoolsOfMails", "PoolsOfMoreMails", "LongGuesses", "ForgottenBrowserHasNoPool",
	} {
		t.Run("Twice"+name, func(t *testing.T) {
			t.Parallel()
			open := fresh(t)
			tests[name](t, setup(t, func() sqlstore.Engine { return twice{open()} }, true))
		})
	}
}

// twice runs every script that says that running it twice equals running it once
// twice.
type twice struct{ sqlstore.Engine }

// Run implements [sqlstore.Engine].
func (e twice) Run(ctx context.Context, s *sqlstore.Script) error {
	if s.Idempotent {
		if err := e.Engine.Run(ctx, s); err != nil {
			return err
		}
	}
	return e.Engine.Run(ctx, s)
}

func setup(t *testing.T, open Open, twice bool) *fixture {
	f := &fixture{t: t, open: open, db: start(t, open), twice: twice}
	f.no(f.db.CreateClient(t.Context(), client("bookstore")))
	return f
}

// fixture is one database with one replica on it. A clock that is read while the machine stands
// still is off by half of that for a moment: tests move it by some seconds more than has to pass.
type fixture struct {
	t     *testing.T
	open  Open
	db    *sqlstore.DB
	twice bool // each script runs twice
	fresh func() Open
}

func start(t *testing.T, open Open) *sqlstore.DB {
	t.Helper()
	db := sqlstore.New(open())
	if err := db.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// replica is one more server on the same database.
func (f *fixture) replica() *sqlstore.DB { return start(f.t, f.open) }

func (f *fixture) ctx() context.Context { return f.t.Context() }

// no fails the test on an error.
func (f *fixture) no(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// want fails the test unless err has the code.
func (f *fixture) want(err error, code store.Code) {
	f.t.Helper()
	if store.CodeOf(err) != code {
		f.t.Fatalf("got error %v, want code %q", err, code)
	}
}

// changeClient changes a client as somebody who has read it.
func (f *fixture) changeClient(id string, change func(*store.Client)) {
	f.t.Helper()
	c, err := f.db.FreshClient(f.ctx(), id)
	f.no(err)
	change(&c)
	_, err = f.db.UpdateClient(f.ctx(), c, c.UpdatedAt)
	f.no(err)
}

func random() (h store.Hash) {
	_, _ = rand.Read(h[:])
	return h
}

// mac stands for the keyed MAC of a code: the store never sees more.
func mac(code int) (h store.Hash) {
	binary.BigEndian.PutUint64(h[:], uint64(code)+1)
	return h
}

// window is a limit under a random key.
func limit(name string, count int, period time.Duration) store.Limit {
	return store.Limit{Name: name, Key: random(), Windows: [2]store.Window{{Count: count, Period: period}}}
}

// begin is a new challenge for email whose code is 1, with limits that never refuse.
func (f *fixture) begin(email store.Email) store.NewChallenge {
	id := store.NewID(f.db.Now())
	return store.NewChallenge{
		ID: id, Purpose: store.PurposeRegister, Browser: random(), Request: store.NewID(f.db.Now()),
		Email: email, Address: random(), MAC: mac(1),
		CodeTTL: 10 * time.Minute, TTL: 30 * time.Minute, NextSend: time.Minute, Tries: 5, Sends: 3,
		Mail:      f.mail(),
		IP:        limit("ip_sends", 1000, time.Hour),
		Recipient: limit("recipient_sends", 1000, time.Hour),
		Unknown:   limit("unknown_sends", 1000, time.Hour),
	}
}

func (f *fixture) mail() store.NewMail {
	return store.NewMail{ID: store.NewID(f.db.Now()), Usage: store.UsageSignIn, Payload: []byte("sealed"),
		TTL: 10 * time.Minute, Worker: store.NewID(f.db.Now()), Lease: 30 * time.Second}
}

func (f *fixture) begun(n store.NewChallenge) store.NewChallenge {
	f.t.Helper()
	_, err := f.db.BeginChallenge(f.ctx(), n)
	f.no(err)
	return n
}

// guess offers a code on a challenge, with budgets that never refuse.
func guess(n store.NewChallenge, code int) store.Guess {
	return store.Guess{
		Challenge: n.ID, Browser: n.Browser, Purpose: n.Purpose, Request: n.Request, Email: n.Email, Address: n.Address, Former: n.Former,
		MACs: []store.Hash{mac(code)}, Attempt: random(),
		IP:      store.Limit{Name: "ip_guesses", Key: n.Browser, Windows: [2]store.Window{{Count: 100_000, Period: time.Hour}}},
		Account: store.Limit{Name: "account_guesses", Key: n.Address, Windows: [2]store.Window{{Count: 100_000, Period: time.Hour}, {Count: 200_000, Period: 24 * time.Hour}}},
	}
}

// completion is what follows a proof; session and code are derived from the
// challenge, as the provider does it.
func completion(n store.NewChallenge) store.Completion {
	derive := func(what byte) (h store.Hash) {
		copy(h[:], n.ID[:])
		h[31] = what
		return h
	}
	return store.Completion{
		Session: store.NewSession{Hash: derive('s'), Idle: 12 * time.Hour, Absolute: 14 * 24 * time.Hour, AMR: []string{"otp"}},
		Code: store.NewCode{Hash: derive('c'), Client: "bookstore", RedirectURI: "https://shop.example/callback",
			CodeChallenge: "challenge", Nonce: "n", Scopes: []string{"openid", "email"}, TTL: time.Minute},
		Event: "user.signed_in", UserID: store.RandomText(12),
	}
}

func (f *fixture) try(n store.NewChallenge, code int) store.SignedIn {
	f.t.Helper()
	in, err := f.db.CompleteChallenge(f.ctx(), guess(n, code), completion(n))
	f.no(err)
	return in
}

// expect fails the test unless the guess has the outcome.
func (f *fixture) expect(n store.NewChallenge, code int, want store.Outcome) store.SignedIn {
	f.t.Helper()
	in := f.try(n, code)
	if in.Outcome != want {
		f.t.Fatalf("outcome %d, want %d", in.Outcome, want)
	}
	return in
}

// signUp makes an account and gives its id.
func (f *fixture) signUp(email store.Email) (store.NewChallenge, string) {
	f.t.Helper()
	n := f.begun(f.begin(email))
	return n, f.expect(n, 1, store.OutcomeAccepted).User
}

func redemption(n store.NewChallenge) store.Redemption {
	c := completion(n)
	return store.Redemption{Code: c.Code.Hash, Client: c.Code.Client, RedirectURI: c.Code.RedirectURI, Challenge: c.Code.CodeChallenge,
		Grant: store.NewID(time.Now()), Access: random(), AccessTTL: time.Hour, Attempt: random()}
}

// count runs a counting query beside the store.
func (f *fixture) count(query string, args ...any) (n int) {
	f.t.Helper()
	e := f.open()
	defer func() { _ = e.Close() }()
	f.no(e.Read(f.ctx(), query, args, func(scan func(...any) error) error { return scan(&n) }))
	return n
}

// exec runs a statement beside the store.
func (f *fixture) exec(sql string, args ...any) {
	f.t.Helper()
	e := f.open()
	defer func() { _ = e.Close() }()
	var s sqlstore.Script
	s.Do(sql, args...)
	f.no(e.Run(f.ctx(), &s))
}

// parallel runs do n times at once, spread over the replicas.
func (f *fixture) parallel(n int, dbs []*sqlstore.DB, do func(i int, db *sqlstore.DB)) {
	var wg sync.WaitGroup
	gate := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-gate
			do(i, dbs[i%len(dbs)])
		})
	}
	close(gate)
	wg.Wait()
}

// tally counts outcomes.
type tally [16]atomic.Int64

func (c *tally) add(o store.Outcome)    { c[o].Add(1) }
func (c *tally) of(o store.Outcome) int { return int(c[o].Load()) }
func (c *tally) String() string {
	var b strings.Builder
	for o := range c {
		if n := c[o].Load(); n > 0 {
			fmt.Fprintf(&b, "outcome %d: %d; ", o, n)
		}
	}
	return b.String()
}
