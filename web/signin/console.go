package signin

import (
	"net/http"
	"strings"

	"idp/store"
	"idp/web/form"
	"idp/web/page"
	"idp/web/problem"
)

// EnterPath is where the links lead that let an operator into the console.
const EnterPath = "/console/enter"

const consolePath = "/console"

// forOperators is an experience without what keeps people out or asks them for something.
func forOperators(e store.Experience) store.Experience {
	d := store.DefaultExperience()
	e.Mode, e.Addresses, e.Codes = d.Mode, d.Addresses, d.Codes
	e.Terms, e.TermsOfUseURL, e.PrivacyPolicyURL = d.Terms, "", ""
	return e
}

// BeginConsole shows the first page of a request of our own: somebody wants to see a page of
// the console, to, and is not signed in there. Nothing that the operators have set for people
// keeps them out.
func (p *Pages) BeginConsole(w http.ResponseWriter, r *http.Request, to string) {
	v := p.newVisit(w, r)
	if to != consolePath && !strings.HasPrefix(to, consolePath+"/") && !strings.HasPrefix(to, consolePath+"?") {
		to = consolePath
	}
	now := p.Now()
	req := store.AuthRequest{ID: store.NewID(now), RedirectURI: p.base + to, StartedAt: now, Console: true}
	p.enter(v, req, p.self)
	data := p.view(v)
	data.Again = ownConsole
	if err := p.showAddress(v, store.PurposeConsole, http.StatusOK, data); err != nil {
		p.answer(v, err)
	}
}

// getEnter is GET /console/enter. It changes nothing: programs open links, too.
func (p *Pages) getEnter(v *visit) error {
	p.switchLanguage(v)
	v.browser = p.Browser.Ensure(v.w, v.r)
	v.client, v.look = p.self, p.looks.OfOperators(v.experience)
	data := p.view(v)
	data.Link, data.T = v.form.Get("t"), form.Token(p.enters, v.browser[:], []byte(v.form.Get("t")))
	return p.render(v, http.StatusOK, "enter", EnterPath+"?t="+v.form.Get("t"), data)
}

// postEnter is POST /console/enter: the button.
func (p *Pages) postEnter(v *visit) error {
	browser, known := p.Browser.Hash(v.r)
	if !known || !form.Matches(v.form.Get("f"), p.enters, browser[:], []byte(v.form.Get("t"))) {
		return p.getEnter(v)
	}
	link := store.HashOf([]byte(v.form.Get("t")))
	secret, session := p.Requests.Enter(link, browser)
	session.Replaces, _ = p.Browser.Console(v.r)
	err := p.Operators.EnterByLink(v.r.Context(), store.ConsoleEntry{Link: link, Browser: browser, Session: session, UserID: store.RandomText(12)})
	switch store.CodeOf(err) {
	case "":
	case store.NotFound, store.Expired, store.Used, store.Forbidden:
		return problem.New("no_entry", http.StatusGone)
	}
	if err != nil {
		return err
	}
	p.Browser.SetConsole(v.w, secret)
	page.SeeOther(v.w, p.base+consolePath)
	return nil
}
