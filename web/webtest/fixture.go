// Package webtest is the page packages before the real code engine, provider, mailer
// and SQLite, served over HTTP, and people who use them. Tests of pages import it,
// nothing else does.
package webtest

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"idp/admin"
	"idp/audit"
	"idp/keyring"
	"idp/mailer"
	"idp/mailer/httpmail"
	"idp/mailer/inbox"
	"idp/mailer/ses"
	"idp/mailer/smtp"
	"idp/op"
	"idp/otp"
	"idp/store"
	"idp/store/sqlite"
	"idp/store/sqlitetest"
	"idp/store/sqlstore"
	"idp/web/account"
	"idp/web/browser"
	"idp/web/clientip"
	"idp/web/console"
	"idp/web/console/settings"
	"idp/web/console/shell"
	"idp/web/serve"
	"idp/web/signin"
	"idp/web/turnstile"
)

// What the app of a fixture is registered with.
const (
	Verifier      = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	Challenge     = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // S256 of RFC 7636 appendix B
	Callback      = "https://shop.example/callback"
	AfterSignOut  = "https://shop.example/bye"
	NotMe         = "https://id.example/not-me"
	secret        = "0123456789abcdef0123456789abcdef"
	untilMailIsIn = 15 * time.Second // of a busy machine: whoever has it sooner goes on at once
)

// Fixture is the pages and everything behind them.
type Fixture struct {
	testing.TB
	DB      *sqlstore.DB
	Admin   *admin.Service
	Outage  *Outage
	Inbox   *inbox.Inbox
	Server  *httptest.Server
	Log     *Log
	Mails   *Mails
	Handler http.Handler
	SES     string // where Amazon SES is, for the console; a test that needs one sets it
	Web     Web
	SignIn  *signin.Pages
	Account *account.Pages

	person signin.Person // nil: the work is the proof
}

// Web is what can be fetched from elsewhere, by its address.
type Web map[string][]byte

// Fetch implements [admin.Fetcher].
func (w Web) Fetch(_ context.Context, url string) ([]byte, error) {
	if data, ok := w[url]; ok {
		return data, nil
	}
	return nil, errors.New("cannot be fetched: the host is not found")
}

// Outage is an engine that can be told to fail like a database that is away.
type Outage struct {
	sqlstore.Engine
	On atomic.Bool
}

// Run implements [sqlstore.Engine].
func (o *Outage) Run(ctx context.Context, s *sqlstore.Script) error {
	if o.On.Load() {
		return &store.Error{Code: store.Unavailable, Op: "test"}
	}
	return o.Engine.Run(ctx, s)
}

// Read implements [sqlstore.Engine].
func (o *Outage) Read(ctx context.Context, query string, args []any, row func(func(...any) error) error) error {
	if o.On.Load() {
		return &store.Error{Code: store.Unavailable, Op: "test"}
	}
	return o.Engine.Read(ctx, query, args, row)
}

// New makes a fixture on http.
func New(t testing.TB, change ...func(*otp.Config)) *Fixture { return start(t, false, "", change) }

// Guarded makes a fixture on http whose proofs are those of the Turnstile at an address.
func Guarded(t testing.TB, service string, change ...func(*otp.Config)) *Fixture {
	return start(t, false, service, change)
}

// On makes a fixture on http or https.
func On(t testing.TB, https bool, change ...func(*otp.Config)) *Fixture {
	return start(t, https, "", change)
}

