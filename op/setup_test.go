package op_test

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/keyring"
	"idp/op"
	"idp/store"
	"idp/store/sqlite"
	"idp/store/sqlitetest"
	"idp/store/sqlstore"
)

const (
	callback = "https://shop.example/callback?shop=1"
	secret   = "0123456789abcdefghijABCDEFGHIJ01"
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B, and its challenge
	s256     = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// fixture is a provider over a real SQLite store, served over HTTP.
type fixture struct {
	*testing.T
	db       *sqlstore.DB
	provider *op.Provider
	server   *httptest.Server
	browser  store.Hash
	log      *strings.Builder
	outage   outage
	handler  http.Handler

	mu      sync.Mutex
	session store.Hash // in the browser's cookie; zero: none
	begun   []store.AuthRequest
	refused []store.Problem

	chosen    []store.Session  // what the account chooser was shown
	asked     []store.SignOut  // what was asked before signing out
	why       *store.Problem   // and what was wrong with the way back
	signedOut []*store.Problem // the page that says so
	cleared   int              // session cookies taken away
}

// Hash and Session stand for the cookies.
func (f *fixture) Hash(*http.Request) (store.Hash, bool) { return f.browser, true }

func (f *fixture) Session(*http.Request) (store.Hash, bool) {
	return f.session, !f.session.IsZero()
}

// ClearSession takes the cookie away.
func (f *fixture) ClearSession(http.ResponseWriter) { f.session, f.cleared = store.Hash{}, f.cleared+1 }

// Choose stands for a page, as the methods below.
func (f *fixture) Choose(_ http.ResponseWriter, _ *http.Request, req store.AuthRequest, _ store.Client, s store.Session) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun, f.chosen = append(f.begun, req), append(f.chosen, s)
}

func (f *fixture) AskSignOut(_ http.ResponseWriter, _ *http.Request, out store.SignOut, _ store.Session, why *store.Problem) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked, f.why = append(f.asked, out), why
}

func (f *fixture) SignedOut(_ http.ResponseWriter, _ *http.Request, problem *store.Problem) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.signedOut = append(f.signedOut, problem)
}

func (f *fixture) Begin(w http.ResponseWriter, _ *http.Request, req store.AuthRequest, _ store.Client) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun = append(f.begun, req)
	_, _ = io.WriteString(w, "the page")
}

func (f *fixture) Refuse(w http.ResponseWriter, _ *http.Request, problem store.Problem) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refused = append(f.refused, problem)
	w.WriteHeader(http.StatusBadRequest)
}

var (
	ring, _  = keyring.New([]byte("0123456789abcdef0123456789abcdef"))
	someKeys struct { // made once: an RSA key takes its time
		sync.Once
		keys []store.SigningKey
	}
)

func setup(t *testing.T) *fixture {
	t.Helper()
	return setupOn(t, openSQLite(t, sqlitetest.File(t)))
}

// changeClient changes a client as somebody who has read it.
func (f *fixture) changeClient(id string, change func(*store.Client)) {
	f.Helper()
	c, err := f.db.FreshClient(f.Context(), id)
	f.must(err)
	change(&c)
	_, err = f.db.UpdateClient(f.Context(), c, c.UpdatedAt)
	f.must(err)
}

func setupOn(t *testing.T, engine engine) *fixture {
	t.Helper()
	f := &fixture{T: t, browser: random(), log: &strings.Builder{}}
	f.outage.Engine = engine
	f.db = openDB(t, engine, &f.outage)
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.handler.ServeHTTP(w, r) }))
	t.Cleanup(f.server.Close)
	someKeys.Do(func() {
		f.newProvider()
		keys, err := f.db.SigningKeys(t.Context())
		f.must(err)
		someKeys.keys = keys
	})
	for _, k := range someKeys.keys {
		f.must(f.db.AddSigningKey(t.Context(), k))
	}
	f.serve(f.newProvider())
	f.client(store.Client{ID: "shop", Type: store.Traditional, PKCE: true})
	return f
}

type engine interface {
	sqlstore.Engine
	Migrate(ctx context.Context) error
}

