package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"idp/audit"
	"idp/keyring"
	"idp/store"
	"idp/store/sqlite"
	"idp/store/sqlitetest"
	"idp/store/sqlstore"
	"idp/webhook"
)

// world is a real SQLite store with the audit log and hooks on it, and receivers.
type world struct {
	*testing.T
	engine *sqlite.Engine
	db     *sqlstore.DB
	ring   *keyring.Ring
	book   *audit.Book
	log    *logbook
}

// logbook is a log that tests may read.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func setup(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, log: &logbook{}}
	var err error
	w.engine, err = sqlite.Open(t.Context(), sqlitetest.File(t), sqlite.Options{})
	w.must(err)
	w.must(w.engine.Migrate(t.Context()))
	w.db = sqlstore.New(w.engine)
	w.must(w.db.Start(t.Context()))
	t.Cleanup(func() { _ = w.db.Close() })
	w.ring, err = keyring.New([]byte("0123456789abcdef0123456789abcdef"))
	w.must(err)
	w.book = audit.New(w.ring, w.db.Now)
	w.must(w.db.CreateClient(t.Context(), store.Client{ID: "shop", Name: "Bookstore", Type: store.SPA, IDTokenAlg: "ES256"}))
	w.exec(`INSERT INTO users (id, email, name, created_at, updated_at) VALUES ('u00000000001', 'ada@example.com', 'Ada', 1000000, 2000000)`)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) exec(sql string, args ...any) {
	w.Helper()
	var s sqlstore.Script
	s.Do(sql, args...)
	w.must(w.engine.Run(w.Context(), &s))
}

// loopback is what the tests' receivers need.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// quick is a pace for tests, but for its lease, which ends within none.
func quick() webhook.Pace {
	return webhook.Pace{Poll: 10 * time.Millisecond, Lease: time.Minute, Rest: 10 * time.Millisecond, MaxRest: 50 * time.Millisecond,
		Retries: []time.Duration{10 * time.Millisecond, 10 * time.Millisecond, 10 * time.Millisecond}}
}

func (w *world) service(change func(*webhook.Deps)) *webhook.Service {
	w.Helper()
	d := webhook.Deps{Store: w.db, Ring: w.ring, Log: slog.New(slog.NewTextHandler(w.log, nil)), Allow: loopback, Agent: "idp/test", Pace: quick()}
	if change != nil {
		change(&d)
	}
	s, err := webhook.New(d)
	w.must(err)
	return s
}

func (w *world) desk(allow []netip.Prefix) *webhook.Desk {
	return webhook.NewDesk(w.ring, allow, "idp/test")
}

// run has a service work until the test, or the caller, ends it.
func (w *world) run(s *webhook.Service) (stop func()) {
	ctx, cancel := context.WithCancel(w.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	stop = func() { cancel(); <-done }
	w.Cleanup(stop)
	return stop
}

const signingKey = "0123456789abcdefghijklmnopqrstuv"

func (w *world) hook(id string, c webhook.Config, events ...string) {
	w.Helper()
	h := store.Hook{ID: id, Name: id, Events: events, Enabled: true}
	w.must(w.desk(loopback).Seal("test", &h, c, signingKey))
	_, err := w.db.CreateHook(w.Context(), h)
	w.must(err)
}

// happens writes an entry of the audit log and has it chained, with what s makes of it.
func (w *world) happens(s *webhook.Service, by audit.Actor, r audit.Record) {
	w.Helper()
	e := w.book.Entry(by, r)
	w.exec(`INSERT INTO event (id, at, kind, user_id, client_id, actor, target, detail, personal) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		e.ID[:], w.db.Now().UnixMicro(), e.Kind, e.User, e.Client, e.Actor, e.Target, string(e.Detail), e.Personal)
	w.seal(s)
}

func (w *world) seal(s *webhook.Service) {
	w.Helper()
	_, err := audit.NewSealer(audit.SealerDeps{Store: w.db, Ring: w.ring, Log: slog.New(slog.NewTextHandler(w.log, nil)), Deliver: s.Deliver}).Seal(w.Context())
	w.must(err)
}

// call is what a receiver got.
type call struct {
	header http.Header
	text   []byte
	body   map[string]any
}

// receiver takes what is posted.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	calls []call
}

// receive starts one. answer may be nil; n counts its calls from 1.
func (w *world) receive(answer func(n int, rw http.ResponseWriter, r *http.Request)) *receiver {
	rec := &receiver{}
	rec.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		c := call{header: r.Header, text: text}
		if err := json.Unmarshal(text, &c.body); err != nil || r.Method != http.MethodPost {
			w.Errorf("%s %s: %v", r.Method, text, err)
		}
		rec.mu.Lock()
		rec.calls = append(rec.calls, c)
		n := len(rec.calls)
		rec.mu.Unlock()
		if answer != nil {
			answer(n, rw, r)
		}
	}))
	w.Cleanup(rec.Close)
	return rec
}

func (r *receiver) got() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]call{}, r.calls...)
}

// until waits for something.
func (w *world) until(what string, is func() bool) {
	w.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.Fatalf("waited in vain for %s; log:\n%s", what, w.log)
		}
	}
}

// outcome is how the newest delivery of a hook ended so far.
func (w *world) outcome(hook string) store.HookDelivery {
	w.Helper()
	log, _, err := w.db.HookLog(w.Context(), store.HookLogFilter{Hook: hook}, 0, 1, 10)
	w.must(err)
	if len(log) == 0 {
		return store.HookDelivery{}
	}
	return log[0]
}
