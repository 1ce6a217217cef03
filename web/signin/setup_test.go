package signin_test

import (
	"bytes"
	"context"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"idp/keyring"
	"idp/mailer"
	"idp/mailer/inbox"
	"idp/op"
	"idp/otp"
	"idp/store"
	"idp/store/sqlite"
	"idp/store/sqlstore"
	"idp/web/browser"
	"idp/web/clientip"
	"idp/web/serve"
	"idp/web/signin"
)

const (
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // S256 of RFC 7636 appendix B
	callback  = "https://shop.example/callback"
)

// fixture is the pages before the real code engine, provider, mailer and SQLite,
// served over HTTP.
type fixture struct {
	testing.TB
	db     *sqlstore.DB
	outage *outage
	inbox  *inbox.Inbox
	server *httptest.Server
	log    *logBuffer

	handler http.Handler
}

// outage is an engine that can be told to fail like a database that is away.
type outage struct {
	sqlstore.Engine
	on atomic.Bool
}

func (o *outage) Run(ctx context.Context, s *sqlstore.Script) error {
	if o.on.Load() {
		return &store.Error{Code: store.Unavailable, Op: "test"}
	}
	return o.Engine.Run(ctx, s)
}

func (o *outage) Read(ctx context.Context, query string, args []any, row func(func(...any) error) error) error {
	if o.on.Load() {
		return &store.Error{Code: store.Unavailable, Op: "test"}
	}
	return o.Engine.Read(ctx, query, args, row)
}

func setup(t testing.TB, change ...func(*otp.Config)) *fixture { return setupOn(t, false, change...) }

func setupOn(t testing.TB, https bool, change ...func(*otp.Config)) *fixture {
	t.Helper()
	f := &fixture{TB: t, log: &logBuffer{}}
	level := slog.LevelDebug
	if _, ok := t.(*testing.B); ok {
		level = slog.LevelWarn
	}
	log := slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: level}))
	ring, err := keyring.New([]byte("0123456789abcdef0123456789abcdef"))
	f.must(err)
	engine, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "idp.db"), sqlite.Options{})
	f.must(err)
	f.must(engine.Migrate(t.Context()))
	f.outage = &outage{Engine: engine}
	f.db = sqlstore.New(f.outage)
	f.must(f.db.Start(t.Context()))
	f.must(f.db.CreateClient(t.Context(), store.Client{
		ID: "shop", Name: "Bookstore", Type: store.SPA, RedirectURIs: []string{callback, "https://shop.example/other"}, IDTokenAlg: "ES256", PKCE: true,
	}))
	f.inbox = inbox.New(f.db, ring)
	f.must(f.db.SetConnector(t.Context(), store.Connector{ID: inbox.ID, Sealed: ring.Sealer("connector").Seal([]byte("{}"), []byte(inbox.ID))}))
	queue, err := mailer.New(mailer.Deps{
		Store: f.db, Ring: ring, Senders: mailer.Kinds{inbox.ID: f.inbox.Factory}, Replica: store.NewID(time.Now()), Log: log, Now: f.db.Now,
	})
	f.must(err)
	config := otp.DefaultConfig()
	for _, c := range change {
		c(&config)
	}
	codes, err := otp.New(otp.Deps{Store: f.db, Ring: ring, Outbox: queue, Config: config, Log: log})
	f.must(err)

	serveHTTP := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.handler.ServeHTTP(w, r) })
	if https {
		f.server = httptest.NewTLSServer(serveHTTP)
	} else {
		f.server = httptest.NewServer(serveHTTP)
	}
	endpoint, err := url.Parse(f.server.URL)
	f.must(err)
	cookies := browser.New(https)
	provider, err := op.New(op.Deps{Store: f.db, Ring: ring, Endpoint: endpoint, Browser: cookies, Log: log})
	f.must(err)
	ip := clientip.New([]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, log)
	pages, err := signin.New(signin.Deps{
		Codes: codes, Requests: provider, Clients: f.db, Browser: cookies, Ring: ring, ClientIP: ip.Of,
		Now: f.db.Now, Endpoint: endpoint, Log: log,
	})
	f.must(err)
	provider.SetPages(withSignOut{pages})
	r := chi.NewRouter()
	r.Use(serve.Middleware(serve.Deps{Log: log, ClientIP: ip.Of, Failed: pages.Failed}))
	r.Handle("/oidc/*", provider.Handler())
	pages.Mount(r)
	f.handler = r

	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var workers sync.WaitGroup
	workers.Go(func() { _ = queue.Run(ctx) })
	t.Cleanup(func() {
		f.server.Close()
		stop()
		workers.Wait()
		_ = f.db.Close()
	})
	return f
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// person is one browser.
type person struct {
	*fixture
	http    *http.Client
	headers http.Header
}