func openSQLite(t *testing.T, path string) engine {
	t.Helper()
	e, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// openDB makes the schema with an engine and starts a store on top, which is the
// engine itself or something around it.
func openDB(t *testing.T, e engine, top sqlstore.Engine) *sqlstore.DB {
	t.Helper()
	if err := e.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	db := sqlstore.New(top)
	if err := db.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (f *fixture) serve(p *op.Provider) { f.provider, f.handler = p, p.Handler() }

func (f *fixture) newProvider() *op.Provider { return f.newProviderWith(ring) }

func (f *fixture) newProviderWith(ring *keyring.Ring) *op.Provider {
	f.Helper()
	p, err := op.New(op.Deps{Store: f.db, Ring: ring, Endpoint: endpointOf(f), Browser: f, Pages: f, Log: slog.New(slog.NewTextHandler(f.log, nil))})
	f.must(err)
	f.must(p.Start(f.Context()))
	return p
}

func endpointOf(f *fixture) *url.URL {
	u, _ := url.Parse(f.server.URL)
	return u
}

var discard = slog.New(slog.DiscardHandler)

func (f *fixture) client(c store.Client) store.Client {
	f.Helper()
	if c.RedirectURIs == nil {
		c.RedirectURIs = []string{callback}
	}
	if c.IDTokenAlg == "" {
		c.IDTokenAlg = "ES256"
	}
	if c.Type.Confidential() {
		c.Secrets = []store.ClientSecret{{ID: store.NewID(time.Now()), Hash: store.HashOf([]byte(secret)), Prefix: secret[:4]}}
	}
	c.Name = "Shop"
	f.must(f.db.CreateClient(f.Context(), c))
	return c
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func random() (h store.Hash) {
	rand.Read(h[:])
	return h
}

// signIn proves a challenge for a request as the code engine does, and gives what
// followed.
func (f *fixture) signIn(req store.AuthRequest) store.Finish {
	f.Helper()
	return f.signInAs("ada@example.com", req)
}

func (f *fixture) signInAs(email store.Email, req store.AuthRequest) store.Finish {
	f.Helper()
	return f.signInAfter(email, req, store.Hash{})
}

// signInAfter replaces the session previous.
func (f *fixture) signInAfter(email store.Email, req store.AuthRequest, previous store.Hash) store.Finish {
	f.Helper()
	n := store.NewChallenge{ID: store.NewID(f.db.Now()), Purpose: store.PurposeSignIn, Browser: f.browser, Request: req.ID,
		Email: email, Address: random(), MAC: random(), CodeTTL: time.Minute, TTL: time.Hour, Tries: 5, Sends: 3,
		Mail: store.NewMail{ID: store.NewID(f.db.Now()), Usage: store.UsageSignIn, Payload: []byte("sealed"), TTL: time.Minute}}
	_, err := f.db.BeginChallenge(f.Context(), n)
	f.must(err)
	finish := f.provider.Finish(req, store.Proof{Challenge: n.ID, Purpose: n.Purpose, Previous: previous})
	in, err := f.db.CompleteChallenge(f.Context(), store.Guess{Challenge: n.ID, Browser: f.browser, Purpose: n.Purpose, Request: n.Request,
		Email: n.Email, MACs: []store.Hash{n.MAC}, Confirm: true, Attempt: random()}, finish.Completion)
	f.must(err)
	if in.Outcome != store.OutcomeAccepted {
		f.Fatalf("outcome %d", in.Outcome)
	}
	return finish
}

// code signs in from the authorize endpoint on and gives the authorization code.
func (f *fixture) code(changes ...string) string {
	f.Helper()
	f.session = store.Hash{}
	n := len(f.begun)
	if r := f.authorize(changes...); r.StatusCode != http.StatusOK || len(f.begun) != n+1 {
		f.Fatalf("authorize: %d %s %+v", r.StatusCode, r.Header.Get("Location"), f.refused)
	}
	return query(f.T, f.signIn(f.begun[n]).Redirect).Get("code")
}

// enter signs somebody in from the authorize endpoint on, keeps the session in the
// browser, and gives the code.
func (f *fixture) enter(email store.Email, changes ...string) string {
	f.Helper()
	f.session = store.Hash{}
	n := len(f.begun)
	f.authorize(changes...)
	if len(f.begun) != n+1 {
		f.Fatalf("no page: %+v", f.refused)
	}
	finish := f.signInAs(email, f.begun[n])
	f.session = finish.Completion.Session.Hash
	return query(f.T, finish.Redirect).Get("code")
}
