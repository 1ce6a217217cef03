package op

import (
	"context"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	zitadel "github.com/zitadel/oidc/v3/pkg/op"

	"idp/store"
)

// find reads the live token that a text stands for; the error is [store.NotFound] if
// it stands for none. Access and refresh tokens are told apart by their length.
func (s *server) find(ctx context.Context, text string) (store.Token, error) {
	if t, ok := s.readRefreshToken(text); ok {
		return s.store.RefreshToken(ctx, t.grant, store.HashOf(t.secret[:]))
	}
	if b, ok := decode(text, accessTokenSize); ok {
		return s.store.AccessToken(ctx, store.ID(b[:16]), store.HashOf(b[16:]))
	}
	return store.Token{}, &store.Error{Code: store.NotFound, Op: "read token"}
}

// introspection is RFC 7662 section 2.2.
type introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	Expires   int64  `json:"exp,omitempty"`
	Subject   string `json:"sub,omitempty"`
	Audience  string `json:"aud,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	Session   string `json:"sid,omitempty"`
}

// Introspect tells a confidential client about a token of its own; about every other
// it says, as about garbage, that it is not active.
func (s *server) Introspect(ctx context.Context, r *zitadel.Request[zitadel.IntrospectionRequest]) (*zitadel.Response, error) {
	caller, err := s.VerifyClient(ctx, &zitadel.Request[zitadel.ClientCredentials]{
		Method: r.Method, URL: r.URL, Header: r.Header, Form: r.Form, Data: r.Data.ClientCredentials,
	})
	if err != nil {
		return nil, err
	}
	token, err := s.find(ctx, r.Data.Token)
	switch {
	case store.CodeOf(err) == store.NotFound, err == nil && token.Client != caller.GetID():
		return zitadel.NewResponse(introspection{}), nil
	case err != nil:
		return nil, answerable(err)
	}
	out := introspection{
		Active: true, Scope: strings.Join(token.Scopes, " "), ClientID: token.Client, Expires: token.ExpiresAt.Unix(),
		Subject: token.User.ID, Audience: token.Client, Issuer: s.issuer,
	}
	if slices.Contains(token.Scopes, scopeOpenID) {
		out.Session = store.SessionID(token.Session)
	}
	if !token.Refresh {
		out.TokenType = oidc.BearerToken
	}
	return zitadel.NewResponse(out), nil
}

// Revocation ends a token (RFC 7009). What is no token, or no longer one, is as good
// as revoked; another client's stays, and its holder is told.
func (s *server) Revocation(ctx context.Context, r *zitadel.ClientRequest[oidc.RevocationRequest]) (*zitadel.Response, error) {
	client := r.Client.(relyingParty)
	end := store.Revocation{Client: client.ID, Proved: client.Type.Confidential()}
	if t, ok := s.readRefreshToken(r.Data.Token); ok {
		end.Grant, end.Token, end.Refresh, end.Genuine = t.grant, store.HashOf(t.secret[:]), true, t.genuine
	} else if b, ok := decode(r.Data.Token, accessTokenSize); ok {
		end.Grant, end.Token = store.ID(b[:16]), store.HashOf(b[16:])
	} else {
		return zitadel.NewResponse(nil), nil
	}
	issuedTo, err := s.store.RevokeToken(ctx, end)
	switch {
	case err != nil:
		return nil, answerable(err)
	case issuedTo != "" && issuedTo != r.Client.GetID():
		return nil, oidc.ErrInvalidRequest().WithDescription("the token was not issued to this client")
	}
	return zitadel.NewResponse(nil), nil
}
