package bookstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// leave sends the browser to the provider.
func (s *Shop) leave(w http.ResponseWriter, r *http.Request, extra ...oauth2.AuthCodeOption) {
	_, config, err := s.discover(r.Context())
	if err != nil {
		s.unreachable(w, err)
		return
	}
	p := pending{nonce: rand.Text(), verifier: oauth2.GenerateVerifier(), visit: rand.Text()}
	if cookie, err := r.Cookie(visitCookie); err == nil && cookie.Value != "" {
		p.visit = cookie.Value // two tabs may sign in at the same time
	}
	setCookie(w, visitCookie, p.visit, pendingTTL)
	extra = append(extra, oidc.Nonce(p.nonce), oauth2.S256ChallengeOption(p.verifier))
	http.Redirect(w, r, config.AuthCodeURL(s.sessions.begin(p), extra...), http.StatusFound)
}

// callback redeems the code that the provider sent the browser back with.
func (s *Shop) callback(w http.ResponseWriter, r *http.Request) {
	visit := ""
	if cookie, err := r.Cookie(visitCookie); err == nil {
		visit = cookie.Value
	}
	p, ok := s.sessions.take(r.FormValue("state"), visit)
	if !ok {
		if _, in := s.sessions.of(r); in { // back button, or a reload of this page
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		s.problem(w, http.StatusBadRequest, "We lost track of this sign-in",
			"It was started in another browser, used before, or the shop was restarted meanwhile. Start again.", "")
		return
	}
	switch problem := r.FormValue("error"); problem {
	case "":
	case "access_denied":
		s.problem(w, http.StatusOK, "You are not signed in", "You stopped the sign-in. Nothing was changed.", "")
		return
	default:
		s.problem(w, http.StatusBadGateway, "The sign-in did not work", "The provider answered with an error.",
			problem+": "+r.FormValue("error_description"))
		return
	}
	c, err := s.redeem(r.Context(), p, r.FormValue("iss"), r.FormValue("code"))
	if err != nil {
		s.config.Log.Warn("bookstore: sign-in failed", "err", err)
		s.problem(w, http.StatusBadGateway, "The sign-in did not work", "The provider's answer could not be used.", err.Error())
		return
	}
	s.sessions.end(r)
	setCookie(w, sessionCookie, s.sessions.open(c), sessionTTL)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// redeem turns a code into a customer: tokens, verified ID token, userinfo.
func (s *Shop) redeem(ctx context.Context, p pending, iss, code string) (customer, error) {
	provider, config, err := s.discover(ctx)
	if err != nil {
		return customer{}, err
	}
	if iss != s.config.Issuer { // RFC 9207: an answer of another provider
		return customer{}, fmt.Errorf("the answer is of issuer %q, not of %q", iss, s.config.Issuer)
	}
	ctx = oidc.ClientContext(ctx, s.client)
	tokens, err := config.Exchange(ctx, code, oauth2.VerifierOption(p.verifier))
	if err != nil {
		return customer{}, fmt.Errorf("redeem the code: %w", shorten(err))
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return customer{}, errors.New("the answer has no ID token")
	}
	idToken, err := provider.Verifier(&oidc.Config{
		ClientID:             config.ClientID,
		SupportedSigningAlgs: []string{oidc.ES256, oidc.RS256},
	}).Verify(ctx, raw)
	if err != nil {
		return customer{}, fmt.Errorf("verify the ID token: %w", err)
	}
	if idToken.Nonce != p.nonce {
		return customer{}, errors.New("the ID token belongs to another sign-in (nonce)")
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return customer{}, fmt.Errorf("ask for userinfo: %w", err)
	}
	if info.Subject != idToken.Subject {
		return customer{}, errors.New("userinfo is about somebody else")
	}
	var c customer
	var claims, answer json.RawMessage
	var who struct{ Name, Email string }
	if err := errors.Join(idToken.Claims(&claims), info.Claims(&answer), info.Claims(&who)); err != nil {
		return customer{}, err
	}
	c.Name, c.Email, c.IDToken, c.UserInfo, c.hint = who.Name, who.Email, indent(claims), indent(answer), raw
	return c, nil
}

// shorten keeps the provider's words and leaves the raw answer out.
func shorten(err error) error {
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) && answer.ErrorCode != "" {
		return fmt.Errorf("%s: %s", answer.ErrorCode, answer.ErrorDescription)
	}
	return err
}

// signOut ends the shop's session, and then has the provider end its own (OpenID
// Connect RP-Initiated Logout): the browser goes there and comes back.
func (s *Shop) signOut(w http.ResponseWriter, r *http.Request) {
	c, signedIn := s.sessions.of(r)
	s.sessions.end(r)
	setCookie(w, sessionCookie, "", -1)
	home := s.config.URL + ByePath
	if provider, _, err := s.discover(r.Context()); err == nil && signedIn {
		var endpoints struct {
			EndSession string `json:"end_session_endpoint"`
		}
		if provider.Claims(&endpoints) == nil && endpoints.EndSession != "" {
			home = endpoints.EndSession + "?" + url.Values{"id_token_hint": {c.hint}, "post_logout_redirect_uri": {home}}.Encode()
		}
	}
	http.Redirect(w, r, home, http.StatusSeeOther)
}

// indent lays JSON out for people and keeps the order it came in.
func indent(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return string(raw)
	}
	return b.String()
}
