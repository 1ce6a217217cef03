package shell

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/go-chi/chi/v5"

	"idp/keyring"
	"idp/store"
	"idp/web/form"
	"idp/web/locales"
	"idp/web/page"
	"idp/web/static"
)

// Path is where the console is.
const Path = "/console"

// Store keeps who is signed in to the console, and which forms were sent.
type Store interface {
	Now() time.Time
	ConsoleSession(ctx context.Context, session, browser store.Hash) (store.ConsoleSession, error)
	EndConsoleSession(ctx context.Context, session store.Hash, told ...store.Event) error
	ClaimForm(ctx context.Context, key store.Hash) (to string, first bool, err error)
	FinishForm(ctx context.Context, key store.Hash, to string) error
	ReleaseForm(ctx context.Context, key store.Hash) error
}

// SignIn shows the pages that people sign in with.
type SignIn interface {
	// BeginConsole shows the first page of a sign-in that ends at to, an address of the console.
	BeginConsole(w http.ResponseWriter, r *http.Request, to string)
}

// Browser is what a browser keeps.
type Browser interface {
	page.Memory
	Hash(r *http.Request) (store.Hash, bool)
	Ensure(w http.ResponseWriter, r *http.Request) store.Hash
	Console(r *http.Request) (store.Hash, bool)
	ClearConsole(w http.ResponseWriter)
	Notice(r *http.Request) string
	SetNotice(w http.ResponseWriter, text string)
}

// Deps is what a [Shell] is made of.
type Deps struct {
	Store    Store
	SignIn   SignIn
	Browser  Browser
	Ring     *keyring.Ring
	Book     Book
	Endpoint *url.URL
	ClientIP func(*http.Request) netip.Addr
	Agent    func(userAgent string) string // names a browser: "Firefox on Windows"
	Log      *slog.Logger
	Dev      bool // idp dev: the menu has the development mailbox
}

// Shell is the frame of the console. Its methods are safe for concurrent use.
type Shell struct {
	Deps
	languages *locales.Set
	files     *static.Files
	kit       page.Kit
	own       *Set
	tokens    *keyring.MAC
	notices   *keyring.Sealer
	https     bool
	sameSite  func(http.Handler) http.Handler
}

//go:embed pages/*.html
var pages embed.FS

// New makes the shell.
func New(d Deps) (*Shell, error) {
	if d.Store == nil || d.SignIn == nil || d.Browser == nil || d.Ring == nil || d.Book == nil || d.Endpoint == nil || d.ClientIP == nil || d.Agent == nil || d.Log == nil {
		return nil, errors.New("shell: all of Deps but Dev are needed")
	}
	s := &Shell{
		Deps: d, languages: locales.Only(tags...), files: static.Load(), https: d.Endpoint.Scheme == "https",
		tokens: d.Ring.MAC("console form"), notices: d.Ring.Sealer("console notice"),
	}
	s.kit = page.Kit{Layout: layout, Parts: parts, Text: text, Functions: functions}
	s.own = s.Load(pages)
	var err error
	s.sameSite, err = form.Own(d.Endpoint, s.crossSite)
	return s, err
}

// Set is the pages of one area.
type Set struct{ pages *page.Set }

// Load reads the templates pages/NAME.html of an area. What pages/parts.html defines, if it is
// there, all of them can use.
func (s *Shell) Load(files fs.FS) *Set {
	folder, err := fs.Sub(files, "pages")
	if err != nil {
		panic(err) // no such name is invalid
	}
	kit := s.kit
	if own, err := fs.ReadFile(folder, "parts.html"); err == nil {
		kit.Parts += string(own)
	}
	return &Set{kit.Load(folder, nil, s.languages, s.files)}
}

// Mount adds the shell's own routes; areas' come by [Shell.Get] and [Shell.Post].
func (s *Shell) Mount(r chi.Router) {
	s.Post(r, "/sign-out", store.RoleViewer, s.signOut)
	r.NotFound(s.handle(store.RoleViewer, func(*Visit) error { return &store.Error{Code: store.NotFound, Op: "find page"} }))
	r.MethodNotAllowed(s.handle(store.RoleViewer, func(*Visit) error { return &store.Error{Code: store.NotFound, Op: "find page"} }))
}

// Get adds a page, which everybody in the console may look at.
func (s *Shell) Get(r chi.Router, path string, serve func(*Visit) error) {
	r.Get(path, s.handle(store.RoleViewer, serve))
}

// GetAs adds a page that takes a role.
func (s *Shell) GetAs(r chi.Router, path string, least store.OperatorRole, serve func(*Visit) error) {
	r.Get(path, s.handle(least, serve))
}

// Post adds what a form posts to, for who has at least a role.
func (s *Shell) Post(r chi.Router, path string, least store.OperatorRole, serve func(*Visit) error) {
	r.With(s.sameSite).Post(path, s.handle(least, serve))
}

// signOut is POST /console/sign-out.
func (s *Shell) signOut(v *Visit) error {
	entry := s.Book.Entry(v.By, signedOut(v.Session.User.ID))
	if err := s.Store.EndConsoleSession(v.R.Context(), v.Session.Hash, entry); err != nil && store.CodeOf(err) != store.NotFound {
		return err
	}
	s.Browser.ClearConsole(v.W)
	page.SeeOther(v.W, Path)
	return nil
}
