package account

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"net/http"
	"net/url"

	"github.com/go-chi/chi/v5"

	"idp/keyring"
	"idp/store"
	"idp/web/form"
	"idp/web/locales"
	"idp/web/page"
	"idp/web/problem"
	"idp/web/static"
)

// Store is what the pages ask of the database.
type Store interface {
	// Session reads a live session of a browser. The error is store.NotFound.
	Session(ctx context.Context, hash, browser store.Hash) (store.Session, error)
	// LastSession is whose session a browser had, live or not. The error is
	// store.NotFound.
	LastSession(ctx context.Context, hash, browser store.Hash) (store.Session, error)
	// Sessions are the live sessions of a person, newest first.
	Sessions(ctx context.Context, user string) ([]store.Session, error)
	EndSessions(ctx context.Context, e store.Ending) error
	Client(ctx context.Context, id string) (store.Client, error)
	page.Experiences
}

// SignOuts is the OpenID Provider's side: what an app asked for.
type SignOuts interface {
	SealSignOut(out store.SignOut, browser store.Hash) string
	// OpenSignOut gives store.Expired for what is too old, store.Invalid for what is
	// not ours.
	OpenSignOut(sealed string, browser store.Hash) (store.SignOut, error)
	// SignOutRedirect is where the browser goes afterwards, "" for our own page.
	SignOutRedirect(out store.SignOut) string
}

// Addresses is the code engine's side: what it knows a person's browsers by.
type Addresses interface {
	Address(of store.Email) (now, former store.Hash)
}

// SignIn is the sign-in pages.
type SignIn interface {
	// BeginOwn answers for who has to sign in first.
	BeginOwn(w http.ResponseWriter, r *http.Request)
	// Fail answers for an error.
	Fail(w http.ResponseWriter, r *http.Request, err error)
}

// Browser is the cookies.
type Browser interface {
	page.Memory
	Hash(r *http.Request) (store.Hash, bool)
	Session(r *http.Request) (store.Hash, bool)
	ClearSession(w http.ResponseWriter)
}

// Deps is what the pages are made of.
type Deps struct {
	Store     Store
	SignOuts  SignOuts
	SignIn    SignIn
	Addresses Addresses
	Browser   Browser
	Ring      *keyring.Ring
	Endpoint  *url.URL
}

// Pages serves the pages. Its methods are safe for concurrent use.
type Pages struct {
	deps      Deps
	languages *locales.Set
	templates *page.Set
	files     *static.Files
	looks     *page.Looks
	ownForms  func(http.Handler) http.Handler
	tokens    *keyring.MAC // of forms
	names     *keyring.MAC // of sessions, in forms
	host      string
	https     bool
	loopback  bool
}

//go:embed pages/*.html
var pages embed.FS

// New makes the pages.
func New(d Deps) (*Pages, error) {
	if d.Store == nil || d.SignOuts == nil || d.SignIn == nil || d.Addresses == nil || d.Browser == nil || d.Ring == nil || d.Endpoint == nil {
		return nil, errors.New("account: all of Deps are needed")
	}
	folder, err := fs.Sub(pages, "pages")
	if err != nil {
		return nil, err
	}
	p := &Pages{
		deps: d, languages: locales.Load(), looks: page.NewLooks(d.Store), tokens: d.Ring.MAC("account form"), names: d.Ring.MAC("account session"),
		host: page.Host(d.Endpoint), https: d.Endpoint.Scheme == "https", loopback: store.IsLoopback(d.Endpoint.Hostname()),
	}
	p.files = static.Load()
	p.templates = page.Load(folder, nil, p.languages, p.files)
	p.ownForms, err = form.Own(d.Endpoint, p.handle(func(*visit) error { return problem.CrossSite() }))
	return p, err
}

const (
	accountPath   = "/account"
	signedOutPath = "/signed-out"
)

// Mount adds the routes. Static files, and the answers for addresses and methods that
// no route has, are the sign-in pages' to mount.
func (p *Pages) Mount(r chi.Router) {
	r.Get(accountPath, p.handle(p.getAccount))
	r.Get("/sign-out", p.handle(p.getSignOut))
	r.Get(signedOutPath, p.handle(p.getSignedOut))
	r.Group(func(r chi.Router) {
		r.Use(p.ownForms)
		r.Post("/account/sign-out", p.handle(p.postHere))
		r.Post("/account/sign-out-everywhere", p.handle(p.postEverywhere))
		r.Post("/account/sessions", p.handle(p.postSession))
		r.Post("/sign-out", p.handle(p.postSignOut))
	})
}
