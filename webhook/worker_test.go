package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idp/audit"
	"idp/mailer"
	"idp/store"
	"idp/store/sqlstore"
	"idp/webhook"
)

var ada = audit.Actor{IP: netip.MustParseAddr("192.0.2.7"), Agent: "Firefox"}

func TestDelivery(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.service(nil)
	r := w.receive(nil)
	w.hook("all", webhook.Config{URL: r.URL + "/hooks?x=1", Headers: map[string]string{"Authorization": "Bearer mine", "User-Agent": "Own"}},
		webhook.PostRegister, webhook.PostSignIn, webhook.UserCreated, webhook.UserDeleted, webhook.RoleUpdated, webhook.SessionRevoked)
	w.run(s)

	w.happens(s, ada, audit.Record{Kind: "user.signed_in", User: "u00000000001", Client: "shop"})
	w.until("the sign-in", func() bool { return len(r.got()) == 1 })
	c := r.got()[0]
	m := hmac.New(sha256.New, []byte(signingKey))
	m.Write(c.text)
	if got := c.header.Get("logto-signature-sha-256"); got != hex.EncodeToString(m.Sum(nil)) {
		t.Errorf("signature %q", got)
	}
	if c.header.Get("Authorization") != "Bearer mine" || c.header.Get("User-Agent") != "Own" || c.header.Get("Content-Type") != "application/json" || len(c.header.Get("Idempotency-Key")) != 22 {
		t.Error(c.header)
	}
	want := map[string]any{"hookId": "all", "event": "PostSignIn", "interactionEvent": "SignIn", "userIp": "192.0.2.7", "userAgent": "Firefox", "userId": "u00000000001", "applicationId": "shop"}
	for k, v := range want {
		if c.body[k] != v {
			t.Errorf("%s is %v, want %v", k, c.body[k], v)
		}
	}
	if at, err := time.Parse(time.RFC3339, c.body["createdAt"].(string)); err != nil || time.Since(at).Abs() > time.Minute {
		t.Error(c.body["createdAt"], err)
	}
	user, app := c.body["user"].(map[string]any), c.body["application"].(map[string]any)
	if user["id"] != "u00000000001" || user["primaryEmail"] != "ada@example.com" || user["name"] != "Ada" || user["createdAt"] != 1000.0 || user["isSuspended"] != false ||
		app["id"] != "shop" || app["type"] != "SPA" || app["name"] != "Bookstore" {
		t.Errorf("%v %v", user, app)
	}

	// A registration is two events; of who is gone only the id is told.
	w.happens(s, ada, audit.Record{Kind: "user.registered", User: "u00000000001", Client: "shop"})
	w.until("the registration", func() bool { return len(r.got()) == 3 })
	w.exec(`DELETE FROM users`)
	w.happens(s, ada, audit.Record{Kind: "user.deleted", User: "u00000000001", Personal: map[string]any{"email": "ada@example.com"}})
	w.until("the deletion", func() bool { return len(r.got()) == 4 })
	gone := r.got()[3]
	if gone.body["event"] != "User.Deleted" || gone.body["params"].(map[string]any)["userId"] != "u00000000001" || strings.Contains(string(gone.text), "ada@") || !strings.Contains(string(gone.text), `"data":null`) {
		t.Errorf("%s", gone.text)
	}
	w.happens(s, ada, audit.Record{Kind: "user.signed_in", User: "u00000000001"}) // was written before
	w.until("the sign-in of somebody who is gone", func() bool { return len(r.got()) == 5 })
	if text := string(r.got()[4].text); strings.Contains(text, "192.0.2.7") || strings.Contains(text, "Firefox") || !strings.Contains(text, `"userId":"u00000000001"`) {
		t.Error(text)
	}
	w.happens(s, ada, audit.Record{Kind: "role.updated", Target: "role:editor", Detail: map[string]any{"before": map[string]any{"name": "a"}, "after": map[string]any{"name": "b"}}})
	w.until("the role", func() bool { return len(r.got()) == 6 })
	role := r.got()[5]
	if data := role.body["data"].(map[string]any); data["id"] != "editor" || data["name"] != "b" || role.body["params"].(map[string]any)["id"] != "editor" || role.body["ip"] != "192.0.2.7" {
		t.Errorf("%s", role.text)
	}
	w.happens(s, ada, audit.Record{Kind: "client.updated", Client: "shop"}) // is no event of a webhook
	w.until("the record of it", func() bool { return w.outcome("all").State == store.HookDelivered })
	if d := w.outcome("all"); d.Status != 200 || d.Attempts != 1 || d.Payload != nil || len(r.got()) != 6 {
		t.Errorf("%+v", d)
	}
}

