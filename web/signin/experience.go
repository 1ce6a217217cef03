package signin

import (
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"idp/store"
	"idp/store/address"
	"idp/web/page"
	"idp/web/problem"
	"idp/web/serve"
)

// rules is the experience for what it decides: what is only good enough to look at will
// not do. The error is [store.Unavailable].
func (v *visit) rules() (store.Experience, error) { return v.experience, v.unread }

// serves gives the purpose that a page can have where codes are to be had for some only.
func (v *visit) serves(p store.Purpose) store.Purpose {
	switch {
	case v.experience.Mode.Allows(p):
		return p
	case v.experience.Mode == store.ModeRegister:
		return store.PurposeRegister
	}
	return store.PurposeSignIn
}

// closed tells whether no account can be made with an address.
func closed(e store.Experience, email store.Email) bool {
	return !e.Mode.Allows(store.PurposeRegister) || !address.Admits(e.Addresses, email)
}

// narrow gives an attempt what the experience says of codes.
func narrow(a *store.Attempt, e store.Experience) {
	a.Closed = closed(e, a.Email)
	a.CodeTTL, a.Tries = time.Duration(e.Codes.Seconds)*time.Second, e.Codes.Tries
}

// shut answers for a code or form of a purpose that codes are not to be had for any more.
func (p *Pages) shut(v *visit, email store.Email) error {
	data := p.view(v)
	data.Typed, data.Error, data.Again = page.Address(email), "closed", v.form.Get("again")
	return p.showAddress(v, v.serves(store.PurposeSignIn), http.StatusUnprocessableEntity, data)
}

// terms is what a form says of the operator's or app's terms.
type terms struct {
	Use, Privacy string // addresses
	Tick         bool   // the person has to agree by a tick; else going on is agreeing
	Agreed       bool
	Missing      bool // the form came without
}

// terms gives those of a form, nil for none. Only a form agrees: a link that did would
// tick for whoever follows it, and, as pages are rendered once for all, for everybody.
func (v *visit) terms(p store.Purpose) *terms {
	e := v.experience
	t := &terms{Use: e.TermsOfUseURL, Privacy: e.PrivacyPolicyURL, Agreed: v.r.Method == http.MethodPost && v.form.Get("agree") == "1"}
	t.Tick = e.Terms == store.TermsManual || e.Terms == store.TermsRegister && p == store.PurposeRegister
	if t.Use == "" && t.Privacy == "" || !t.Tick && e.Terms != store.TermsAutomatic {
		return nil
	}
	return t
}

// disagrees tells that a tick is needed and was not made.
func (t *terms) disagrees() bool { return t != nil && t.Tick && !t.Agreed }

// support is where people are helped.
type support struct{ Email, URL string }

func (v *visit) support() *support {
	s := support{page.Address(v.experience.SupportEmail), v.experience.SupportURL}
	if s == (support{}) {
		return nil
	}
	return &s
}

// theme is GET /theme.css: the operator's style sheet, or an app's.
func (p *Pages) theme(w http.ResponseWriter, r *http.Request) {
	e, err := p.looks.Experience(r.Context())
	client := store.Client{}
	id := r.URL.Query().Get("app")
	if err == nil && id == page.Operators {
		p.looks.OfOperators(e).ServeTheme(w, r)
		return
	}
	if err == nil && id != "" && len(id) <= maxClientID {
		client, err = p.Clients.Client(r.Context(), id)
		if store.CodeOf(err) == store.NotFound { // it may be gone, and its page still open
			client, err = store.Client{}, nil
		}
	}
	if serve.Left(r.Context(), err) {
		return
	}
	if err != nil {
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "/* The database does not answer. */", http.StatusServiceUnavailable)
		return
	}
	p.looks.Of(e, client).ServeTheme(w, r)
}

// picture is GET /pictures/HASH.
func (p *Pages) picture(v *visit) error {
	err := p.looks.ServePicture(v.w, v.r, chi.URLParam(v.r, "hash"))
	if store.CodeOf(err) == store.NotFound {
		return problem.New("missing", http.StatusNotFound)
	}
	return err
}

// maxClientID is longer than any client's id.
const maxClientID = 64
