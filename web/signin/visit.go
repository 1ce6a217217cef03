package signin

import (
	"net/http"
	"net/url"
	"strings"

	"idp/store"
	"idp/web/form"
	"idp/web/locales"
	"idp/web/page"
	"idp/web/problem"
)

// visit is one request for a page, and what was found out about it so far.
type visit struct {
	w    http.ResponseWriter
	r    *http.Request
	form url.Values
	lang *locales.Language

	browser store.Hash
	sealed  string            // r, once it opened
	request store.AuthRequest // zero until then
	client  store.Client

	experience store.Experience // with what the app has of its own
	unread     error            // why it is an old one
	look       *page.Look

	restarted bool   // r was too old and is a fresh one now
	again     string // the app's own query, where links of the page carry it
}

// longest are the fields that are longer than what a person types: the sealed ones.
var longest = map[string]int{"r": form.MaxQuery, "c": 2 << 10, "again": form.MaxQuery, "t": 4 << 10, "token": 4 << 10}

// handle makes a handler of a function that gives an error: one place answers.
func (p *Pages) handle(serve func(*visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := p.newVisit(w, r)
		fields, err := form.Read(w, r, longest)
		if err == nil {
			v.form = fields
			err = serve(v)
		}
		if err != nil {
			p.answer(v, err)
		}
	}
}

// newVisit chooses the language by what is known before the request is open.
func (p *Pages) newVisit(w http.ResponseWriter, r *http.Request) *visit {
	v := &visit{w: w, r: r, form: url.Values{}}
	v.experience, v.unread = p.looks.Experience(r.Context())
	v.look = p.looks.Of(v.experience, store.Client{})
	v.lang = p.languages.Choose(v.experience.Language, nil, p.Browser.Language(r), r.Header.Get("Accept-Language"))
	page.Protect(w, page.Policy{Look: v.look}, p.https)
	return v
}

// open opens r, finds its client, and settles the language.
func (p *Pages) open(v *visit) error {
	sealed := v.form.Get("r")
	if sealed == "" {
		return problem.New("broken", http.StatusBadRequest)
	}
	var known bool
	if v.browser, known = p.Browser.Hash(v.r); !known {
		return problem.New("cookies", http.StatusBadRequest)
	}
	req, err := p.Requests.Open(sealed, v.browser)
	switch {
	case err == nil:
		v.sealed = sealed
	case store.CodeOf(err) == store.Expired && !req.ID.IsZero():
		v.restarted = true
		now := p.Now()
		req.ID, req.StartedAt = store.NewID(now), now
		v.sealed = p.Requests.Seal(req, v.browser)
	case store.CodeOf(err) == store.Expired || store.CodeOf(err) == store.Invalid:
		return problem.New("broken", http.StatusBadRequest)
	default:
		return err
	}
	if req.IsOwn() {
		p.belong(v, req, p.self)
		return nil
	}
	client, err := p.Clients.Client(v.r.Context(), req.Client)
	if store.CodeOf(err) == store.NotFound {
		return problem.New("client", http.StatusBadRequest)
	}
	p.belong(v, req, client)
	return err
}

// belong makes the visit one of an authorization request.
func (p *Pages) belong(v *visit, req store.AuthRequest, client store.Client) {
	v.request, v.client = req, client
	v.client.Name = client.Title()
	v.look = p.looks.Of(v.experience, client)
	v.experience = v.experience.For(client.Experience)
	if req.Console {
		v.look = p.looks.OfOperators(v.experience)
		v.experience = forOperators(v.experience)
	}
	v.lang = p.languages.Choose(v.experience.Language, req.UILocales, p.Browser.Language(v.r), v.r.Header.Get("Accept-Language"))
	if !req.IsOwn() {
		page.Protect(v.w, page.Policy{FormAction: v.formAction(), Look: v.look}, p.https)
	}
	if p.switchLanguage(v) {
		// The person overrules the app from here on: the choice goes into r.
		v.request.UILocales = []string{v.lang.Tag}
		v.sealed = p.Requests.Seal(v.request, v.browser)
	}
}

// formAction is where forms of the visit's pages may lead to; see [page.FormAction].
func (v *visit) formAction() string {
	if v.request.IsOwn() {
		return ""
	}
	return page.FormAction(v.request.RedirectURI)
}

// switchLanguage does what ?lang= says, if it says anything.
func (p *Pages) switchLanguage(v *visit) bool {
	l := page.Switch(v.w, v.r, p.languages, p.Browser)
	if l != nil {
		v.lang = l
	}
	return l != nil
}

// address of a page of this visit, with its r.
func (v *visit) address(path string, more ...string) string {
	if v.sealed == "" {
		return ""
	}
	var out strings.Builder
	size := len(path) + len("?r=") + len(v.sealed)
	for _, m := range more {
		size += len(m) + len("&=")
	}
	out.Grow(size)
	out.WriteString(path)
	out.WriteString("?r=")
	out.WriteString(v.sealed) // base64url
	for i := 0; i+1 < len(more); i += 2 {
		if more[i+1] != "" {
			out.WriteString("&" + more[i] + "=")
			out.WriteString(url.QueryEscape(more[i+1]))
		}
	}
	return out.String()
}

// restart is the address page of this visit, "" without an r.
func (v *visit) restart() string {
	return v.address(actionOf(opens(v.request)))
}

// maxLink is how long r and again may be together in a link. The whole request line
// fits into the 8 kB that most proxies take; a longer again is left out, because a
// link that works nearly always is better than one that never does.
const maxLink = 7 << 10

// own and ownConsole stand in again for the query of an app when there is none: the request
// is the account page's, or the console's.
const (
	own        = "own"
	ownConsole = "own-console"
)

// again is where the request begins anew, from what Begin put into the form.
// Any link may lead to /oidc/auth with any query, so this one may, too.
func again(fields url.Values) string {
	switch fields.Get("again") {
	case own:
		return "/sign-in"
	case ownConsole:
		return consolePath
	}
	query, err := url.ParseQuery(fields.Get("again"))
	if err != nil || len(query) == 0 {
		return ""
	}
	return "/oidc/auth?" + query.Encode()
}
