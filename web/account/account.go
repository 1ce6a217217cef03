package account

import (
	"net/http"

	"idp/store"
	"idp/web/form"
	"idp/web/page"
)

// Kinds of audit events.
const (
	eventSignedOut           = "user.signed_out"
	eventSignedOutEverywhere = "user.signed_out_everywhere"
	eventSessionEnded        = "session.ended"
)

// getAccount is GET /account.
func (p *Pages) getAccount(v *visit) error {
	err := p.find(v)
	if store.CodeOf(err) == store.NotFound {
		p.forget(v)
		p.deps.SignIn.BeginOwn(v.w, v.r)
		return nil
	}
	if err != nil {
		return err
	}
	data := p.view(v, accountPath)
	data.Notice = v.form.Get("done")
	return p.show(v, http.StatusOK, data)
}

// show shows the account page.
func (p *Pages) show(v *visit, status int, data *view) error {
	sessions, err := p.deps.Store.Sessions(v.r.Context(), v.session.User.ID)
	if err != nil {
		return err
	}
	p.list(v, sessions, data)
	return p.render(v, status, "account", data)
}

// own finds the session that a form is to act on. It is false where that was answered
// already: for who is not signed in by a redirect to elsewhere, for a form that is not
// this session's by the account page as it is now.
func (p *Pages) own(v *visit, elsewhere string) (bool, error) {
	err := p.find(v)
	if store.CodeOf(err) == store.NotFound {
		p.forget(v)
		page.SeeOther(v.w, elsewhere)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !p.genuine(v) {
		return false, p.stale(v)
	}
	return true, nil
}

// stale answers for a form that is out of date, or somebody else's.
func (p *Pages) stale(v *visit) error {
	data := p.view(v, accountPath)
	data.Stale = true
	return p.show(v, http.StatusForbidden, data)
}

// postHere is POST /account/sign-out. A session that went cold ends as well, with what
// hangs on it.
func (p *Pages) postHere(v *visit) error {
	end := store.Ending{Session: v.hash, Offline: true, Event: eventSignedOut}
	ok, err := p.leaveCold(v, end, signedOutPath)
	if ok || err != nil {
		return err
	}
	if ok, err := p.own(v, signedOutPath); !ok {
		return err
	}
	return p.leave(v, end, signedOutPath)
}

// leaveCold ends what hangs on a session that is over, for a form of that session; ok
// tells that it answered.
func (p *Pages) leaveCold(v *visit, e store.Ending, to string) (ok bool, err error) {
	if err := p.find(v); store.CodeOf(err) != store.NotFound || !v.signedIn || !p.genuine(v) {
		return false, nil // whoever comes next finds the same
	}
	v.session, err = p.deps.Store.LastSession(v.r.Context(), v.hash, v.browser)
	if store.CodeOf(err) == store.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, p.leave(v, e, to)
}

// postEverywhere is POST /account/sign-out-everywhere. A browser whose session is over
// signs in first: "you are signed out" would be true of itself only. One that has brought
// none was told already.
func (p *Pages) postEverywhere(v *visit) error {
	elsewhere := signedOutPath
	if v.signedIn {
		elsewhere = accountPath
	}
	if ok, err := p.own(v, elsewhere); !ok {
		return err
	}
	e := store.Ending{Event: eventSignedOutEverywhere}
	e.Address, e.Former = p.deps.Addresses.Address(v.session.User.Email)
	return p.leave(v, e, signedOutPath)
}

// leave ends this browser's session, and what else the ending says.
func (p *Pages) leave(v *visit, e store.Ending, to string) error {
	e.User = v.session.User.ID
	if err := p.deps.Store.EndSessions(v.r.Context(), e); err != nil {
		return err
	}
	p.deps.Browser.ClearSession(v.w)
	page.SeeOther(v.w, to)
	return nil
}

// postSession is POST /account/sessions: it ends the session of another browser. One
// that is not there has ended already.
func (p *Pages) postSession(v *visit) error {
	if ok, err := p.own(v, accountPath); !ok {
		return err
	}
	sessions, err := p.deps.Store.Sessions(v.r.Context(), v.session.User.ID)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		if !form.Matches(v.form.Get("session"), p.names, s.Hash[:]) {
			continue
		}
		if s.Hash == v.hash {
			return p.leave(v, store.Ending{Session: v.hash, Offline: true, Event: eventSignedOut}, signedOutPath)
		}
		err := p.deps.Store.EndSessions(v.r.Context(), store.Ending{User: v.session.User.ID, Session: s.Hash, Offline: true, Event: eventSessionEnded})
		if err != nil {
			return err
		}
	}
	page.SeeOther(v.w, accountPath+"?done=ended")
	return nil
}