func (f *fixture) person() *person {
	client := *f.server.Client()
	client.Jar, _ = cookiejar.New(nil)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &person{f, &client, http.Header{"User-Agent": {"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}}}
}

// shown is a page that a person is shown.
type shown struct {
	*person
	status int
	header http.Header
	body   string
}

func (p *person) do(method, path string, form url.Values) *shown {
	p.Helper()
	if !strings.HasPrefix(path, "http") {
		path = p.server.URL + path
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(p.Context(), method, path, body)
	p.must(err)
	for name, values := range p.headers {
		r.Header[name] = values
	}
	if form != nil && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := p.http.Do(r)
	p.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	p.must(err)
	return &shown{p, res.StatusCode, res.Header, string(text)}
}

func (p *person) get(path string) *shown { p.Helper(); return p.do(http.MethodGet, path, nil) }

// authorize is where the app sends the browser to.
func authorize(more ...string) string {
	q := url.Values{
		"client_id": {"shop"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid email"},
		"state": {"xyz"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return "/oidc/auth?" + q.Encode()
}

// follow goes where a 303 points to.
func (s *shown) follow() *shown {
	s.Helper()
	if s.status != http.StatusSeeOther {
		s.Fatalf("status %d, want a redirect\n%s", s.status, s.text())
	}
	return s.get(s.header.Get("Location"))
}

var (
	formTag  = regexp.MustCompile(`(?s)<form[^>]* action="([^"]*)"[^>]*>(.*?)</form>`)
	inputTag = regexp.MustCompile(`<input[^>]*>`)
	attr     = regexp.MustCompile(`(name|value)="([^"]*)"`)
	linkTag  = regexp.MustCompile(`(?s)<a[^>]* href="([^"]*)"[^>]*>(.*?)</a>`)
	tag      = regexp.MustCompile(`<[^>]*>`)
)

// submit fills in the form that posts to a path, and sends it.
func (s *shown) submit(path string, fields ...string) *shown {
	s.Helper()
	return s.do(http.MethodPost, s.action(path), s.form(path, fields...))
}

// action is where the form that posts to a path posts to, with its query.
func (s *shown) action(path string) string {
	s.Helper()
	return html.UnescapeString(s.formTo(path)[1])
}

// formTo is the form that posts to a path: its tag, its action, what is in it.
func (s *shown) formTo(path string) []string {
	s.Helper()
	for _, f := range formTag.FindAllStringSubmatch(s.body, -1) {
		if to, _, _ := strings.Cut(f[1], "?"); to == path {
			return f
		}
	}
	s.Fatalf("no form posts to %s:\n%s", path, s.text())
	return nil
}

// form is the fields of the form that posts to a path, some of them filled in.
func (s *shown) form(path string, fields ...string) url.Values {
	s.Helper()
	values := url.Values{}
	for _, input := range inputTag.FindAllString(s.formTo(path)[2], -1) {
		var name, value string
		for _, a := range attr.FindAllStringSubmatch(input, -1) {
			if a[1] == "name" {
				name = a[2]
			} else {
				value = html.UnescapeString(a[2])
			}
		}
		values.Set(name, value)
	}
	for i := 0; i < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	return values
}

// link is the address of the link that reads like text.
func (s *shown) link(text string) string {
	s.Helper()
	for _, l := range linkTag.FindAllStringSubmatch(s.body, -1) {
		if strings.TrimSpace(tag.ReplaceAllString(html.UnescapeString(l[2]), "")) == text {
			return html.UnescapeString(l[1])
		}
	}
	s.Fatalf("no link reads %q:\n%s", text, s.text())
	return ""
}

// text is what there is to read.
func (s *shown) text() string {
	return strings.Join(strings.Fields(html.UnescapeString(tag.ReplaceAllString(s.body, " "))), " ")
}

// want holds the page to a status and to texts.
func (s *shown) want(status int, texts ...string) *shown {
	s.Helper()
	if s.status != status {
		s.Errorf("status %d, want %d: %s", s.status, status, s.text())
	}
	for _, text := range texts {
		if !strings.Contains(s.text(), text) {
			s.Errorf("the page lacks %q: %s", text, s.text())
		}
	}
	return s
}

// mail waits for the mail number n (from 1) to an address, and gives its code.
func (f *fixture) mail(to string, n int) string {
	f.Helper()
	for range 200 {
		items, err := f.inbox.List(f.Context(), to, 0)
		f.must(err)
		if len(items) >= n {
			return items[len(items)-n].Code
		}
		time.Sleep(10 * time.Millisecond)
	}
	f.Fatalf("mail %d to %s did not come", n, to)
	return ""
}

// wrong is a code that is not code.
func wrong(code string) string {
	last := code[len(code)-1]
	return code[:len(code)-1] + string('0'+(last-'0'+1)%10)
}

// toCode goes to the code page, on the way that screen (an action) is.
func (p *person) toCode(screen, email string) *shown {
	p.Helper()
	first := "sign_in"
	if screen == "/register" {
		first = "register"
	}
	return p.get(authorize("first_screen", first)).submit(screen, "email", email).follow().want(http.StatusOK, email)
}

// in is a person who is signed in, with a new account.
func (p *person) in(email string) *person {
	p.Helper()
	p.toCode("/register", email).submit("/verify", "code", p.mail(email, 1)).want(http.StatusSeeOther)
	return p
}

// register makes an account.
func (f *fixture) register(email string) {
	f.Helper()
	p := f.person()
	page := p.toCode("/register", email)
	if s := page.submit("/verify", "code", f.mail(email, 1)); s.status != http.StatusSeeOther {
		f.Fatalf("register %s: %d %s", email, s.status, s.text())
	}
}

// suspend suspends an account, for which there is no operation yet.
func (f *fixture) suspend(email string) {
	f.Helper()
	var s sqlstore.Script
	done := s.Do(`UPDATE users SET suspended_at = $1 WHERE email = $2`, f.db.Now().UnixMicro(), email)
	f.must(f.outage.Run(f.Context(), &s))
	if done.Rows != 1 {
		f.Fatalf("no account %s", email)
	}
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// withSignOut adds the pages of other packages, which nothing here shows.
type withSignOut struct{ *signin.Pages }

func (withSignOut) AskSignOut(http.ResponseWriter, *http.Request, store.SignOut, store.Session) {}
func (withSignOut) SignedOut(http.ResponseWriter, *http.Request, *store.Problem)                {}
