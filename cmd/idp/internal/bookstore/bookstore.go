// Package bookstore is the sample app of idp dev: a small shop that people sign
// in to. It is a relying party like any other. It knows the provider's address
// and its own client id and secret, speaks OpenID Connect over HTTP through
// coreos/go-oidc, and shares nothing with the provider but the process.
//
//	GET  /              the shop, or the shop with your name on it
//	GET  /sign-in       to the provider; /sign-up opens its registration first
//	GET  /callback      back from the provider: code, tokens, session
//	GET  /claims        what the ID token and userinfo said
//	POST /sign-out      ends the shop's own session, then the provider's
package bookstore

import (
	"context"
	"embed"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

//go:embed pages static
var files embed.FS

// Config is what any app has to know about its provider, and about itself.
type Config struct {
	Issuer       string // endpoint plus /oidc
	ClientID     string
	ClientSecret string
	URL          string // of the shop: http://localhost:3000
	Mailbox      string // where codes can be read in development, "" for nowhere
	Log          *slog.Logger
}

// Shop is the app.
type Shop struct {
	config   Config
	pages    *template.Template
	client   *http.Client
	sessions *sessions

	mu       sync.Mutex
	provider *oidc.Provider // once it answered
}

// New makes a shop. It does not need the provider yet.
func New(c Config) (*Shop, error) {
	pages, err := template.ParseFS(files, "pages/*.html")
	if err != nil {
		return nil, err
	}
	return &Shop{config: c, pages: pages, client: &http.Client{Timeout: 10 * time.Second}, sessions: newSessions()}, nil
}

// Where the provider sends people back to: after a sign-in, and after a sign-out.
const (
	CallbackPath = "/callback"
	ByePath      = "/?bye"
)

// Handler serves the shop.
func (s *Shop) Handler() http.Handler {
	static, err := fs.Sub(files, "static")
	if err != nil {
		panic(err) // the folder is embedded
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /sign-in", func(w http.ResponseWriter, r *http.Request) { s.leave(w, r) })
	mux.HandleFunc("GET /sign-up", func(w http.ResponseWriter, r *http.Request) {
		s.leave(w, r, oauth2.SetAuthURLParam("first_screen", "register"))
	})
	mux.HandleFunc("GET "+CallbackPath, s.callback)
	mux.HandleFunc("GET /claims", s.claims)
	mux.HandleFunc("POST /sign-out", s.signOut)
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(static)))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		s.problem(w, http.StatusNotFound, "This page is not on our shelves", "The address leads nowhere in the shop.", "")
	})
	return s.headers(http.NewCrossOriginProtection().Handler(mux))
}

// headers sets what every page has. The sign-out form ends at the provider, and
// browsers hold each hop of its way against form-action.
func (s *Shop) headers(next http.Handler) http.Handler {
	provider := strings.TrimSuffix(s.config.Issuer, "/oidc")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' "+provider+"; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// discover reads the provider's configuration at the first need and keeps it.
func (s *Shop) discover(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.provider == nil {
		// The key set outlives this request: it fetches with this context later on.
		ctx := oidc.ClientContext(context.WithoutCancel(ctx), s.client)
		p, err := oidc.NewProvider(ctx, s.config.Issuer)
		if err != nil {
			return nil, nil, err
		}
		s.provider = p
	}
	return s.provider, &oauth2.Config{
		ClientID: s.config.ClientID, ClientSecret: s.config.ClientSecret,
		Endpoint: s.provider.Endpoint(), RedirectURL: s.config.URL + CallbackPath,
		Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
	}, nil
}
