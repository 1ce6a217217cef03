package signin

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"idp/keyring"
	"idp/store"
	"idp/web/form"
	"idp/web/locales"
	"idp/web/page"
	"idp/web/problem"
	"idp/web/static"
)

// Codes is the code engine.
type Codes interface {
	Begin(context.Context, store.Attempt) (store.Begun, error)
	Resend(context.Context, store.Again) (store.Begun, error)
	// Puzzle is what these two ask for with store.Unproven.
	Puzzle(store.Attempt) store.Puzzle
	Guess(store.Try) (store.Guess, error)
	// TokenGuess is the same for a one-time token: store.NotFound.
	TokenGuess(context.Context, store.TokenTry) (store.Guess, error)
	Verify(context.Context, store.Guess, store.Completion) (store.SignedIn, error)
	State(ctx context.Context, challenge store.ID, browser store.Hash) (store.ChallengeState, error)
	// Disowned reads a link for those who did not ask for a mail: store.Invalid,
	// store.Expired.
	Disowned(token string) (store.Disowned, error)
	NotMe(context.Context, store.Disowned) (store.Undone, error)
	Unmute(context.Context, store.Disowned) error
}

// Requests is the OpenID Provider's side: what the app wants, and how it gets it.
type Requests interface {
	Seal(req store.AuthRequest, browser store.Hash) string
	// Open gives store.Expired with the request for one that is to restart in place,
	// and without it for one that is too old for that.
	Open(sealed string, browser store.Hash) (store.AuthRequest, error)
	Finish(req store.AuthRequest, proof store.Proof) store.Finish
	Cancel(req store.AuthRequest) string
	// Enter is the session of who enters the console by a link.
	Enter(link, browser store.Hash) (secret string, s store.NewSession)
	// Continue answers a request from the session that the browser has. The error is
	// store.NotFound where that session is gone or will not do.
	Continue(r *http.Request, req store.AuthRequest, session, browser store.Hash) (location string, err error)
}

// Operators lets operators into the console.
type Operators interface {
	// EnterByLink gives store.NotFound, store.Expired, store.Used or store.Forbidden for a link
	// that lets nobody in.
	EnterByLink(context.Context, store.ConsoleEntry) error
}

// Clients finds the app of a request.
type Clients interface {
	Client(ctx context.Context, id string) (store.Client, error)
}

// Browser is the cookies.
type Browser interface {
	Hash(r *http.Request) (store.Hash, bool)
	Ensure(w http.ResponseWriter, r *http.Request) store.Hash
	Session(r *http.Request) (store.Hash, bool)
	SetSession(w http.ResponseWriter, secret string)
	Console(r *http.Request) (store.Hash, bool)
	SetConsole(w http.ResponseWriter, secret string)
	Language(r *http.Request) string
	SetLanguage(w http.ResponseWriter, tag string)
}

// Deps is what the pages are made of.
type Deps struct {
	Codes       Codes
	Requests    Requests
	Clients     Clients
	Operators   Operators
	Experiences page.Experiences
	Browser     Browser
	Ring        *keyring.Ring
	ClientIP    func(*http.Request) netip.Addr
	Now         func() time.Time // the database's time
	Endpoint    *url.URL
	Log         *slog.Logger

	Digits  int    // of a code; 6 if 0
	Link    bool   // mails have a link that signs in as well
	Person  Person // the service that tells people from programs; nil: there is none
	Mailbox string // where the development mailbox is ("/dev/inbox"), "" if there is none
}

// Pages serves the pages. Its methods are safe for concurrent use.
type Pages struct {
	Deps
	languages  *locales.Set
	files      *static.Files
	templates  *page.Set
	looks      *page.Looks
	challenges *keyring.Sealer
	choices    *keyring.MAC
	links      *keyring.Sealer
	notMe      *keyring.MAC
	enters     *keyring.MAC
	ownForms   func(http.Handler) http.Handler
	mailbox    *mailbox // the development mailbox
	https      bool
	loopback   bool
	base       string
	account    string       // address of the account page
	self       store.Client // stands for the app in a request of our own
}

const accountPath = "/account"

//go:embed pages/*.html
var pages embed.FS

// variants are pages that differ in their texts only.
var variants = map[string][]string{
	"again": {"spent", "expired", "dead_link"},
	"problem": {
		"broken", "cookies", "cross", "bad", "large", "unavailable", "failure",
		"missing", "client", "request", "suspended", "used", "gone",
		"late", "closed", "newcomers", "no_operator", "no_entry",
	},
}

