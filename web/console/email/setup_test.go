package email_test

import (
	"context"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"idp/admin"
	"idp/audit"
	"idp/doctor"
	"idp/doctor/dnstest"
	"idp/keyring"
	"idp/mailer"
	"idp/mailer/httpmail"
	"idp/mailer/inbox"
	"idp/mailer/ses"
	"idp/mailer/ses/sestest"
	"idp/mailer/smtp"
	"idp/store"
	"idp/store/sqlite"
	"idp/store/sqlstore"
	"idp/web/console/email"
	"idp/web/console/shell"
	"idp/web/static"
)

// fixture is the area before the real functions, a real SQLite, and a fake Amazon SES.
type fixture struct {
	*testing.T
	admin  *admin.Service
	db     *sqlstore.DB
	ses    *sestest.Server
	server *httptest.Server
	gate   *gate
}

// gate stands in for the sign-in to the console: it lets in whoever says that he is somebody.
type gate struct {
	*sqlstore.DB
	mu    sync.Mutex
	forms map[store.Hash]string
}

func (g *gate) ConsoleSession(_ context.Context, session, _ store.Hash) (store.ConsoleSession, error) {
	for _, role := range []store.OperatorRole{store.RoleViewer, store.RoleAdmin, store.RoleOwner} {
		if session == store.HashOf([]byte(role)) {
			return store.ConsoleSession{User: store.User{ID: "u1", Email: "olive@example.com"}, Role: role}, nil
		}
	}
	return store.ConsoleSession{}, &store.Error{Code: store.NotFound, Op: "test"}
}

func (*gate) EndConsoleSession(context.Context, store.Hash, ...store.Event) error { return nil }

func (g *gate) ClaimForm(_ context.Context, key store.Hash) (string, bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	to, claimed := g.forms[key]
	if !claimed {
		g.forms[key] = ""
	}
	return to, !claimed, nil
}

func (g *gate) FinishForm(_ context.Context, key store.Hash, to string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forms[key] = to
	return nil
}

func (g *gate) ReleaseForm(_ context.Context, key store.Hash) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.forms, key)
	return nil
}

func (*gate) BeginConsole(w http.ResponseWriter, _ *http.Request, _ string) {
	w.WriteHeader(http.StatusUnauthorized)
}

func (*gate) Language(*http.Request) string           { return "" }
func (*gate) SetLanguage(http.ResponseWriter, string) {}
func (*gate) Hash(*http.Request) (store.Hash, bool)   { return store.HashOf([]byte("browser")), true }
func (*gate) Ensure(http.ResponseWriter, *http.Request) store.Hash {
	return store.HashOf([]byte("browser"))
}
func (*gate) ClearConsole(http.ResponseWriter) {}
func (*gate) Console(r *http.Request) (store.Hash, bool) {
	return store.HashOf([]byte(r.Header.Get("Role"))), true
}

func (*gate) Notice(r *http.Request) string {
	if c, err := r.Cookie("notice"); err == nil {
		return c.Value
	}
	return ""
}

func (*gate) SetNotice(w http.ResponseWriter, text string) {
	http.SetCookie(w, &http.Cookie{Name: "notice", Value: text, Path: "/"})
}

