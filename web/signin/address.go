package signin

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"idp/store"
	"idp/store/address"
	"idp/web/page"
)

// Begin shows the first page of a validated authorization request.
func (p *Pages) Begin(w http.ResponseWriter, r *http.Request, req store.AuthRequest, client store.Client) {
	v := p.newVisit(w, r)
	p.enter(v, req, client)
	if email, ok := tokenOf(req); ok {
		if err := p.showToken(v, email); err != nil {
			p.answer(v, err)
		}
		return
	}
	data := p.view(v)
	data.Typed = req.LoginHint
	data.Again = r.URL.RawQuery
	if err := p.showAddress(v, v.serves(opens(req)), http.StatusOK, data); err != nil {
		p.answer(v, err)
	}
}

// BeginOwn shows the first page of a request of our own: somebody wants to see the
// account page and is not signed in.
func (p *Pages) BeginOwn(w http.ResponseWriter, r *http.Request) {
	v := p.newVisit(w, r)
	if err := p.beginOwn(v, store.ScreenSignIn); err != nil {
		p.answer(v, err)
	}
}

func (p *Pages) beginOwn(v *visit, screen store.Screen) error {
	now := p.Now()
	req := store.AuthRequest{ID: store.NewID(now), RedirectURI: p.account, StartedAt: now, Screen: screen}
	v.byLink(&req)
	p.enter(v, req, p.self)
	if email, ok := tokenOf(req); ok {
		return p.showToken(v, email)
	}
	data := p.view(v)
	data.Again = own
	return p.showAddress(v, v.serves(opens(req)), http.StatusOK, data)
}

// enter makes the visit the first one of a request.
func (p *Pages) enter(v *visit, req store.AuthRequest, client store.Client) {
	v.browser = p.Browser.Ensure(v.w, v.r)
	p.belong(v, req, client)
	if v.sealed == "" {
		v.sealed = p.Requests.Seal(v.request, v.browser)
	}
}

// getAddress is GET /sign-in, GET /register and GET /recover.
func (p *Pages) getAddress(v *visit) error {
	if v.form.Get("r") == "" && v.form.Get("again") == "" {
		return p.getOwn(v)
	}
	if err := p.open(v); err != nil {
		return err
	}
	if v.form.Get("other") != "" { // than the one who is signed in or was named
		v.request.LoginHint, v.request.OneTimeToken = "", ""
		v.sealed = p.Requests.Seal(v.request, v.browser)
	}
	if email, ok := tokenOf(v.request); ok {
		return p.showToken(v, email)
	}
	data := p.view(v)
	data.Typed, data.Again = v.request.LoginHint, v.form.Get("again")
	if c, ok := p.openChallenge(v.form.Get("c"), v.browser); ok {
		data.Typed = page.Address(c.Email)
	}
	return p.showAddress(v, v.serves(v.purpose()), http.StatusOK, data)
}

// getOwn is an address page opened from a bookmark: no app has sent anybody there.
func (p *Pages) getOwn(v *visit) error {
	if _, ok := p.Browser.Session(v.r); ok {
		p.switchLanguage(v)
		return seeOther(v, accountPath) // which knows whether the session lives
	}
	screen := store.ScreenSignIn
	for _, s := range screens {
		if s.path == v.r.URL.Path {
			screen = s.screen
		}
	}
	return p.beginOwn(v, screen)
}

// byLink puts a one-time token into a request of our own: an operator's link, which leads to
// no app in particular.
func (v *visit) byLink(req *store.AuthRequest) {
	token := v.form.Get("one_time_token")
	if _, ok := store.HashOneTimeToken(token); ok {
		req.OneTimeToken, req.LoginHint = token, v.form.Get("login_hint")
	}
}

// showAddress shows the address page. data says what is particular about it.
func (p *Pages) showAddress(v *visit, purpose store.Purpose, status int, data *view) error {
	if len(v.sealed)+len(url.QueryEscape(data.Again)) <= maxLink {
		v.again = data.Again
	}
	if status != http.StatusOK || data.Typed != "" || v.restarted {
		return p.templates.Render(v.w, status, v.lang, "address", p.address(v, purpose, data))
	}
	type variant struct {
		look          *page.Look // and by it all else of the experience
		app           string
		purpose       store.Purpose
		again, linked bool
	}
	return p.templates.Splice(v.w, status, v.lang, "address", variant{v.look, v.client.Name, purpose, data.Again != "", v.again != ""}, func(marks []string) any {
		marked := *v
		marked.sealed = marks[0]
		plain := p.view(&marked)
		if data.Again != "" {
			plain.Again = marks[1]
		}
		if v.again != "" {
			marked.again = marks[2]
		}
		return p.address(&marked, purpose, plain)
	}, v.sealed, data.Again, url.QueryEscape(v.again))
}

