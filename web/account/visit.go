package account

import (
	"net/http"
	"net/url"

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

	switched bool // the person just chose it

	experience store.Experience // good enough to look at
	look       *page.Look

	browser  store.Hash
	hash     store.Hash // of the session's secret
	signedIn bool       // the browser says so: it has brought both
	session  store.Session
}

// longest are the fields that are longer than what a person types: the sealed one.
var longest = map[string]int{"o": form.MaxQuery}

// handle makes a handler of a function that gives an error.
func (p *Pages) handle(serve func(*visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := p.newVisit(w, r)
		fields, err := form.Read(w, r, longest)
		if err == nil {
			v.form = fields
			err = serve(v)
		}
		if err != nil {
			p.fail(v, err)
		}
	}
}

func (p *Pages) newVisit(w http.ResponseWriter, r *http.Request) *visit {
	v := &visit{w: w, r: r, form: url.Values{}}
	v.experience, _ = p.looks.Experience(r.Context())
	v.look = p.looks.Of(v.experience, store.Client{})
	v.lang = page.Switch(w, r, p.languages, p.deps.Browser)
	v.switched = v.lang != nil
	p.speak(v, nil)
	page.Protect(w, page.Policy{Look: v.look}, p.https)
	var known bool
	v.browser, known = p.deps.Browser.Hash(r)
	v.hash, v.signedIn = p.deps.Browser.Session(r)
	v.signedIn = v.signedIn && known
	return v
}

// speak chooses the language, unless the person just has; wishes are the app's.
func (p *Pages) speak(v *visit, wishes []string) {
	if !v.switched {
		v.lang = p.languages.Choose(v.experience.Language, wishes, p.deps.Browser.Language(v.r), v.r.Header.Get("Accept-Language"))
	}
}

// fail has the sign-in pages answer for an error.
func (p *Pages) fail(v *visit, err error) {
	back := accountPath
	if o := v.form.Get("o"); o != "" {
		back = signOutPage(o)
	}
	p.deps.SignIn.Fail(v.w, v.r, problem.At(back, err))
}

// find finds the live session of the browser. The error is [store.NotFound] for who
// has none.
func (p *Pages) find(v *visit) error {
	if !v.signedIn {
		return &store.Error{Code: store.NotFound, Op: "find the session of a browser"}
	}
	var err error
	v.session, err = p.deps.Store.Session(v.r.Context(), v.hash, v.browser)
	return err
}

// forget takes a session away from the browser that is worth nothing any more.
func (p *Pages) forget(v *visit) {
	if v.signedIn {
		p.deps.Browser.ClearSession(v.w)
	}
}

// token goes into the forms of this browser and session.
func (p *Pages) token(v *visit) string {
	return form.Token(p.tokens, v.browser[:], v.hash[:])
}

// genuine tells whether the form is one that this browser was given in this session.
func (p *Pages) genuine(v *visit) bool {
	return form.Matches(v.form.Get("t"), p.tokens, v.browser[:], v.hash[:])
}

// name is what a session is called in a form: its hash is as good as a secret for
// whoever reads the database.
func (p *Pages) name(session store.Hash) string {
	return form.Token(p.names, session[:])
}
