package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
	"idp/store/postgres"
	"idp/store/sqlite"
	"idp/store/sqlstore"
)

// BenchmarkStore measures each operation of a sign-in, and what comes after it, on the store alone: CPU of
// the Go process and, apart, of Postgres.
//
//	go test -bench Store -benchtime 2s ./bench
func BenchmarkStore(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			db, used := openStore(b, engine)
			c := chain{db: db}
			for _, op := range []struct {
				name string
				do   func(context.Context, *attempt) error
				upTo int // operations that come before it in a sign-in
			}{{"send", c.send, 0}, {"verify", c.verify, 1}, {"redeem", c.redeem, 2}, {"userinfo", c.userinfo, 3},
				{"refresh", c.refresh, 3}, {"replace", c.replace, 3}} {
				b.Run(op.name, func(b *testing.B) { c.measure(b, op.do, op.upTo, used) })
			}
		})
	}
}

func openStore(b *testing.B, engine string) (*sqlstore.DB, func() time.Duration) {
	b.Helper()
	ctx := b.Context()
	var e interface {
		sqlstore.Engine
		Migrate(ctx context.Context) error
	}
	used := func() time.Duration { return 0 }
	if engine == "sqlite" {
		file, err := sqlite.Open(ctx, filepath.Join(b.TempDir(), "idp.db"), sqlite.Options{})
		must(b, err)
		e = file
	} else {
		opened, err := openDatabase(ctx, engine, "")
		must(b, err)
		b.Cleanup(func() { _ = opened.close() })
		pg, err := postgres.Open(ctx, opened.(*served).cluster.URL(), postgres.Options{})
		must(b, err)
		e = pg
		used = func() time.Duration {
			u, err := opened.usage(ctx)
			must(b, err)
			return u.cpu
		}
	}
	must(b, e.Migrate(ctx))
	db := sqlstore.New(e)
	must(b, db.Start(ctx))
	b.Cleanup(func() { _ = db.Close() })
	must(b, db.CreateClient(ctx, store.Client{ID: "bench", Type: store.Traditional, Name: "Bench", RedirectURIs: []string{callback}, IDTokenAlg: "ES256", PKCE: true}))
	return db, used
}

const callback = "http://127.0.0.1:9/callback" // never called

// chain does the store's part of sign-ins.
type chain struct {
	db *sqlstore.DB
	n  atomic.Int64
}

// attempt is one sign-in's values.
type attempt struct {
	challenge  store.NewChallenge
	completion store.Completion
	redemption store.Redemption
}

// accounts is how many addresses the attempts are spread over.
const accounts = 2000

func (c *chain) measure(b *testing.B, do func(context.Context, *attempt) error, upTo int, used func() time.Duration) {
	ctx := b.Context()
	attempts := make([]*attempt, b.N)
	inParallel(b, len(attempts), func(i int) error {
		a := c.attempt()
		attempts[i] = a
		for _, before := range []func(context.Context, *attempt) error{c.send, c.verify, c.redeem}[:upTo] {
			if err := before(ctx, a); err != nil {
				return err
			}
		}
		return nil
	})
	goBefore, err := ownCPU()
	must(b, err)
	pgBefore := used()
	b.ResetTimer()
	inParallel(b, len(attempts), func(i int) error { return do(ctx, attempts[i]) })
	b.StopTimer()
	goAfter, err := ownCPU()
	must(b, err)
	perOp := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(b.N) }
	b.ReportMetric(perOp(goAfter-goBefore), "go-cpu-µs/op")
	b.ReportMetric(perOp(used()-pgBefore), "pg-cpu-µs/op")
}