func start(t testing.TB, https bool, service string, change []func(*otp.Config)) *Fixture {
	t.Helper()
	f := &Fixture{TB: t, Log: &Log{}, Mails: &Mails{}, Web: Web{}}
	level := slog.LevelDebug
	if _, ok := t.(*testing.B); ok {
		level = slog.LevelWarn
	}
	log := slog.New(slog.NewTextHandler(f.Log, &slog.HandlerOptions{Level: level}))
	ring, err := keyring.New([]byte(secret))
	f.Must(err)
	f.openStore(ring)
	sender := func(config []byte) (mailer.Sender, error) {
		s, err := f.Inbox.Factory(config)
		return picky{s, f.Mails}, err
	}
	queue, err := mailer.New(mailer.Deps{
		Store: f.DB, Ring: ring, Senders: mailer.Kinds{inbox.ID: sender}, Replica: store.NewID(time.Now()), Log: log, Now: f.DB.Now,
	})
	f.Must(err)
	config := otp.DefaultConfig()
	for _, c := range change {
		c(&config)
	}
	var bots otp.Bots
	if service != "" {
		client, err := turnstile.New(turnstile.Config{SiteKey: "site-key", Secret: "turnstile-secret", Endpoint: service, Host: "127.0.0.1"})
		f.Must(err)
		bots, f.person = client, client
	}
	codes, err := otp.New(otp.Deps{Store: f.DB, Ring: ring, Outbox: outbox{queue, f.Mails}, Config: config, Log: log, Bots: bots, NotMe: NotMe})
	f.Must(err)

	serveHTTP := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.Handler.ServeHTTP(w, r) })
	if https {
		f.Server = httptest.NewTLSServer(serveHTTP)
	} else {
		f.Server = httptest.NewServer(serveHTTP)
	}
	f.Handler = f.compose(ring, codes, browser.New(https), log)

	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var workers sync.WaitGroup
	workers.Go(func() { _ = queue.Run(ctx) })
	t.Cleanup(func() {
		f.Server.Close()
		stop()
		workers.Wait()
		_ = f.DB.Close()
	})
	return f
}

// openStore makes a database with an app, and a mailbox for the codes.
func (f *Fixture) openStore(ring *keyring.Ring) {
	f.Helper()
	engine, err := sqlite.Open(f.Context(), sqlitetest.File(f.TB), sqlite.Options{})
	f.Must(err)
	f.Must(engine.Migrate(f.Context()))
	f.Outage = &Outage{Engine: engine}
	f.DB = sqlstore.New(f.Outage)
	f.Must(f.DB.Start(f.Context()))
	f.Must(f.DB.CreateClient(f.Context(), store.Client{
		ID: "shop", Name: "Bookstore", Type: store.SPA, IDTokenAlg: "ES256", PKCE: true,
		RedirectURIs: []string{Callback, "https://shop.example/other"}, PostLogoutRedirectURIs: []string{AfterSignOut},
	}))
	f.Inbox = inbox.New(f.DB, ring)
	f.Must(f.DB.SetConnector(f.Context(), store.Connector{ID: inbox.ID, Sealed: ring.Sealer("connector").Seal([]byte("{}"), []byte(inbox.ID))}))
}

// service makes what the console stands on.
func (f *Fixture) service(ring *keyring.Ring, book *audit.Book, frame admin.Frame) *admin.Service {
	f.Helper()
	service, err := admin.New(admin.Deps{
		Store: f.DB, Ring: ring, Book: book, Frame: frame,
		Senders: mailer.Kinds{inbox.ID: f.Inbox.Factory, smtp.ID: smtp.New, httpmail.ID: httpmail.New,
			ses.ID: func(config []byte) (mailer.Sender, error) { return ses.Factory(ses.Options{Endpoint: f.SES})(config) }},
		DNS:   noDNS{},
		Codes: otp.NewAddresses(ring), TestCodes: otp.NewTestCodes(ring), Mails: mailer.NewRecipients(ring), Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Agent: "idp", Pictures: f.Web,
		NewKey: func(alg string) (store.SigningKey, error) { return op.NewSigningKey(ring, alg) },
	})
	f.Must(err)
	return service
}

// noDNS answers nothing, so that no test asks the world.
type noDNS struct{}

var errNoDNS = errors.New("tests have no DNS")

func (noDNS) LookupTXT(context.Context, string) ([]string, error)  { return nil, errNoDNS }
func (noDNS) LookupMX(context.Context, string) ([]*net.MX, error)  { return nil, errNoDNS }
func (noDNS) LookupHost(context.Context, string) ([]string, error) { return nil, errNoDNS }