func setup(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, ses: sestest.Start(sestest.Options{})}
	t.Cleanup(f.ses.Close)
	engine, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "idp.db"), sqlite.Options{})
	f.must(err)
	f.must(engine.Migrate(t.Context()))
	f.db = sqlstore.New(engine)
	f.must(f.db.Start(t.Context()))
	t.Cleanup(func() { _ = f.db.Close() })
	f.gate = &gate{DB: f.db, forms: map[store.Hash]string{}}
	ring, err := keyring.New([]byte("0123456789abcdef0123456789abcdef"))
	f.must(err)
	zone, err := dnstest.Start(dnstest.Zone{"MX example.com": {"10 mx.example.com."}})
	f.must(err)
	t.Cleanup(func() { _ = zone.Close() })
	book := audit.New(ring, f.db.Now)
	f.admin, err = admin.New(admin.Deps{Store: f.db, Book: book, Ring: ring, DNS: doctor.NewResolver(zone.Address()), Senders: mailer.Kinds{
		inbox.ID: inbox.New(f.db, ring).Factory, smtp.ID: smtp.New, httpmail.ID: httpmail.New, ses.ID: ses.Factory(ses.Options{Endpoint: f.ses.URL}),
	}})
	f.must(err)
	r := chi.NewRouter()
	f.server = httptest.NewServer(r)
	t.Cleanup(f.server.Close)
	endpoint, err := url.Parse(f.server.URL)
	f.must(err)
	s, err := shell.New(shell.Deps{Store: f.gate, SignIn: f.gate, Browser: f.gate, Ring: ring, Book: book, Endpoint: endpoint, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		ClientIP: func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.7") }, Agent: func(a string) string { return a }})
	f.must(err)
	static := static.Load()
	r.Handle("/static/*", static)
	r.Route(shell.Path, func(r chi.Router) {
		s.Mount(r)
		email.New(s, f.admin).Mount(r)
	})
	return f
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// page is an answer.
type page struct {
	*testing.T
	status   int
	location string
	body     string
	header   http.Header
}

// as asks for a page in a role; fields, in turns of name and value, are posted.
func (f *fixture) as(role store.OperatorRole, path string, fields ...string) page {
	f.Helper()
	var body io.Reader
	method := http.MethodGet
	if fields != nil {
		method = http.MethodPost
		values := url.Values{"t": {f.token(role)}}
		for i := 0; i < len(fields); i += 2 {
			values.Set(fields[i], fields[i+1])
		}
		body = strings.NewReader(values.Encode())
	}
	r, err := http.NewRequestWithContext(f.Context(), method, f.server.URL+"/console/email"+path, body)
	f.must(err)
	r.Header.Set("Role", string(role))
	if fields != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: time.Minute}
	response, err := client.Do(r)
	f.must(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	f.must(err)
	return page{f.T, response.StatusCode, response.Header.Get("Location"), string(text), response.Header}
}

// owner is as of an owner.
func (f *fixture) owner(path string, fields ...string) page {
	f.Helper()
	return f.as(store.RoleOwner, path, fields...)
}

var token = regexp.MustCompile(`name="t" value="([^"]+)"`)

func (f *fixture) token(role store.OperatorRole) string {
	f.Helper()
	m := token.FindStringSubmatch(f.as(role, "").body)
	if m == nil {
		f.Fatal("no token")
	}
	return m[1]
}

// want fails the test unless the page has the status, and the texts in it.
func (p page) want(status int, texts ...string) page {
	p.Helper()
	body := html.UnescapeString(p.body)
	if p.status != status {
		p.Fatalf("%d, want %d: %s", p.status, status, body)
	}
	for _, text := range texts {
		if !strings.Contains(body, text) {
			p.Errorf("lacks %q:\n%s", text, body)
		}
	}
	return p
}

// lacks fails the test if the page has one of the texts.
func (p page) lacks(texts ...string) page {
	p.Helper()
	for _, text := range texts {
		if strings.Contains(html.UnescapeString(p.body), text) {
			p.Errorf("has %q:\n%s", text, p.body)
		}
	}
	return p
}

// value is what stands in a field.
func (p page) value(name string) string {
	p.Helper()
	for _, pattern := range []string{`<input[^>]*\bname="` + name + `"[^>]*\bvalue="([^"]*)"`, `(?s)<textarea[^>]*\bname="` + name + `"[^>]*>\n?(.*?)</textarea>`} {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(p.body); m != nil {
			return html.UnescapeString(m[1])
		}
	}
	p.Fatalf("no field %s:\n%s", name, p.body)
	return ""
}
