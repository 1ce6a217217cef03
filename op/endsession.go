package op

import (
	"net/http"
	"net/url"
	"slices"

	"idp/store"
)

// endSession is GET and POST /oidc/session/end (OpenID Connect RP-Initiated Logout 1.0
// section 2).
//
// It is silent only where nobody else can have sent the person here: with an ID token
// of this very session, or for a client that holds a grant of this session, whose URI
// is registered, when the browser itself goes here. Everything else asks first, and
// nothing is redirected before the answer. Where nobody is signed in there is nothing
// to ask.
func (p *Provider) endSession(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	if err := p.takeSignOut(w, r); err != nil {
		p.showError(w, r, "sign-out", err)
	}
}

func (p *Provider) takeSignOut(w http.ResponseWriter, r *http.Request) error {
	form, err := p.takeForm(w, r, pathEndSession)
	if form == nil || err != nil {
		return err
	}
	asked, err := p.readSignOut(r, form)
	if err != nil {
		return err
	}
	session, live, err := p.lastSession(r)
	if err != nil {
		return err
	}
	silent, err := p.isSilent(r, asked, session)
	switch {
	case err != nil:
		return err
	case live && !silent:
		p.pages.AskSignOut(w, r, asked.SignOut, session, asked.problem)
		return nil
	case silent: // also where the session is over: the app's own grant may outlive it
		err = p.store.EndSessions(r.Context(), store.Ending{User: session.User.ID, Session: session.Hash, Client: asked.Client, Event: "user.signed_out"})
		if err != nil {
			return err
		}
	}
	if !session.Hash.IsZero() {
		p.browser.ClearSession(w)
	}
	p.signedOut(w, r, asked)
	return nil
}

// lastSession is the session that this browser has or had; zero if there was none, as
// far as is known.
func (p *Provider) lastSession(r *http.Request) (session store.Session, live bool, err error) {
	hash, hasSession := p.browser.Session(r)
	browser, known := p.browser.Hash(r)
	if !hasSession || !known {
		return session, false, nil
	}
	session, err = p.store.Session(r.Context(), hash, browser)
	if store.CodeOf(err) != store.NotFound {
		return session, err == nil, err
	}
	session, err = p.store.LastSession(r.Context(), hash, browser)
	if store.CodeOf(err) == store.NotFound {
		return store.Session{Hash: hash}, false, nil
	}
	return session, false, err
}

// signOut is what was asked for, and what only its first handling needs.
type signOut struct {
	store.SignOut
	hint     hint // zero: none
	problem  *store.Problem
	document bool // the browser goes here by itself; no script and no image asks
}

// readSignOut reads the parameters. What is wrong with them never keeps anybody from
// signing out; it only costs the way back, and the silence: a client, and with it a
// URI to go back to, is known by its client_id or by an ID token of ours, and both have
// to agree. A hint that is not ours takes the way back away whatever else was sent.
func (p *Provider) readSignOut(r *http.Request, form url.Values) (signOut, error) {
	dest := r.Header.Get("Sec-Fetch-Dest")
	out := signOut{SignOut: store.SignOut{StartedAt: p.store.Now(), UILocales: locales(form.Get("ui_locales"))}, document: dest == "" || dest == "document"}
	id, uri := form.Get("client_id"), form.Get("post_logout_redirect_uri")
	if duplicate(form) != "" {
		return out, nil
	}
	if text := form.Get("id_token_hint"); text != "" {
		h, ok := p.readHint(r.Context(), text)
		if !ok || id != "" && id != h.Client {
			return out, nil
		}
		id, out.hint = h.Client, h
	}
	if !isClientID(id) {
		return out, nil
	}
	client, err := p.store.Client(r.Context(), id)
	if store.CodeOf(err) == store.NotFound {
		out.hint = hint{}
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.Client = client.ID
	switch {
	case uri == "":
	case slices.Contains(client.PostLogoutRedirectURIs, uri):
		out.RedirectURI, out.State, out.HasState = uri, form.Get("state"), form.Has("state")
		if len(out.State) > maxState { // it would not fit through the question
			out.State, out.HasState = "", false
		}
	default:
		out.problem = &store.Problem{Kind: "redirect_mismatch", Client: client.ID, Sent: shown(uri), Registered: client.PostLogoutRedirectURIs}
	}
	return out, nil
}

// isSilent tells whether a session may be ended without asking.
func (p *Provider) isSilent(r *http.Request, out signOut, session store.Session) (bool, error) {
	switch {
	case out.problem != nil || out.Client == "" || session.User.ID == "":
		return false, nil
	case out.hint.Subject == session.User.ID && out.hint.Session == store.SessionID(session.Hash):
		return true, nil
	case out.hint.Subject != "" && out.hint.Subject != session.User.ID, out.RedirectURI == "", !out.document:
		return false, nil
	}
	return p.store.HoldsGrant(r.Context(), session.User.ID, session.Hash, out.Client)
}

// signedOut is the answer once there is no session.
func (p *Provider) signedOut(w http.ResponseWriter, r *http.Request, out signOut) {
	if to := p.SignOutRedirect(out.SignOut); to != "" {
		seeOther(w, to)
		return
	}
	p.pages.SignedOut(w, r, out.problem)
}