// compose puts the pages before the provider, as cmd/idp does.
func (f *Fixture) compose(ring *keyring.Ring, codes *otp.Engine, cookies *browser.Cookies, log *slog.Logger) http.Handler {
	f.Helper()
	endpoint := URL(f.Server.URL)
	provider, err := op.New(op.Deps{Store: f.DB, Ring: ring, Endpoint: endpoint, Browser: cookies, Log: log})
	f.Must(err)
	book := audit.New(ring, f.DB.Now)
	f.Admin = f.service(ring, book, admin.Frame{Limits: codes.Limits})
	ip := clientip.New([]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, log)
	pages, err := signin.New(signin.Deps{
		Codes: codes, Requests: provider, Clients: f.DB, Operators: f.Admin, Experiences: f.DB, Browser: cookies, Ring: ring, ClientIP: ip.Of,
		Now: f.DB.Now, Endpoint: endpoint, Log: log, Link: true, Person: f.person,
	})
	f.Must(err)
	accounts, err := account.New(account.Deps{Store: f.DB, SignOuts: provider, SignIn: pages, Addresses: codes, Browser: cookies, Ring: ring, Endpoint: endpoint})
	f.Must(err)
	f.SignIn, f.Account = pages, accounts
	provider.SetPages(allPages{pages, accounts})
	r := chi.NewRouter()
	r.Use(serve.Middleware(serve.Deps{Log: log, ClientIP: ip.Of, Failed: pages.Failed}))
	r.Handle("/oidc/*", provider.Handler())
	pages.Mount(r)
	accounts.Mount(r)
	operators, err := console.New(console.Deps{
		Deps: shell.Deps{
			Store: f.DB, SignIn: pages, Browser: cookies, Ring: ring, Book: book, Endpoint: endpoint, ClientIP: ip.Of, Agent: signin.BrowserName, Log: log,
		},
		Admin: f.Admin, Previews: allPages{pages, accounts},
		Instance: settings.Instance{Version: "1.2.3", Database: "SQLite", InForce: []settings.Limits{{Group: "otp", Values: []settings.Value{{Variable: "IDP_OTP_DIGITS", Text: "6"}, {Variable: "IDP_OTP_LINK", Text: "false"}}}, {Group: "limit", Values: []settings.Value{{Variable: "IDP_LIMIT_IP_SENDS", Text: "off"}, {Variable: "IDP_LIMIT_ACCOUNT_GUESSES", Text: "10/h,20/24h"}}}, {Group: "ttl", Values: []settings.Value{{Variable: "IDP_TTL_SESSION_IDLE", Text: "12h"}}}}},
	})
	f.Must(err)
	operators.Mount(r)
	return r
}

type (
	signinPages  = signin.Pages
	accountPages = account.Pages
	allPages     struct {
		*signinPages
		*accountPages
	}
)

// Must ends the test if there is an error.
func (f *Fixture) Must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// Code waits for the mail number n (from 1) to an address, and gives its code.
func (f *Fixture) Code(to string, n int) string {
	f.Helper()
	for end := time.Now().Add(untilMailIsIn); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		items, err := f.Inbox.List(f.Context(), to, 0)
		f.Must(err)
		if len(items) >= n {
			return items[len(items)-n].Code
		}
	}
	f.Fatalf("mail %d to %s did not come", n, to)
	return ""
}

// Suspend suspends an account, for which there is no operation yet.
func (f *Fixture) Suspend(email string) {
	f.Helper()
	f.set(`UPDATE users SET suspended_at = $1 WHERE email = $2`, f.DB.Now().UnixMicro(), email)
}

// Rename gives an account a name, for which there is no operation yet.
func (f *Fixture) Rename(email, name string) {
	f.Helper()
	f.set(`UPDATE users SET name = $1 WHERE email = $2`, name, email)
}

// Agent changes what browser an account's sessions are said to be of.
func (f *Fixture) Agent(email, agent string) {
	f.Helper()
	f.set(`UPDATE session SET agent = $1 WHERE user_id = (SELECT id FROM users WHERE email = $2)`, agent, email)
}

// Sessions gives an account n more sessions, of browsers that nobody has.
func (f *Fixture) Sessions(email string, n int) {
	f.Helper()
	for i := range n {
		hash := store.HashOf(append([]byte(email), byte(i)))
		f.set(`INSERT INTO session (hash, user_id, browser, amr, auth_time, idle_at, expires_at)
			SELECT $1, id, $1, '["otp"]', created_at - 1, created_at + 1000000000, created_at + 1000000000 FROM users WHERE email = $2`, hash[:], email)
	}
}

func (f *Fixture) set(statement string, value any, email string) {
	f.Helper()
	var s sqlstore.Script
	done := s.Do(statement, value, email)
	f.Must(f.Outage.Run(f.Context(), &s))
	if done.Rows != 1 {
		f.Fatalf("no account %s", email)
	}
}

// URL parses an address that is known to be one.
func URL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

// Log is what was logged.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
