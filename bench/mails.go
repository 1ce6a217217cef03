package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"idp/bench/internal/proc"
	"idp/keyring"
	"idp/mailer"
	"idp/mailer/ses"
	"idp/store"
	"idp/store/postgres"
	"idp/store/sqlite"
	"idp/store/sqlstore"
)

// mailFigures are what -mails measures on one engine.
type mailFigures struct {
	Engine string `json:"engine"`

	IdleP50, IdleP99 time.Duration // from the committed row to the provider, one mail at a time

	Steady                        int // mails a second asked for
	SteadyP50, SteadyP99          time.Duration
	SteadyMost                    int // mails that waited at most
	Drain                         float64
	DrainCPU, DrainDatabaseCPU    time.Duration // of one mail
	Backlog, Dropped, Late, Twice int
	OutOfOrder                    float64       // the share of mails that came far from their place by life left
	Recovered, BacklogTook        time.Duration // from the recovery to the first mail, and to the last
}

// mailbench is a store and a queue in this process, and the fake in another one.
type mailbench struct {
	fake   *fakeSES
	db     *sqlstore.DB
	engine sqlstore.Engine // of db
	side   database
	deps   mailer.Deps
	queue  *mailer.Queue
	stop   func() error
}

func measureMails(ctx context.Context, o options, engine, dir string) (f mailFigures, err error) {
	f.Engine = engine
	b, err := newMailbench(ctx, engine, dir)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	for _, part := range []struct {
		what string
		do   func(context.Context, options, *mailFigures) error
	}{{"one mail at a time", b.idle}, {"500 a second", b.steady}, {"as fast as it goes", b.drain}, {"after an outage", b.outage}} {
		progress("%s: mails, %s", engine, part.what)
		if err := part.do(ctx, o, &f); err != nil {
			return f, fmt.Errorf("mails, %s: %w", part.what, err)
		}
	}
	return f, nil
}

func newMailbench(ctx context.Context, engine, dir string) (b *mailbench, err error) {
	b = &mailbench{}
	if b.fake, err = startFake(ctx); err != nil {
		return nil, err
	}
	if b.side, err = openDatabase(ctx, engine, dir); err != nil {
		return nil, err
	}
	var e interface {
		sqlstore.Engine
		Migrate(ctx context.Context) error
	}
	if pg, ok := b.side.(*served); ok {
		e, err = postgres.Open(ctx, pg.cluster.URL(), postgres.Options{})
	} else {
		e, err = sqlite.Open(ctx, filepath.Join(dir, fmt.Sprintf("mails-%d.db", time.Now().UnixNano())), sqlite.Options{})
	}
	if err != nil {
		return nil, err
	}
	if err := e.Migrate(ctx); err != nil {
		return nil, err
	}
	b.engine, b.db = e, sqlstore.New(e)
	if err := b.db.Start(ctx); err != nil {
		return nil, err
	}
	secret := make([]byte, keyring.SecretSize)
	rand.Read(secret)
	ring, err := keyring.New(secret)
	if err != nil {
		return nil, err
	}
	if err := b.db.SetConnector(ctx, store.Connector{ID: ses.ID, Sealed: ring.Sealer("connector").Seal(b.fake.Config, []byte(ses.ID))}); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "mails.log")) // writing it is part of the work
	if err != nil {
		return nil, err
	}
	b.deps = mailer.Deps{Store: b.db, Ring: ring, Replica: store.NewID(time.Now()), Now: b.db.Now, Log: slog.New(slog.NewJSONHandler(log, nil)),
		Senders: mailer.Kinds{ses.ID: ses.Factory(ses.Options{Endpoint: b.fake.API})}}
	return b, b.start()
}

// start starts a queue; a queue runs once.
func (b *mailbench) start() (err error) {
	if b.queue, err = mailer.New(b.deps); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.queue.Run(ctx) }()
	b.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	return nil
}

func (b *mailbench) close() error {
	return errors.Join(b.stop(), b.db.Close(), b.side.close(), b.fake.close())
}

// letter is a mail with its row committed.
type letter struct {
	to        store.Email
	mail      store.NewMail
	challenge store.ID
	message   store.Message
	committed time.Time
}

// seal makes a mail; with handed, this process is to hold its lease.
func (b *mailbench) seal(number int, ttl time.Duration, handed bool) (l letter, err error) {
	l.to = store.Email(fmt.Sprintf("p%d@example.com", number))
	l.challenge = store.NewID(b.db.Now())
	l.message = store.Message{To: l.to, Usage: store.UsageSignIn, Locale: "en", Code: "123456", CodeTTL: 10, App: "Bookstore",
		Browser: "Firefox on Windows", Place: "203.0.113.7", Asked: time.Now()}
	l.mail, err = b.queue.Seal(l.message, l.challenge)
	if l.mail.TTL = ttl; !handed {
		l.mail.Lease = 0
	}
	return l, err
}

// commit makes a challenge with its mail.
func (b *mailbench) commit(ctx context.Context, number int, ttl time.Duration) (letter, error) {
	l, err := b.seal(number, ttl, true)
	if err != nil {
		return l, err
	}
	var address store.Hash
	rand.Read(address[:])
	_, err = b.db.BeginChallenge(ctx, store.NewChallenge{ID: l.challenge, Purpose: store.PurposeSignIn, Browser: address, Email: l.to, Address: address,
		CodeTTL: ttl, TTL: time.Hour, Tries: 5, Sends: 3, Mail: l.mail})
	l.committed = time.Now()
	return l, err
}

func (b *mailbench) hand(l letter) { b.queue.Sent(l.mail, l.challenge, l.message, false) }

// arrivals waits until no mail is left in the queue and gives what came to the fake.
func (b *mailbench) arrivals(ctx context.Context) (list []arrival, err error) {
	for {
		depth, _, err := b.db.MailDepth(ctx)
		if err != nil {
			return nil, err
		}
		if depth == 0 {
			break
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return nil, err
		}
	}
	err = b.fake.ask(ctx, "arrivals", &list)
	return list, err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// delays are the times from the commit of each mail to its arrival: median and 99th.
func delays(letters []letter, list []arrival) (p50, p99 time.Duration) {
	at := map[string]int64{}
	for _, a := range list {
		at[a.To] = a.At
	}
	var all []time.Duration
	for _, l := range letters {
		all = append(all, time.UnixMicro(at[string(l.to)]).Sub(l.committed))
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*99/100]
}

// used is the CPU time of this process and of the database.
func (b *mailbench) used(ctx context.Context) (own, database time.Duration, err error) {
	s, err := proc.Read(os.Getpid())
	if err != nil {
		return 0, 0, err
	}
	u, err := b.side.usage(ctx)
	return s.Self, u.cpu, err
}
