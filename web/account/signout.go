package account

import (
	"cmp"
	"net/http"
	"net/url"

	"idp/store"
	"idp/web/page"
	"idp/web/serve"
)

// signOutPage is where the question whether to sign out is asked again.
func signOutPage(sealed string) string { return "/sign-out?o=" + url.QueryEscape(sealed) }

// AskSignOut asks whether to sign out: an app wants it, or a link to the end-session
// endpoint was followed, and nobody can be sure that the person does.
func (p *Pages) AskSignOut(w http.ResponseWriter, r *http.Request, out store.SignOut, session store.Session, why *store.Problem) {
	v := p.newVisit(w, r)
	v.hash, v.session = session.Hash, session
	if err := p.ask(v, out, p.deps.SignOuts.SealSignOut(out, v.browser), http.StatusOK, why); err != nil {
		p.fail(v, err)
	}
}

// ask shows the question; why says what is wrong with the app's way back, if anything.
func (p *Pages) ask(v *visit, out store.SignOut, sealed string, status int, why *store.Problem) error {
	p.speak(v, out.UILocales)
	data := p.view(v, signOutPage(sealed))
	data.O, data.Stale = sealed, status != http.StatusOK
	p.explain(v, data, why)
	if out.Client != "" {
		client, err := p.deps.Store.Client(v.r.Context(), out.Client)
		if err != nil && store.CodeOf(err) != store.NotFound { // it may be gone: then nobody asks
			return err
		}
		data.Asker = page.Name(client.Title())
	}
	if out.RedirectURI != "" { // the answer to the form leads there
		page.Protect(v.w, page.Policy{FormAction: page.FormAction(out.RedirectURI), Look: v.look}, p.https)
	}
	return p.render(v, status, "ask", data)
}

// getSignOut is GET /sign-out.
func (p *Pages) getSignOut(v *visit) error {
	sealed := v.form.Get("o")
	out, err := p.deps.SignOuts.OpenSignOut(sealed, v.browser)
	if isNotOurs(err) {
		page.SeeOther(v.w, accountPath)
		return nil
	}
	if err != nil {
		return err
	}
	err = p.find(v)
	if store.CodeOf(err) == store.NotFound {
		p.forget(v)
		page.SeeOther(v.w, signedOutPath)
		return nil
	}
	if err != nil {
		return err
	}
	return p.ask(v, out, sealed, http.StatusOK, nil)
}

// postSignOut is POST /sign-out.
func (p *Pages) postSignOut(v *visit) error {
	sealed := v.form.Get("o")
	out, err := p.deps.SignOuts.OpenSignOut(sealed, v.browser)
	unknown := isNotOurs(err)
	if err != nil && !unknown {
		return err
	}
	to := signedOutPath
	if !unknown {
		to = cmp.Or(p.deps.SignOuts.SignOutRedirect(out), to)
	}
	end := store.Ending{Session: v.hash, Client: out.Client, Event: eventSignedOut}
	if ok, err := p.leaveCold(v, end, to); ok || err != nil {
		return err
	}
	err = p.find(v)
	switch {
	case store.CodeOf(err) == store.NotFound:
		p.forget(v)
		page.SeeOther(v.w, to)
		return nil
	case err != nil:
		return err
	case unknown:
		return p.stale(v)
	case !p.genuine(v): // another session has begun here since, maybe another person's
		return p.ask(v, out, sealed, http.StatusForbidden, nil)
	}
	return p.leave(v, end, to)
}

// isNotOurs tells that a sealed sign-out is too old, or no sign-out of this browser.
func isNotOurs(err error) bool {
	code := store.CodeOf(err)
	return code == store.Invalid || code == store.Expired
}

// getSignedOut is GET /signed-out.
func (p *Pages) getSignedOut(v *visit) error {
	if v.signedIn { // again: the page would not be true
		page.SeeOther(v.w, accountPath)
		return nil
	}
	return p.render(v, http.StatusOK, "signed_out", p.view(v, signedOutPath))
}

// SignedOut says that the browser is signed out, and why it was not sent back to the
// app, if there is a reason.
func (p *Pages) SignedOut(w http.ResponseWriter, r *http.Request, why *store.Problem) {
	v := p.newVisit(w, r)
	data, status := p.view(v, signedOutPath), http.StatusOK
	if why != nil {
		status = http.StatusBadRequest
		data.Languages = page.Languages(p.languages, v.lang, page.Requested(r))
	}
	p.explain(v, data, why)
	if err := p.render(v, status, "signed_out", data); err != nil {
		p.fail(v, err)
	}
}

// explain says why the app's address to return to is not taken.
func (p *Pages) explain(v *visit, data *view, why *store.Problem) {
	if why == nil {
		return
	}
	data.Refused, data.Reference = true, serve.RequestID(v.r.Context())
	if p.loopback { // only developers are shown it
		data.Mismatch = page.NewMismatch(*why)
	}
}