// address completes the view of the address page.
func (p *Pages) address(v *visit, purpose store.Purpose, data *view) *view {
	data.serves(purpose)
	data.Action, data.Restarted = actionOf(purpose), v.restarted
	if data.Terms == nil {
		data.Terms = v.terms(purpose)
	}
	other := store.PurposeSignIn
	if purpose == store.PurposeSignIn {
		other = store.PurposeRegister
		data.Rescue = v.address("/recover", "again", v.again)
	}
	if purpose != store.PurposeConsole && v.experience.Mode.Allows(other) {
		data.Other = v.address(actionOf(other), "again", v.again)
	}
	p.addLanguages(v, v.address(data.Action, "again", v.again), data)
	return data
}

// postAddress is POST /sign-in, POST /register and POST /recover: it has a code
// mailed, or for a recovery where there is no account, a mail that says so. Nothing
// that the browser is shown depends on it.
func (p *Pages) postAddress(v *visit) error {
	if err := p.open(v); err != nil {
		return err
	}
	rules, err := v.rules()
	if err != nil {
		return err
	}
	purpose := v.purpose()
	data := p.view(v)
	data.Typed = strings.TrimSpace(v.form.Get("email"))
	data.Again = v.form.Get("again")
	if v.restarted {
		return p.showAddress(v, v.serves(purpose), http.StatusOK, data)
	}
	email, err := address.Parse(data.Typed)
	switch {
	case data.Typed == "":
		data.Error = "empty"
		return p.showAddress(v, purpose, http.StatusUnprocessableEntity, data)
	case err != nil:
		data.Error = "address"
		return p.showAddress(v, purpose, http.StatusUnprocessableEntity, data)
	case !rules.Mode.Allows(purpose):
		return p.shut(v, email)
	case purpose == store.PurposeRegister && closed(rules, email): // whoever has an account signs in
		data.Error = "blocked"
		return p.showAddress(v, purpose, http.StatusUnprocessableEntity, data)
	}
	if data.Terms = v.terms(purpose); data.Terms.disagrees() {
		data.Terms.Missing = true
		return p.showAddress(v, purpose, http.StatusUnprocessableEntity, data)
	}
	c := challenge{Request: v.request.ID, Purpose: purpose, Email: email, Agreed: v.form.Get("agree") == "1"}
	begun, err := p.Codes.Begin(v.r.Context(), p.attempt(v, c))
	switch store.CodeOf(err) {
	case store.Unproven:
		return p.askProof(v, c, data)
	case store.Limited:
		wait := waitOf(err)
		data.Error, data.Wait = "limited", v.lang.Wait(wait)
		if isFull(err) {
			data.Error = "full"
		}
		v.w.Header().Set("Retry-After", strconv.Itoa(seconds(wait)))
		return p.showAddress(v, purpose, http.StatusTooManyRequests, data)
	}
	if err != nil {
		return err
	}
	return p.toCode(v, c.took(begun))
}

// attempt is what the code engine is told.
func (p *Pages) attempt(v *visit, c challenge) store.Attempt {
	a := store.Attempt{
		Purpose: c.Purpose, Email: c.Email, Browser: v.browser, Request: v.request.ID, IP: p.ClientIP(v.r),
		Locale: v.lang.Tag, App: v.client.Name, BrowserName: BrowserName(v.r.UserAgent()), Solution: v.solution(),
	}
	narrow(&a, v.experience)
	if p.Link && c.Purpose != store.PurposeConsole { // whoever opens the console types its code
		a.Link = p.linkTo(v, c)
	}
	return a
}

// toCode sends the browser to the code page.
func (p *Pages) toCode(v *visit, c challenge) error {
	return seeOther(v, v.address("/verify", "c", p.sealChallenge(c, v.browser)))
}

func seeOther(v *visit, to string) error {
	page.SeeOther(v.w, to)
	return nil
}

// cancel is GET /cancel: the person turns back.
func (p *Pages) cancel(v *visit) error {
	if v.form.Get("r") == "" {
		return p.getOwn(v)
	}
	if err := p.open(v); err != nil {
		return err
	}
	return seeOther(v, p.Requests.Cancel(v.request))
}
