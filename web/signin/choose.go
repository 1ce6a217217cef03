package signin

import (
	"net/http"

	"idp/store"
	"idp/store/address"
	"idp/web/form"
	"idp/web/page"
)

// Choose asks whether to go on as the person who is signed in: the app wants that
// asked, or has named somebody else.
func (p *Pages) Choose(w http.ResponseWriter, r *http.Request, req store.AuthRequest, client store.Client, session store.Session) {
	v := p.newVisit(w, r)
	p.enter(v, req, client)
	data := p.view(v)
	data.Email = page.Address(session.User.Email)
	if hint, err := address.Parse(req.LoginHint); err == nil && hint != session.User.Email {
		data.Hint, data.Hinted = page.Address(hint), v.address("/sign-in")
	}
	data.Other = v.address("/sign-in", "other", "1")
	data.T = form.Token(p.choices, v.browser[:], session.Hash[:])
	// In another language the app's request is asked anew: only its handler knows the
	// session.
	if err := p.render(v, http.StatusOK, "choose", page.Requested(r), data); err != nil {
		p.answer(v, err)
	}
}

// postChoose is POST /choose: the person goes on as who is signed in. If that is
// somebody else by now, from another tab, the choice was not theirs.
func (p *Pages) postChoose(v *visit) error {
	if err := p.open(v); err != nil {
		return err
	}
	session, ok := p.Browser.Session(v.r)
	if !ok || !form.Matches(v.form.Get("t"), p.choices, v.browser[:], session[:]) {
		return seeOther(v, v.address("/sign-in"))
	}
	location, err := p.Requests.Continue(v.r, v.request, session, v.browser)
	if store.CodeOf(err) == store.NotFound {
		return seeOther(v, v.address("/sign-in"))
	}
	if err != nil {
		return err
	}
	return seeOther(v, location)
}