// What somebody has broken in the database does not stop the chain, which is what queues.
func TestBrokenDetail(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.service(nil)
	r := w.receive(nil)
	w.hook("all", webhook.Config{URL: r.URL}, webhook.RoleUpdated)
	w.exec(`INSERT INTO event (id, at, kind, user_id, client_id, target, detail) VALUES ($1, 1, 'role.updated', '', '', 'role:x', '{')`, make([]byte, 16))
	w.run(s)
	w.seal(s)
	w.until("the role", func() bool { return len(r.got()) == 1 })
}

func TestRetries(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.service(nil)
	fails := w.receive(func(n int, rw http.ResponseWriter, _ *http.Request) {
		if n < 3 {
			rw.WriteHeader(http.StatusBadGateway)
		}
	})
	never := w.receive(func(_ int, rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusBadRequest) })
	gone := w.receive(func(_ int, rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusGone) })
	once := 1
	w.hook("fails", webhook.Config{URL: fails.URL}, webhook.UserUpdated)
	w.hook("never", webhook.Config{URL: never.URL}, webhook.UserUpdated)
	w.hook("once", webhook.Config{URL: never.URL, Retries: &once}, webhook.UserUpdated)
	w.hook("gone", webhook.Config{URL: gone.URL}, webhook.UserUpdated)
	w.happens(s, ada, audit.Record{Kind: "user.updated", User: "u00000000001"})
	w.run(s)
	settled := func(id string) func() bool { return func() bool { return !w.outcome(id).SettledAt.IsZero() } }
	for _, c := range []struct {
		id       string
		state    store.HookState
		status   int
		attempts int
	}{
		{"fails", store.HookDelivered, 200, 3},
		{"never", store.HookGivenUp, 400, 4},
		{"once", store.HookGivenUp, 400, 2},
		{"gone", store.HookGivenUp, 410, 1},
	} {
		w.until(c.id, settled(c.id))
		if d := w.outcome(c.id); d.State != c.state || d.Status != c.status || d.Attempts != c.attempts {
			t.Errorf("%s: %+v", c.id, d)
		}
	}
	calls := fails.got()
	if a, b := calls[0].header.Get("Idempotency-Key"), calls[2].header.Get("Idempotency-Key"); a != b || a == "" {
		t.Errorf("tries of one delivery have keys %q and %q", a, b)
	}
}

// Each attempt is told, with what was answered, and what it asks of the database is its own.
func TestAttemptsAreTraced(t *testing.T) {
	t.Parallel()
	w := setup(t)
	type key struct{}
	var mu sync.Mutex
	var lines []string
	s := w.service(func(d *webhook.Deps) {
		d.Store = reading{w.db, func(ctx context.Context) {
			mu.Lock()
			defer mu.Unlock()
			lines = append(lines, fmt.Sprint("reads in ", ctx.Value(key{})))
		}}
		d.Trace = func(ctx context.Context, _ store.ID, hook, event string, n int) (context.Context, func(int, error)) {
			return context.WithValue(ctx, key{}, n), func(status int, err error) {
				mu.Lock()
				defer mu.Unlock()
				lines = append(lines, fmt.Sprint(hook, " ", event, " ", n, ": ", status, ", ", err))
			}
		}
	})
	r := w.receive(func(n int, rw http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			rw.WriteHeader(http.StatusBadGateway)
		}
	})
	w.hook("all", webhook.Config{URL: r.URL}, webhook.PostSignIn)
	stop := w.run(s)
	w.happens(s, ada, audit.Record{Kind: "user.signed_in", User: "u00000000001"})
	w.until("the second attempt", func() bool { return w.outcome("all").State == store.HookDelivered })
	stop()
	want := []string{"reads in 1", "all PostSignIn 1: 502, answered 502", "reads in 2", "all PostSignIn 2: 200, <nil>"}
	if !slices.Equal(lines, want) {
		t.Errorf("told %q, want %q", lines, want)
	}
}

