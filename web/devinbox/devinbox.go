// Package devinbox is the development mailbox in the browser:
//
//	GET    /dev/inbox             the mails, newest first
//	POST   /dev/inbox             the page's button: empties it
//	GET    /dev/inbox.json?to=A   the same for programs, all or those to one address
//	DELETE /dev/inbox             empties it
//	GET    /dev/inbox/{id}        a mail's HTML part, in a sandbox
//
// It shows codes to whoever asks, so it is for programs on the same machine that
// name it by a loopback name: a page of another site that points its own host name
// at 127.0.0.1 (DNS rebinding) arrives with that name in Host and gets nothing. Neither
// does a proxy on this machine that lets itself be known; one that does not cannot be told
// from a program of this machine, and must not lead here.
package devinbox

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"idp/store"
	"idp/web/locales"
	"idp/web/page"
	"idp/web/serve"
	"idp/web/static"
)

// Path is where the mailbox is.
const Path = "/dev/inbox"

// maxShown is how many mails one answer holds.
const maxShown = 100

// Item is one mail, as /dev/inbox.json shows it.
type Item struct {
	ID        string      `json:"id"`
	To        string      `json:"to"`
	From      string      `json:"from"`
	Subject   string      `json:"subject"`
	Text      string      `json:"text"`
	HTML      string      `json:"html"`
	UsageType store.Usage `json:"usageType"`
	Code      string      `json:"code"`
	CreatedAt time.Time   `json:"createdAt"`
}

// Inbox is what holds the mails.
type Inbox interface {
	// List gives the newest mails, newest first, all or those to one address.
	List(ctx context.Context, to string, limit int) ([]Item, error)
	Clear(ctx context.Context) error
}

// Deps is what the mailbox is made of.
type Deps struct {
	Inbox   Inbox
	Browser page.Memory
	Log     *slog.Logger
}

// Mailbox serves the mailbox. Its methods are safe for concurrent use.
type Mailbox struct {
	Deps
	languages *locales.Set
	templates *page.Set
}

//go:embed pages/*.html
var pages embed.FS

// New makes the mailbox.
func New(d Deps) (*Mailbox, error) {
	if d.Inbox == nil || d.Browser == nil || d.Log == nil {
		return nil, errors.New("devinbox: all of Deps are needed")
	}
	folder, err := fs.Sub(pages, "pages")
	if err != nil {
		return nil, err
	}
	m := &Mailbox{Deps: d, languages: locales.Load()}
	m.templates = page.Load(folder, nil, m.languages, static.Load())
	return m, nil
}

// Mount adds the routes. Static files are the sign-in pages' to mount.
func (m *Mailbox) Mount(r chi.Router) {
	r.Group(func(r chi.Router) {
		r.Use(onlyHere, http.NewCrossOriginProtection().Handler)
		r.Get(Path, m.handle(m.list))
		r.Get(Path+".json", m.handle(m.json))
		r.Get(Path+"/{id}", m.handle(m.preview))
		r.Post(Path, m.handle(m.empty))
		r.Delete(Path, m.handle(m.empty))
	})
}

// onlyHere lets loopback peers in that name us by a loopback name.
func onlyHere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !peer.Addr().Unmap().IsLoopback() || !isLocalName(r.Host) || isForwarded(r) {
			http.Error(w, "The development mailbox is for this machine only.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLocalName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return store.IsLoopback(strings.ToLower(strings.Trim(host, "[]")))
}

// isForwarded tells whether a proxy on this machine speaks for somebody else, as far as that can
// be told: it says so in a header, or speaks HTTP/1.0, as nginx does by default before 1.29.7,
// with no header that would say so. Programs for people have not spoken that for decades.
func isForwarded(r *http.Request) bool {
	if !r.ProtoAtLeast(1, 1) {
		return true
	}
	for name := range r.Header {
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return true
		}
	}
	return false
}

func (m *Mailbox) handle(serveMail func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		page.Protect(w, page.Policy{Frames: true}, false)
		err := serveMail(w, r)
		switch {
		case err == nil || r.Context().Err() != nil:
		case store.CodeOf(err) == store.Unavailable:
			w.Header().Set("Retry-After", "5")
			http.Error(w, "The database does not answer. Try again in a moment.", http.StatusServiceUnavailable)
		default:
			id := serve.RequestID(r.Context())
			m.Log.ErrorContext(r.Context(), "development mailbox", "error", err, "request_id", id)
			http.Error(w, "Something went wrong. The log says what, under request "+id+".", http.StatusInternalServerError)
		}
	}
}

// view is what the page shows.
type view struct {
	page.Frame
	Mails []Item
}

func (m *Mailbox) list(w http.ResponseWriter, r *http.Request) error {
	mails, err := m.Inbox.List(r.Context(), "", maxShown)
	if err != nil {
		return err
	}
	lang := page.Switch(w, r, m.languages, m.Browser)
	if lang == nil {
		lang = m.languages.Choose(store.DefaultExperience().Language, nil, m.Browser.Language(r), r.Header.Get("Accept-Language"))
	}
	data := view{Frame: page.Frame{Languages: page.Languages(m.languages, lang, Path)}, Mails: mails}
	return m.templates.Render(w, http.StatusOK, lang, "inbox", data)
}

func (m *Mailbox) json(w http.ResponseWriter, r *http.Request) error {
	mails, err := m.Inbox.List(r.Context(), r.URL.Query().Get("to"), maxShown)
	if err != nil {
		return err
	}
	if mails == nil {
		mails = []Item{} // [], not null
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(mails) // the visitor may be gone
	return nil
}

// preview is a mail's HTML part, which runs nothing and reaches nothing.
func (m *Mailbox) preview(w http.ResponseWriter, r *http.Request) error {
	mails, err := m.Inbox.List(r.Context(), "", maxShown)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'")
	w.Header().Set("X-Frame-Options", "SAMEORIGIN")
	for _, mail := range mails {
		if mail.ID == chi.URLParam(r, "id") {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(mail.HTML)) // the visitor may be gone
			return nil
		}
	}
	http.Error(w, "This mail is gone.", http.StatusNotFound)
	return nil
}

func (m *Mailbox) empty(w http.ResponseWriter, r *http.Request) error {
	if err := m.Inbox.Clear(r.Context()); err != nil {
		return err
	}
	if r.Method == http.MethodDelete {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	page.SeeOther(w, Path)
	return nil
}
