package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// grant is what an application holds of one person. Its methods are the requests of
// an application's life; each checks that the answer is the one of a request that
// worked.
type grant struct {
	app     *app
	subject string
	tokens
}

func grantOf(s *signIn) *grant {
	return &grant{app: s.app, subject: s.subject, tokens: tokens{Access: s.access, Refresh: s.refresh}}
}

// refresh asks for new tokens and keeps them. A confidential client's refresh token
// stays the same, a public one's is replaced.
func (g *grant) refresh(ctx context.Context, c *http.Client) error {
	req, err := g.app.post(ctx, "/oidc/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {g.Refresh}})
	if err != nil {
		return err
	}
	var t tokens
	if err := call(c, req, &t); err != nil {
		return err
	}
	if claims := t.claims(); t.Access == "" || claims.Sub != g.subject || claims.Aud != g.app.ID {
		return fmt.Errorf("a refresh gave no access token, or an ID token that is not ours: %+v", claims)
	}
	if stays := t.Refresh == g.Refresh; stays != (g.app.Secret != "") {
		return fmt.Errorf("a refresh token that is to stay was replaced, or the reverse (stays: %t)", stays)
	}
	g.tokens = t
	return nil
}

// credentials asks for an access token of a machine.
func (g *grant) credentials(ctx context.Context, c *http.Client) error {
	req, err := g.app.post(ctx, "/oidc/token", url.Values{"grant_type": {"client_credentials"}, "resource": {"https://default.logto.app/api"}, "scope": {"all"}})
	if err != nil {
		return err
	}
	var t struct {
		tokens
		Scope string `json:"scope"`
	}
	if err := call(c, req, &t); err != nil {
		return err
	}
	if strings.Count(t.Access, ".") != 2 || t.Scope != "all" {
		return fmt.Errorf("a machine got no access token for the API, or one without its scope: %q", t.Scope)
	}
	return nil
}

func (g *grant) userinfo(ctx context.Context, c *http.Client) error {
	req, err := g.app.userinfo(ctx, g.Access)
	if err != nil {
		return err
	}
	var info struct{ Sub string }
	if err := call(c, req, &info); err != nil {
		return err
	}
	if info.Sub != g.subject {
		return fmt.Errorf("GET /oidc/me is about %q, want %q", info.Sub, g.subject)
	}
	return nil
}

func (g *grant) introspect(ctx context.Context, c *http.Client) error {
	req, err := g.app.post(ctx, "/oidc/token/introspection", url.Values{"token": {g.Access}})
	if err != nil {
		return err
	}
	var told struct {
		Active bool
		Sub    string
	}
	if err := call(c, req, &told); err != nil {
		return err
	}
	if !told.Active || told.Sub != g.subject {
		return fmt.Errorf("introspection of a live token says active %t, sub %q, want %q", told.Active, told.Sub, g.subject)
	}
	return nil
}

// revoke ends the access token. One that was ended before costs the same: it is
// found, and its row is written.
func (g *grant) revoke(ctx context.Context, c *http.Client) error {
	req, err := g.app.post(ctx, "/oidc/token/revocation", url.Values{"token": {g.Access}})
	if err != nil {
		return err
	}
	a, err := send(c, req)
	if err != nil {
		return err
	}
	return a.expect(http.StatusOK)
}

func (g *grant) discovery(ctx context.Context, c *http.Client) error {
	return g.document(ctx, c, "/oidc/.well-known/openid-configuration")
}

func (g *grant) keys(ctx context.Context, c *http.Client) error {
	return g.document(ctx, c, "/oidc/jwks")
}

// document fetches a whole one, as a client does that keeps none.
func (g *grant) document(ctx context.Context, c *http.Client, path string) error {
	req, err := g.app.get(ctx, path)
	if err != nil {
		return err
	}
	a, err := send(c, req)
	if err != nil {
		return err
	}
	if err := a.expect(http.StatusOK); err != nil {
		return err
	}
	if len(a.body) == 0 || a.body[0] != '{' {
		return fmt.Errorf("GET %s is no JSON object", path)
	}
	return nil
}
