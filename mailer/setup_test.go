package mailer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"time"

	"idp/keyring"
	"idp/mailer"
	"idp/store"
	"idp/store/sqlite"
	"idp/store/sqlitetest"
	"idp/store/sqlstore"
)

// world is a real SQLite store, a fake sender, and queues that share both.
type world struct {
	t      testing.TB
	db     *sqlstore.DB
	engine sqlstore.Engine // of db
	ring   *keyring.Ring
	post   *postman
	log    *logbook
	more   mailer.Kinds // senders of this test
	code   string       // of its mails, "" for the usual one
	trace  *traced      // nil: nobody is told

	ceiling store.Window // of all mails; the zero one is none
}

// migrated is an engine with a schema.
type migrated interface {
	sqlstore.Engine
	Migrate(ctx context.Context) error
}

func setup(t testing.TB) *world {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), sqlitetest.File(t), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return setupOn(t, engine)
}

func setupOn(t testing.TB, engine migrated) *world {
	t.Helper()
	if err := engine.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	db := sqlstore.New(engine)
	if err := db.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	ring, err := keyring.New(bytes.Repeat([]byte{7}, keyring.SecretSize))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, db: db, engine: engine, ring: ring, post: &postman{got: map[string]int{}}, log: &logbook{}}
	w.connect("post", "{}")
	return w
}

func (w *world) connect(id, config string) {
	w.t.Helper()
	err := w.db.SetConnector(w.t.Context(), store.Connector{ID: id, Sealed: w.ring.Sealer("connector").Seal([]byte(config), []byte(id))})
	if err != nil {
		w.t.Fatal(err)
	}
}

// quick makes polls and retries short enough for a test, and leases and other bounds
// long enough for a machine that stands still for seconds: who needs the end of a lease
// moves the clock.
func quick() mailer.Config {
	return mailer.Config{SendTimeout: 5 * time.Second, Slack: time.Second, Lease: 20 * time.Second,
		Poll: 20 * time.Millisecond, Retry: 20 * time.Millisecond, MaxRetry: 100 * time.Millisecond, Grace: 10 * time.Second,
		Trip: 5, Cool: 50 * time.Millisecond, MaxCool: 100 * time.Millisecond, Halt: 50 * time.Millisecond, MaxHalt: 100 * time.Millisecond}
}

func (w *world) queue(s mailer.Store, c mailer.Config) *mailer.Queue {
	w.t.Helper()
	if s == nil {
		s = w.db
	}
	kinds := mailer.Kinds{
		"post":   func([]byte) (mailer.Sender, error) { return w.post, nil },
		"broken": func([]byte) (mailer.Sender, error) { return nil, errors.New("region is missing") },
	}
	maps.Copy(kinds, w.more)
	d := mailer.Deps{
		Store: s, Ring: w.ring, Replica: store.NewID(time.Now()), Now: w.db.Now, Config: c,
		Log:     slog.New(slog.NewTextHandler(w.log, nil)),
		Senders: kinds, Ceiling: w.ceiling,
	}
	if w.trace != nil {
		d.Trace = w.trace
	}
	q, err := mailer.New(d)
	if err != nil {
		w.t.Fatal(err)
	}
	return q
}

// run runs a queue until the returned function or the test ends.
func (w *world) run(q *mailer.Queue) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx) }()
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	w.t.Cleanup(func() { stop() })
	return stop
}

// order is a challenge whose mail is committed.
type order struct {
	mail      store.NewMail
	challenge store.ID
	message   store.Message
	begun     store.Begun
}

func (w *world) order(q *mailer.Queue, to string, change func(*store.NewChallenge)) order {
	w.t.Helper()
	o := order{challenge: store.NewID(w.db.Now()), message: message(store.UsageSignIn, "en")}
	o.message.To = store.Email(to)
	if w.code != "" {
		o.message.Code = w.code
	}
	var err error
	if o.mail, err = q.Seal(o.message, o.challenge); err != nil {
		w.t.Fatal(err)
	}
	n := store.NewChallenge{ID: o.challenge, Purpose: store.PurposeSignIn, Browser: browser, Email: o.message.To,
		CodeTTL: time.Minute, TTL: time.Hour, Tries: 5, Sends: 3, Mail: o.mail}
	if change != nil {
		change(&n)
		o.mail = n.Mail
	}
	if o.begun, err = w.db.BeginChallenge(w.t.Context(), n); err != nil {
		w.t.Fatal(err)
	}
	return o
}

// orders has n people ask at once, so that they share their commits.
func (w *world) orders(n int, ask func(i int) order) []order {
	w.t.Helper()
	orders := make([]order, n)
	const clerks = 20
	var asking sync.WaitGroup
	for k := range clerks {
		asking.Go(func() {
			for i := k; i < n; i += clerks {
				orders[i] = ask(i)
			}
		})
	}
	asking.Wait()
	return orders
}

var browser = store.Hash{1}

func (o order) handTo(q *mailer.Queue) { q.Sent(o.mail, o.challenge, o.message, o.begun.Decoy) }

// state is that of the mail's row; what a page is told of its address is another matter.
func (w *world) state(o order) store.MailState {
	w.t.Helper()
	d, err := w.db.Delivery(w.t.Context(), o.mail.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return d.State
}

func (w *world) becomes(want store.MailState, o order) {
	w.t.Helper()
	w.until(fmt.Sprintf("mail state %d", want), func() bool { return w.state(o) == want })
}

func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(90 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("never came: %s\n%s", what, w.log)
		}
	}
}

// postman is a sender that counts, and fails as told.
type postman struct {
	mu    sync.Mutex
	got   map[string]int // mails by address
	tries int
	fail  func(try int) error
	hold  chan struct{} // if set, a send waits for it
}

func (p *postman) Send(ctx context.Context, m mailer.Rendered) (mailer.Receipt, error) {
	p.mu.Lock()
	p.tries++
	try, fail, hold := p.tries, p.fail, p.hold
	p.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return mailer.Receipt{}, ctx.Err()
		}
	}
	if fail != nil {
		if err := fail(try); err != nil {
			return mailer.Receipt{}, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got[m.To]++
	return mailer.Receipt{Provider: "p-" + m.ID}, nil
}

// mend has no send fail from now on.
func (p *postman) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = nil
}

func (p *postman) count(to string) (mails, tries int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got[to], p.tries
}

// logbook is a log that tests read.
type logbook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func failing(class mailer.Class) func(int) error {
	return func(int) error {
		return &mailer.SendError{Class: class, Err: errors.New("no luck with ada@example.com and 123456")}
	}
}