// New makes the pages.
func New(d Deps) (*Pages, error) {
	if d.Codes == nil || d.Requests == nil || d.Clients == nil || d.Operators == nil || d.Experiences == nil || d.Browser == nil || d.Ring == nil ||
		d.ClientIP == nil || d.Now == nil || d.Endpoint == nil || d.Log == nil {
		return nil, errors.New("signin: all of Deps but Digits, Link and Mailbox are needed")
	}
	if d.Digits == 0 {
		d.Digits = 6
	}
	folder, err := fs.Sub(pages, "pages")
	if err != nil {
		return nil, err
	}
	p := &Pages{
		Deps: d, languages: locales.Load(), files: static.Load(), challenges: d.Ring.Sealer("challenge"), choices: d.Ring.MAC("choice of an account"),
		links: d.Ring.Sealer("sign-in link"), notMe: d.Ring.MAC("form of who did not ask"),
		enters: d.Ring.MAC("console link form"), base: strings.TrimRight(d.Endpoint.String(), "/"),
		https: d.Endpoint.Scheme == "https", loopback: store.IsLoopback(d.Endpoint.Hostname()),
	}
	p.mailbox = &mailbox{URL: d.Mailbox}
	p.account = p.base + accountPath
	p.self = store.Client{Name: page.Host(d.Endpoint)}
	p.looks = page.NewLooks(d.Experiences)
	p.templates = page.Load(folder, variants, p.languages, p.files)
	p.ownForms, err = form.Own(d.Endpoint, p.handle(func(*visit) error { return problem.CrossSite() }))
	return p, err
}

// Mount adds the routes, and the answers for addresses and methods that no route
// has.
func (p *Pages) Mount(r chi.Router) {
	for _, s := range screens {
		r.Get(s.path, p.handle(p.getAddress))
	}
	r.Get("/verify", p.handle(p.getCode))
	r.Get("/verify/resend", p.handle(p.getResend))
	r.Get("/verify/status", p.status)
	r.Get(linkPath, p.handle(p.getLink))
	r.Get(NotMePath, p.handle(p.getNotMe))
	r.Get(EnterPath, p.handle(p.getEnter))
	r.Get("/cancel", p.handle(p.cancel))
	r.Handle(static.Prefix+"*", p.files)
	r.Get(page.ThemePath, p.theme)
	r.Get(store.PicturesPath+"{hash}", p.handle(p.picture))
	r.Group(func(r chi.Router) {
		r.Use(p.ownForms)
		for _, s := range screens {
			r.Post(s.path, p.handle(p.postAddress))
		}
		r.Post("/choose", p.handle(p.postChoose))
		r.Post(tokenPath, p.handle(p.postToken))
		r.Post("/verify", p.handle(p.postCode))
		r.Post("/verify/resend", p.handle(p.postResend))
		r.Post(NotMePath, p.handle(p.postNotMe))
		r.Post(EnterPath, p.handle(p.postEnter))
	})
	r.NotFound(p.NotFound)
	r.MethodNotAllowed(p.wrongMethod)
}

// NotFound answers for an address that leads nowhere.
func (p *Pages) NotFound(w http.ResponseWriter, r *http.Request) {
	p.answer(p.newVisit(w, r), problem.New("missing", http.StatusNotFound))
}

// methods are those that a route here may have; HEAD goes with GET (see serve).
var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// wrongMethod answers for a method that an address does not have (RFC 9110 section
// 15.5.6). The router asks for it, too, where nobody knows the method or the address.
func (p *Pages) wrongMethod(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, m := range methods {
		if chi.RouteContext(r.Context()).Routes.Match(chi.NewRouteContext(), m, r.URL.EscapedPath()) {
			allow = append(allow, m)
			if m == http.MethodGet {
				allow = append(allow, http.MethodHead)
			}
		}
	}
	if allow == nil {
		p.NotFound(w, r)
		return
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	p.answer(p.newVisit(w, r), problem.New("missing", http.StatusMethodNotAllowed))
}

// Fail answers for an error of a page in another package.
func (p *Pages) Fail(w http.ResponseWriter, r *http.Request, err error) {
	p.answer(p.newVisit(w, r), err)
}

// Failed answers when a handler broke.
func (p *Pages) Failed(w http.ResponseWriter, r *http.Request) {
	p.answer(p.newVisit(w, r), problem.New("failure", http.StatusInternalServerError))
}