// inParallel does count things, 16 at a time.
func inParallel(b *testing.B, count int, do func(i int) error) {
	b.Helper()
	const workers = 16
	var next atomic.Int64
	failed := make(chan error, workers)
	for range workers {
		go func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= count {
					failed <- nil
					return
				}
				if err := do(i); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	for range workers {
		must(b, <-failed)
	}
}

func (c *chain) attempt() *attempt {
	now := c.db.Now()
	person := int(c.n.Add(1)) % accounts
	limit := func(name string) store.Limit {
		l := store.Limit{Name: name, Windows: [2]store.Window{{Count: 100_000, Period: time.Hour}, {Count: 1_000_000, Period: 24 * time.Hour}}}
		copy(l.Key[:], fmt.Sprintf("%s %d", name, person))
		return l
	}
	browser := random()
	pools := func(name string) store.Limit {
		l := limit(name)
		l.Known = random()
		return l
	}
	var address store.Hash
	copy(address[:], fmt.Sprintf("address %d", person))
	a := &attempt{challenge: store.NewChallenge{
		ID: store.NewID(now), Purpose: store.PurposeSignIn, Browser: browser, Request: store.NewID(now),
		Email: store.Email(fmt.Sprintf("person%d@example.com", person)), Address: address, MAC: random(),
		CodeTTL: 10 * time.Minute, TTL: 30 * time.Minute, NextSend: time.Minute, Tries: 5, Sends: 3,
		Mail: store.NewMail{ID: store.NewID(now), Usage: store.UsageSignIn, Payload: make([]byte, 300), TTL: 10 * time.Minute,
			Worker: store.NewID(now), Lease: time.Minute},
		Recipient: pools("recipient_sends"), Guesses: pools("account_guesses"), Unknown: limit("unknown_sends"),
	}}
	a.completion = store.Completion{
		Session: store.NewSession{Hash: random(), Idle: 12 * time.Hour, Absolute: 14 * 24 * time.Hour, AMR: []string{"otp"}},
		Code: store.NewCode{Hash: random(), Client: "bench", RedirectURI: callback, CodeChallenge: "challenge",
			Nonce: "nonce", Scopes: []string{"openid", "profile", "email", "offline_access"}, Offline: true, TTL: 10 * time.Minute},
		Event: "user.signed_in", UserID: store.RandomText(12),
	}
	a.redemption = store.Redemption{Code: a.completion.Code.Hash, Client: "bench", RedirectURI: a.completion.Code.RedirectURI,
		Challenge: "challenge", Grant: store.NewID(now), Access: random(), AccessTTL: time.Hour, Attempt: random(),
		Refresh: store.NewRefresh{Hash: random(), Idle: 14 * 24 * time.Hour, Absolute: 90 * 24 * time.Hour}}
	return a
}

func (c *chain) send(ctx context.Context, a *attempt) error {
	_, err := c.db.BeginChallenge(ctx, a.challenge)
	return err
}

func (c *chain) verify(ctx context.Context, a *attempt) error {
	n := a.challenge
	account := n.Guesses
	in, err := c.db.CompleteChallenge(ctx, store.Guess{
		Challenge: n.ID, Browser: n.Browser, Purpose: n.Purpose, Request: n.Request, Email: n.Email, Address: n.Address,
		MACs: []store.Hash{n.MAC}, Attempt: random(), Account: account,
		Confirm: true, // makes the account the first time
	}, a.completion)
	if err == nil && in.Outcome != store.OutcomeAccepted {
		err = fmt.Errorf("outcome %d", in.Outcome)
	}
	return err
}

func (c *chain) redeem(ctx context.Context, a *attempt) error {
	_, err := c.db.RedeemCode(ctx, a.redemption)
	return err
}

func (c *chain) userinfo(ctx context.Context, a *attempt) error {
	_, err := c.db.AccessToken(ctx, a.redemption.Grant, a.redemption.Access)
	return err
}

// refresh is a confidential client's, whose token is too young to be replaced.
func (c *chain) refresh(ctx context.Context, a *attempt) error {
	return c.refreshAfter(ctx, a, a.redemption.Refresh.Idle*70/100, -1)
}

// replace is a public client's.
func (c *chain) replace(ctx context.Context, a *attempt) error { return c.refreshAfter(ctx, a, 0, 0) }

func (c *chain) refreshAfter(ctx context.Context, a *attempt, rotate time.Duration, next int) error {
	r := a.redemption
	out, err := c.db.RefreshGrant(ctx, store.Refresh{Grant: r.Grant, Client: r.Client, Presented: r.Refresh.Hash, Genuine: true,
		Next: []store.Hash{random()}, Rotate: rotate, Grace: 10 * time.Second, Idle: r.Refresh.Idle, Access: random(), AccessTTL: r.AccessTTL})
	if err == nil && out.Next != next {
		err = fmt.Errorf("the token is followed by %d, want %d", out.Next, next)
	}
	return err
}

func random() (h store.Hash) {
	rand.Read(h[:])
	return h
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
