package op

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"idp/store"
)

// signOutFresh is how long the question whether to sign out can be answered.
const signOutFresh = time.Hour

// SealSignOut makes the field o of the form that asks whether to sign out, bound to a
// browser.
func (p *Provider) SealSignOut(out store.SignOut, browser store.Hash) string {
	return seal(p.signOuts, browser, &out, &out.State)
}

// OpenSignOut reads what [Provider.SealSignOut] made for this browser. A URI that was
// taken from its client since is left out. Errors: [store.Expired] after an hour,
// [store.Invalid] when it was changed or belongs to another browser; others of the store.
func (p *Provider) OpenSignOut(sealed string, browser store.Hash) (store.SignOut, error) {
	const op = "open sign-out"
	var out store.SignOut
	if !open(p.signOuts, browser, sealed, &out, &out.State) {
		return store.SignOut{}, &store.Error{Code: store.Invalid, Op: op}
	}
	if p.store.Now().Sub(out.StartedAt) > signOutFresh {
		return store.SignOut{}, &store.Error{Code: store.Expired, Op: op}
	}
	if out.RedirectURI == "" {
		return out, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	client, err := p.store.Client(ctx, out.Client)
	switch {
	case store.CodeOf(err) == store.NotFound, err == nil && !slices.Contains(client.PostLogoutRedirectURIs, out.RedirectURI):
		out.RedirectURI = ""
	case err != nil:
		return store.SignOut{}, err
	}
	return out, nil
}

// SignOutRedirect is where the browser goes after a sign-out: the client's URI as it was
// registered, with the state (RP-Initiated Logout section 3), or "" for our own page.
func (p *Provider) SignOutRedirect(out store.SignOut) string {
	if out.RedirectURI == "" || !out.HasState {
		return out.RedirectURI
	}
	join := "?"
	if strings.Contains(out.RedirectURI, "?") {
		join = "&"
	}
	return out.RedirectURI + join + "state=" + url.QueryEscape(out.State)
}
