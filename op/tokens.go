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
	IssuedAt  int64  `json:"iat,omitempty"`
	Subject   string `json:"sub,omitempty"`
	Audience  string `json:"aud,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	Session   string `json:"sid,omitempty"`
	ID        string `json:"jti,omitempty"`
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
	if isJWT(r.Data.Token) {
		out, err := s.introspectJWT(ctx, r.Data.Token, caller.GetID())
		if err != nil {
			return nil, answerable(err)
		}
		return zitadel.NewResponse(out), nil
	}
	token, err := s.find(ctx, r.Data.Token)
	switch {
	case store.CodeOf(err) == store.NotFound, err == nil && token.Client != caller.GetID():
		return zitadel.NewResponse(introspection{}), nil
	case err != nil:
		return nil, answerable(err)
	}
	scopes := token.Scopes
	if !token.Refresh {
		scopes = ownScopes(scopes)
	}
	out := introspection{
		Active: true, Scope: strings.Join(scopes, " "), ClientID: token.Client, Expires: token.ExpiresAt.Unix(),
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

// isJWT tells an access token for a resource from those that are kept: nothing else here has
// dots.
func isJWT(text string) bool { return strings.Count(text, ".") == 2 }

// introspectJWT tells the client that it was issued to about an access token for a resource:
// one of a person is active while its grant is.
func (s *server) introspectJWT(ctx context.Context, text, caller string) (introspection, error) {
	c, err := s.readAccessToken(ctx, text)
	if store.CodeOf(err) == store.Invalid || err == nil && c.Client != caller {
		return introspection{}, nil
	}
	if err != nil {
		return introspection{}, err
	}
	if !c.isMachine() {
		name, ok := decode(c.ID, grantTokenSize)
		if !ok {
			return introspection{}, nil
		}
		if lives, err := s.store.GrantLives(ctx, store.ID(name[:len(store.ID{})]), c.Client); err != nil || !lives {
			return introspection{}, err
		}
	}
	return introspection{
		Active: true, Scope: c.Scope, ClientID: c.Client, TokenType: oidc.BearerToken, Expires: c.Expires, IssuedAt: c.IssuedAt,
		Subject: c.Subject, Audience: c.Audience, Issuer: c.Issuer, ID: c.ID,
	}, nil
}

// revokeJWT says that an access token for a resource cannot be ended before its time: those
// who check it do not ask here (RFC 7009 section 2.2.1).
func (s *server) revokeJWT(ctx context.Context, text, caller string) error {
	c, err := s.readAccessToken(ctx, text)
	switch {
	case store.CodeOf(err) == store.Invalid: // none, or no longer one
		return nil
	case err != nil:
		return answerable(err)
	case c.Client != caller:
		return notYours()
	}
	return &oidc.Error{ErrorType: unsupportedTokenType, Description: "an access token for an API resource ends by itself: revoke the refresh token, and no other is issued"}
}

func notYours() *oidc.Error {
	return oidc.ErrInvalidRequest().WithDescription("the token was not issued to this client")
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
		if isJWT(r.Data.Token) {
			if err := s.revokeJWT(ctx, r.Data.Token, client.ID); err != nil {
				return nil, err
			}
		}
		return zitadel.NewResponse(nil), nil
	}
	issuedTo, err := s.store.RevokeToken(ctx, end)
	switch {
	case err != nil:
		return nil, answerable(err)
	case issuedTo != "" && issuedTo != r.Client.GetID():
		return nil, notYours()
	}
	return zitadel.NewResponse(nil), nil
}
