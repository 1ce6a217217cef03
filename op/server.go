package op

import (
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	zitadel "github.com/zitadel/oidc/v3/pkg/op"

	"idp/store"
)

// server is the provider as the library's router calls it. Each grant and each
// endpoint for programs is a method on it.
type server struct {
	zitadel.UnimplementedServer
	*Provider
}

var _ zitadel.Server = (*server)(nil)

// relyingParty shows a client to the library, which asks it only for its grant
// types and how it authenticates; the rest of the interface serves flows of the
// library that are not used here.
type relyingParty struct{ store.Client }

var _ zitadel.Client = relyingParty{}

// GetID implements the library's Client, as all methods below.
func (c relyingParty) GetID() string { return c.ID }

// GrantTypes are the grants that this kind of client may use.
func (c relyingParty) GrantTypes() []oidc.GrantType {
	if c.Type == store.Machine {
		return []oidc.GrantType{oidc.GrantTypeClientCredentials}
	}
	return []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken}
}

// AuthMethod tells confidential clients from public ones.
func (c relyingParty) AuthMethod() oidc.AuthMethod {
	if c.Type.Confidential() {
		return oidc.AuthMethodBasic
	}
	return oidc.AuthMethodNone
}

// ApplicationType maps Logto's types.
func (c relyingParty) ApplicationType() zitadel.ApplicationType {
	switch c.Type {
	case store.Native:
		return zitadel.ApplicationTypeNative
	case store.SPA:
		return zitadel.ApplicationTypeUserAgent
	}
	return zitadel.ApplicationTypeWeb
}

func all(scopes []string) []string { return scopes }

func (c relyingParty) RedirectURIs() []string           { return c.Client.RedirectURIs }
func (c relyingParty) PostLogoutRedirectURIs() []string { return c.Client.PostLogoutRedirectURIs }
func (c relyingParty) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (c relyingParty) LoginURL(string) string                   { return "" }
func (c relyingParty) AccessTokenType() zitadel.AccessTokenType { return zitadel.AccessTokenTypeBearer }
func (c relyingParty) IDTokenLifetime() time.Duration           { return 0 }
func (c relyingParty) DevMode() bool                            { return false }

//nolint:revive // the library named it
func (c relyingParty) RestrictAdditionalIdTokenScopes() func([]string) []string     { return all }
func (c relyingParty) RestrictAdditionalAccessTokenScopes() func([]string) []string { return all }
func (c relyingParty) IsScopeAllowed(string) bool                                   { return true }
func (c relyingParty) IDTokenUserinfoClaimsAssertion() bool                         { return false }
func (c relyingParty) ClockSkew() time.Duration                                     { return 0 }