// reading is a store that tells when an account is read.
type reading struct {
	webhook.Store
	tell func(context.Context)
}

func (r reading) User(ctx context.Context, id string) (store.User, error) {
	r.tell(ctx)
	return r.Store.User(ctx, id)
}

func TestTooOld(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.service(nil)
	r := w.receive(nil)
	w.hook("old", webhook.Config{URL: r.URL}, webhook.UserUpdated)
	w.happens(s, ada, audit.Record{Kind: "user.updated", User: "u00000000001"})
	w.db.AdvanceForTest(49 * time.Hour)
	w.run(s)
	w.until("the end", func() bool { return w.outcome("old").State == store.HookGivenUp })
	if len(r.got()) != 0 {
		t.Error("it was posted")
	}
}

// A receiver that takes its time holds back nobody else's, and has perHook posts at most
// under way.
func TestSlowReceiver(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.service(nil)
	var under, most atomic.Int64
	let := make(chan struct{})
	slow := w.receive(func(int, http.ResponseWriter, *http.Request) {
		n := under.Add(1)
		for {
			m := most.Load()
			if n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		<-let
		under.Add(-1)
	})
	fine := w.receive(nil)
	w.hook("slow", webhook.Config{URL: slow.URL}, webhook.UserUpdated)
	w.hook("fine", webhook.Config{URL: fine.URL}, webhook.UserUpdated)
	for range 40 {
		w.happens(s, ada, audit.Record{Kind: "user.updated", User: "u00000000001"})
	}
	stop := w.run(s)
	w.until("the fine ones", func() bool { return len(fine.got()) == 40 })
	w.until("the slow ones", func() bool { return under.Load() == 16 })
	close(let)
	w.until("the rest", func() bool { return len(slow.got()) == 40 })
	if most.Load() != 16 {
		t.Errorf("%d at a time", most.Load())
	}
	stop()
}

// A stop finishes what is under way, gives back the rest, and loses and repeats nothing.
func TestStop(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.service(nil)
	let := make(chan struct{})
	r := w.receive(func(int, http.ResponseWriter, *http.Request) { <-let })
	w.hook("one", webhook.Config{URL: r.URL}, webhook.UserUpdated)
	for range 40 {
		w.happens(s, ada, audit.Record{Kind: "user.updated", User: "u00000000001"})
	}
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() { defer close(stopped); s.Run(ctx) }()
	w.until("a start", func() bool { return len(r.got()) > 0 })
	cancel()
	close(let)
	<-stopped
	if n := len(r.got()); n == 40 {
		t.Errorf("%d posts: nothing was left for the next", n)
	}
	w.run(w.service(nil))
	w.until("the rest", func() bool { n, err := w.db.HookBacklog(w.Context(), "one", 100); return err == nil && n == 0 })
	seen := map[string]bool{}
	for _, c := range r.got() {
		seen[c.header.Get("Idempotency-Key")] = true
	}
	if len(seen) != 40 || len(r.got()) != 40 {
		t.Errorf("%d posts of %d deliveries", len(r.got()), len(seen))
	}
}

// Two replicas: each delivery is posted once.
func TestTwoReplicas(t *testing.T) {
	t.Parallel()
	w := setup(t)
	r := w.receive(nil)
	one, two := w.service(nil), w.service(nil)
	w.hook("one", webhook.Config{URL: r.URL}, webhook.UserUpdated)
	w.run(one)
	w.run(two)
	for range 60 {
		w.happens(one, ada, audit.Record{Kind: "user.updated", User: "u00000000001"})
	}
	w.until("all", func() bool { n, err := w.db.HookBacklog(w.Context(), "one", 100); return err == nil && n == 0 })
	seen := map[string]bool{}
	for _, c := range r.got() {
		seen[c.header.Get("Idempotency-Key")] = true
	}
	if len(r.got()) != 60 || len(seen) != 60 {
		t.Errorf("%d posts of %d deliveries", len(r.got()), len(seen))
	}
}

// outage is the real store, away for a while.
type outage struct {
	*sqlstore.DB
	away    atomic.Bool
	settled atomic.Int64 // in vain
}

func (o *outage) SettleHookDeliveries(ctx context.Context, worker store.ID, results []store.HookResult) error {
	if o.away.Load() {
		o.settled.Add(1)
		return &store.Error{Code: store.Unavailable, Op: "reach the database"}
	}
	return o.DB.SettleHookDeliveries(ctx, worker, results)
}

func (o *outage) DueHooks(ctx context.Context) ([]store.Hook, error) {
	if o.away.Load() {
		return nil, &store.Error{Code: store.Unavailable, Op: "reach the database"}
	}
	return o.DB.DueHooks(ctx)
}

// The database goes while something is posted: what was delivered is written down when it
// is back, and not delivered again.
func TestDeadDatabase(t *testing.T) {
	t.Parallel()
	w := setup(t)
	db := &outage{DB: w.db}
	s := w.service(func(d *webhook.Deps) { d.Store = db })
	r := w.receive(func(int, http.ResponseWriter, *http.Request) { db.away.Store(true) })
	w.hook("one", webhook.Config{URL: r.URL}, webhook.UserUpdated)
	w.happens(s, ada, audit.Record{Kind: "user.updated", User: "u00000000001"})
	w.run(s)
	w.until("a post that cannot be written down", func() bool { return db.settled.Load() > 0 })
	db.away.Store(false)
	w.until("the record", func() bool { return w.outcome("one").State == store.HookDelivered })
	if len(r.got()) != 1 {
		t.Errorf("%d posts", len(r.got()))
	}
}

// What the audit log tells of is read when it is posted: a role with its scopes, an address
// that bounced.
func TestThings(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.service(func(d *webhook.Deps) {
		d.Suppressed = func(ctx context.Context, target string) (webhook.Suppressed, error) {
			one, err := mailer.NewSuppressions(w.db, w.ring).Told(ctx, target)
			return webhook.Suppressed{Address: one.Address, Reason: string(one.Reason)}, err
		}
	})
	r := w.receive(nil)
	w.hook("one", webhook.Config{URL: r.URL}, webhook.RoleUpdated, webhook.RoleScopes, webhook.AddressSuppressed)
	w.run(s)
	next := func() call {
		t.Helper()
		n := len(r.got())
		w.seal(s)
		w.until("a post", func() bool { return len(r.got()) > n })
		return r.got()[n]
	}
	w.must(w.db.CreateRole(t.Context(), store.Role{ID: "editor", Name: "Editor", Type: store.UserRole}, nil,
		w.book.Entry(ada, audit.Record{Kind: "role.updated", Target: "role:editor", Detail: map[string]any{"after": map[string]any{"scopes": []string{"r read"}}}})))
	if c := next(); c.body["event"] != "Role.Scopes.Updated" || c.body["data"].(map[string]any)["name"] != "Editor" {
		t.Errorf("%s", c.text)
	}
	w.must(mailer.NewSuppressions(w.db, w.ring).Add(t.Context(), "ada@example.com", "by hand"))
	if c := next(); c.body["event"] != "Address.Suppressed" || c.body["data"].(map[string]any)["address"] != "ada@example.com" || c.body["data"].(map[string]any)["reason"] != "manual" {
		t.Errorf("%s", c.text)
	}
}
