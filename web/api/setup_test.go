package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
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
	"idp/web/api"
	"idp/web/serve"
)

// fixture is the API over the real services and a real SQLite, served over HTTP. Its tokens
// are "all" and the names of scopes; those of the provider are tested with the program.
type fixture struct {
	testing.TB
	db       *sqlstore.DB
	engine   sqlstore.Engine
	router   chi.Router
	document *huma.OpenAPI
	admin    *admin.Service
	server   *httptest.Server
	ring     *keyring.Ring
	ses      string // where Amazon SES is; a test that needs one sets it
	log      *strings.Builder
	mails    *outbox
}

// outbox keeps what the code engine hands over.
type outbox struct {
	mu   sync.Mutex
	sent []store.Message
	full time.Duration
}

func (o *outbox) Full() time.Duration { return o.full }

func (o *outbox) Seal(m store.Message, _ store.ID) (store.NewMail, error) {
	return store.NewMail{ID: store.NewID(time.Now()), Usage: m.Usage, Payload: []byte("sealed"), TTL: time.Hour, Lease: time.Minute}, nil
}

func (o *outbox) Sent(_ store.NewMail, _ store.ID, m store.Message, _ bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent = append(o.sent, m)
}

func (o *outbox) last() store.Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sent[len(o.sent)-1]
}

// Machine implements api.Tokens.
func (f *fixture) Machine(_ context.Context, token, audience string) (client string, scopes []string, err error) {
	if token == "" || strings.HasPrefix(token, "bad") || audience != store.ManagementIndicator {
		return "", nil, &store.Error{Code: store.Invalid, Op: "read token"}
	}
	return "machine", strings.Split(token, "+"), nil
}

func setup(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{TB: t, log: &strings.Builder{}, mails: &outbox{}}
	engine, err := sqlite.Open(t.Context(), sqlitetest.File(t), sqlite.Options{})
	f.must(err)
	f.must(engine.Migrate(t.Context()))
	f.engine, f.db = engine, sqlstore.New(engine)
	f.must(f.db.Start(t.Context()))
	t.Cleanup(func() { _ = f.db.Close() })
	ring, err := keyring.New([]byte("0123456789abcdef0123456789abcdef"))
	f.must(err)
	f.ring = ring
	f.admin, err = admin.New(admin.Deps{Store: f.db, Book: audit.New(ring, f.db.Now), Ring: ring,
		NewKey: func(alg string) (store.SigningKey, error) { return op.NewSigningKey(ring, alg) }, Senders: mailer.Kinds{
			inbox.ID: inbox.New(f.db, ring).Factory, smtp.ID: smtp.New, httpmail.ID: httpmail.New,
			ses.ID: func(config []byte) (mailer.Sender, error) { return ses.Factory(ses.Options{Endpoint: f.ses})(config) },
		}, Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, TestCodes: otp.NewTestCodes(ring)})
	f.must(err)
	log := slog.New(slog.NewTextHandler(f.log, nil))
	ip := func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.7") }
	codes, err := otp.New(otp.Deps{Store: f.db, Ring: ring, Outbox: f.mails, Config: otp.DefaultConfig(), Log: log})
	f.must(err)
	a, err := api.New(api.Deps{Admin: f.admin, Tokens: f, Codes: codes, ClientIP: ip, Version: "test", Log: log})
	f.must(err)
	r := chi.NewRouter()
	r.Use(serve.Middleware(serve.Deps{Log: log, ClientIP: ip, Failed: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }}))
	a.Mount(r)
	f.router, f.document = r, a.DocumentForTest()
	f.server = httptest.NewServer(r)
	t.Cleanup(f.server.Close)
	f.must(f.db.CreateClient(t.Context(), store.Client{ID: "shop", Name: "Bookstore", Type: store.SPA, IDTokenAlg: "ES256", PKCE: true, RedirectURIs: []string{"https://shop.example/callback"}}))
	return f
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
	body   any // decoded JSON
}

// at gives what is under keys of the body.
func (a answer) at(keys ...string) any {
	v := a.body
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

// call makes a call with the scope all. Headers are name and value in turns.
func (f *fixture) call(method, path string, body any, headers ...string) answer {
	f.Helper()
	return f.callAs("all", method, path, body, headers...)
}

// callAs makes a call with a token, "" for none. A string is sent as it is, anything else as JSON.
func (f *fixture) callAs(token, method, path string, body any, headers ...string) answer {
	f.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		f.must(err)
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(f.Context(), method, f.server.URL+path, reader)
	f.must(err)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	f.must(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	f.must(err)
	out := answer{status: response.StatusCode, header: response.Header, text: string(text)}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &out.body); err != nil {
			f.Errorf("%s %s: %d, no JSON: %s", method, path, out.status, text)
		}
	}
	f.conforms(method, path, out)
	return out
}

// expect fails the test unless the answer has the status and, if it is given, the code.
func (f *fixture) expect(a answer, status int, code ...string) answer {
	f.Helper()
	if a.status != status || len(code) > 0 && a.at("code") != code[0] {
		f.Fatalf("%d %s, want %d %v", a.status, a.text, status, code)
	}
	return a
}

// events are the details of the audit log's entries of a kind.
func (f *fixture) events(kind string) (details []string) {
	f.Helper()
	f.must(f.engine.Read(f.Context(), `SELECT COALESCE(detail, '') FROM event WHERE kind = $1 ORDER BY id`, []any{kind}, func(scan func(...any) error) error {
		var detail string
		err := scan(&detail)
		details = append(details, detail)
		return err
	}))
	return details
}
