package applications_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"idp/admin"
	"idp/audit"
	"idp/keyring"
	"idp/mailer"
	"idp/store"
	"idp/store/sqlstore"
	"idp/web/browser"
	"idp/web/console"
	"idp/web/console/shell"
	"idp/web/webtest"
)

// fixture is the console over a real SQLite, with sessions by the role alone.
type fixture struct {
	*webtest.Fixture
	admin *admin.Service
}

type desk struct {
	*sqlstore.DB
	mu    sync.Mutex
	forms map[store.Hash]string
}

func (d *desk) ConsoleSession(_ context.Context, session, _ store.Hash) (store.ConsoleSession, error) {
	for _, role := range []store.OperatorRole{store.RoleOwner, store.RoleAdmin, store.RoleViewer} {
		if session == store.HashOf([]byte(role)) {
			return store.ConsoleSession{Hash: session, User: store.User{ID: "operator0000", Email: "ada@example.com"}, Role: role}, nil
		}
	}
	return store.ConsoleSession{}, &store.Error{Code: store.NotFound, Op: "test"}
}
func (d *desk) EndConsoleSession(context.Context, store.Hash, ...store.Event) error { return nil }
func (d *desk) ClaimForm(_ context.Context, key store.Hash) (string, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	to, there := d.forms[key]
	if !there {
		d.forms[key] = ""
	}
	return to, !there, nil
}
func (d *desk) FinishForm(_ context.Context, key store.Hash, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forms[key] = to
	return nil
}
func (d *desk) ReleaseForm(_ context.Context, key store.Hash) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.forms, key)
	return nil
}

type cookies struct{ *browser.Cookies }

func (cookies) Console(r *http.Request) (store.Hash, bool) {
	role := r.Header.Get("X-Role")
	return store.HashOf([]byte(role)), role != ""
}
func (cookies) ClearConsole(http.ResponseWriter) {}

type nobody struct{}

func (nobody) BeginConsole(w http.ResponseWriter, _ *http.Request, to string) {
	http.Error(w, "sign in to "+to, http.StatusUnauthorized)
}

func setup(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{Fixture: webtest.New(t)}
	ring, err := keyring.New([]byte("0123456789abcdef0123456789abcdef"))
	f.Must(err)
	book := audit.New(ring, f.DB.Now)
	f.admin, err = admin.New(admin.Deps{Store: f.DB, Book: book, Ring: ring, Senders: mailer.Kinds{}})
	f.Must(err)
	c, err := console.New(console.Deps{Admin: f.admin, Deps: shell.Deps{
		Store: &desk{DB: f.DB, forms: map[store.Hash]string{}}, SignIn: nobody{}, Browser: cookies{browser.New(false)}, Ring: ring, Book: book,
		Endpoint: webtest.URL(f.Server.URL), ClientIP: func(*http.Request) netip.Addr { return netip.Addr{} }, Agent: func(string) string { return "Firefox" },
		Log: slog.New(slog.NewTextHandler(f.Log, nil)),
	}})
	f.Must(err)
	pages := f.Handler
	r := chi.NewRouter()
	c.Mount(r)
	r.Mount("/", pages)
	f.Handler = r
	return f
}

// operator is somebody signed in to the console.
func (f *fixture) operator(role store.OperatorRole) *webtest.Person {
	p := f.Person()
	p.Headers.Set("X-Role", string(role))
	jar, _ := cookiejar.New(nil)
	p.HTTP.Jar = jar
	p.Get("/account") // the browser is known from here on
	return p
}

var _ = time.Second
