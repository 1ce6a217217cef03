package shell

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"

	"idp/audit"
	"idp/store"
	"idp/web/locales"
	"idp/web/page"
	"idp/web/problem"
	"idp/web/serve"
)

// Visit is one request for a page of the console, by somebody who is signed in to it.
type Visit struct {
	W       http.ResponseWriter
	R       *http.Request
	Form    url.Values // of a GET its query, of a POST its fields
	Lang    *locales.Language
	Session store.ConsoleSession
	By      audit.Actor // for the functions of package admin

	shell   *Shell
	files   map[string]*File
	browser store.Hash
	notice  string
}

// Book makes entries of the audit log.
type Book interface {
	Entry(by audit.Actor, r audit.Record) store.Event
}

func signedOut(user string) audit.Record { return audit.Record{Kind: "console.signed_out", User: user} }

// handle makes a handler of a page's function: it lets in who may, and answers its error.
func (s *Shell) handle(least store.OperatorRole, serveVisit func(*Visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := s.newVisit(w, r)
		err := s.enter(v, least)
		if err == nil {
			err = serveVisit(v)
		}
		if err != nil {
			s.answer(v, err)
		}
	}
}

func (s *Shell) newVisit(w http.ResponseWriter, r *http.Request) *Visit {
	v := &Visit{W: w, R: r, shell: s, Form: url.Values{}}
	page.Protect(w, page.Policy{Frames: true}, s.https)
	v.Lang = page.Switch(w, r, s.languages, s.Browser)
	if v.Lang == nil {
		v.Lang = s.languages.Choose(store.LanguageInfo{AutoDetect: true}, nil, s.Browser.Language(r), r.Header.Get("Accept-Language"))
	}
	return v
}

// errAnswered says that the answer is given.
var errAnswered = problem.New("answered", 0)

// enter finds out who is there, and whether they may.
func (s *Shell) enter(v *Visit, least store.OperatorRole) error {
	browser, known := s.Browser.Hash(v.R)
	hash, signedIn := s.Browser.Console(v.R)
	v.browser = browser
	posts := v.R.Method == http.MethodPost
	found := error(&store.Error{Code: store.NotFound, Op: "find console session"})
	if known && signedIn {
		v.Session, found = s.Store.ConsoleSession(v.R.Context(), hash, browser)
	}
	if posts {
		most := int64(strangersBody)
		if found == nil {
			most = MaxBody
		}
		fields, files, err := read(v.W, v.R, most)
		if err != nil {
			return err
		}
		v.Form, v.files = fields, files
		if !known || !v.isOurs() {
			return problem.New("stale", http.StatusForbidden)
		}
	} else {
		fields, err := readQuery(v.R)
		if err != nil {
			return err
		}
		v.Form = fields
	}
	switch {
	case store.CodeOf(found) == store.NotFound && posts:
		return problem.New("ended", http.StatusForbidden)
	case store.CodeOf(found) == store.NotFound:
		s.SignIn.BeginConsole(v.W, v.R, address(v.R))
		return errAnswered
	case found != nil:
		return found
	case posts && !v.isTheirs():
		return problem.New("stale", http.StatusForbidden)
	}
	v.By = audit.Actor{
		ID: "user:" + v.Session.User.ID, IP: s.ClientIP(v.R), Agent: s.Agent(v.R.UserAgent()), Request: serve.RequestID(v.R.Context()), Scopes: scopesOf(v.Session.Role),
	}
	v.notice = s.takeNotice(v)
	if !v.May(least) {
		return problem.New("role", http.StatusForbidden)
	}
	return nil
}

// address is the page of the console that a request is for.
func address(r *http.Request) string {
	if r.Method != http.MethodGet || len(r.URL.RawQuery) > maxQuery {
		return Path
	}
	return page.Requested(r)
}

// May tells whether who is there has at least a role.
func (v *Visit) May(least store.OperatorRole) bool { return v.Session.Role.Covers(least) }

// Param is a part of the path.
func (v *Visit) Param(name string) string {
	value := chi.URLParam(v.R, name)
	if unescaped, err := url.PathUnescape(value); err == nil {
		return unescaped
	}
	return value
}

// Got is a field without the space around it.
func (v *Visit) Got(name string) string { return strings.TrimSpace(v.Form.Get(name)) }

// Show writes a page. data embeds the [Frame] of this visit.
func (v *Visit) Show(status int, set *Set, name string, data any) error {
	return set.pages.Render(v.W, status, v.Lang, name, data)
}

// Done sends the browser on after a change, and has the next page say what was done.
func (v *Visit) Done(to, notice string) error {
	v.shell.putNotice(v, notice)
	page.SeeOther(v.W, to)
	return nil
}

// Confirmed tells whether the field "confirm" holds a name: what cannot be undone asks for it.
func (v *Visit) Confirmed(name string) bool { return v.Got("confirm") == strings.TrimSpace(name) }

// scopesOf is what a role may do at the management API, and so give to others. Who may set
// what sends the mails, or word them, can read an owner's codes: that is an owner's.
func scopesOf(role store.OperatorRole) []string {
	switch role {
	case store.RoleOwner:
		return []string{store.ScopeAll}
	case store.RoleAdmin:
		return adminScopes
	}
	return viewerScopes
}

var (
	nouns        = []string{"applications", "users", "sign-in-exp", "resources", "roles", "logs", "hooks"}
	viewerScopes = append(suffixed(nouns, ":read"), "connectors:read", "email-templates:read", "configs:read")
	adminScopes  = append(suffixed(nouns, ":write"), "connectors:read", "email-templates:read", "configs:read")
)

func suffixed(nouns []string, suffix string) []string {
	out := make([]string, len(nouns))
	for i, n := range nouns {
		out[i] = n + suffix
	}
	return out
}
