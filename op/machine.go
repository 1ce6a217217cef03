package op

import (
	"context"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	zitadel "github.com/zitadel/oidc/v3/pkg/op"

	"idp/store"
)

// ClientCredentialsExchange gives a machine an access token for a resource (RFC 6749
// section 4.4, RFC 8707): what its roles let it do there, or the part of that it asks for.
// Nothing is written: client, resource and scopes come from the cache of the store.
func (s *server) ClientCredentialsExchange(ctx context.Context, r *zitadel.ClientRequest[oidc.ClientCredentialsRequest]) (*zitadel.Response, error) {
	client := r.Client.(relyingParty).Client
	if err := noOrganization(r.Form); err != nil {
		return nil, err
	}
	resource, err := s.target(ctx, r.Form["resource"])
	switch {
	case err != nil:
		return nil, err
	case resource.ID == "":
		return nil, badTarget("resource is missing: it names the API that the token is for")
	}
	granted, err := s.store.MachineScopes(ctx, client.ID, resource.ID)
	if err != nil {
		return nil, answerable(err)
	}
	sign, err := s.signerFor(ctx, client.IDTokenAlg)
	if err != nil {
		return nil, answerable(err)
	}
	scope := strings.Join(common(askedScopes(r.Form.Get("scope")), granted), " ")
	token, err := s.accessToken(sign, accessClaims{Subject: client.ID, Client: client.ID, Scope: scope, ID: tokenName(nil, machineTokenSize)}, resource)
	if err != nil {
		return nil, answerable(err)
	}
	return zitadel.NewResponse(tokenResponse{AccessToken: token, TokenType: oidc.BearerToken, ExpiresIn: int64(resource.AccessTTL.Seconds()), Scope: scope}), nil
}

// Machine reads an access token that a machine got for itself, for a resource with the
// indicator audience. Of the token's scopes those are given that the machine's roles still
// allow. The error is [store.Invalid] if the token is anything else, or not good any more.
func (p *Provider) Machine(ctx context.Context, token, audience string) (client string, scopes []string, err error) {
	c, err := p.readAccessToken(ctx, token)
	if err != nil {
		return "", nil, err
	}
	if !c.isMachine() || c.Audience != audience {
		return "", nil, &store.Error{Code: store.Invalid, Op: "read token of a machine"}
	}
	resource, err := p.store.ResourceAt(ctx, audience)
	if store.CodeOf(err) == store.NotFound {
		return "", nil, &store.Error{Code: store.Invalid, Op: "read token of a machine"}
	}
	if err != nil {
		return "", nil, err
	}
	granted, err := p.store.MachineScopes(ctx, c.Client, resource.ID)
	return c.Client, common(strings.Fields(c.Scope), granted), err
}

// askedScopes reads a scope parameter; nil if nothing is asked for.
func askedScopes(text string) []string {
	if asked := strings.Fields(text); len(asked) > 0 {
		return asked
	}
	return nil
}

// common is what is granted of what is asked for, nil for all, in the order of what is
// granted.
func common(asked, granted []string) []string {
	if asked == nil {
		return granted
	}
	return slices.DeleteFunc(slices.Clone(granted), func(s string) bool { return !slices.Contains(asked, s) })
}
