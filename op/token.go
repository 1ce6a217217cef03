package op

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	zitadel "github.com/zitadel/oidc/v3/pkg/op"

	"idp/store"
)

// tokenCall checks the form of a call to the token endpoint.
func tokenCall(r *http.Request) *oidc.Error {
	if err := checkCredentials(r); err != nil {
		return err
	}
	switch r.PostForm.Get("grant_type") {
	case string(oidc.GrantTypeCode), string(oidc.GrantTypeRefreshToken), string(oidc.GrantTypeClientCredentials):
		return nil
	case "":
		return oidc.ErrInvalidRequest().WithDescription("grant_type is missing")
	}
	return oidc.ErrUnsupportedGrantType().WithDescription("this grant_type is not supported")
}

// tokenResponse is RFC 6749 section 5.1 and OpenID Connect Core section 3.1.3.3.
type tokenResponse struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	IDToken      string `json:"id_token,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"` // always: Logto's JS SDK drops its cache without it
}

// An access token is the id of its grant, by which it is found, and 256 random
// bits, of which the database keeps a hash.
const accessTokenSize = len(store.ID{}) + 32

// CodeExchange redeems an authorization code. Whether it is right, and that it is
// redeemed once, is decided by one statement of the store; here only shapes are
// looked at, so that nonsense costs no query.
func (s *server) CodeExchange(ctx context.Context, r *zitadel.ClientRequest[oidc.AccessTokenRequest]) (*zitadel.Response, error) {
	client := r.Client.(relyingParty).Client
	code, okCode := decode(r.Data.Code, 32)
	challenge, okVerifier := challengeOf(r.Data.CodeVerifier)
	if !okCode || !okVerifier || !isText(r.Data.RedirectURI) { // no database takes NUL or broken UTF-8
		return nil, badGrant()
	}
	// Before the code is spent: without a resource that is known, or a key, nothing can be
	// issued.
	resource, err := s.codeTarget(ctx, r.Form["resource"], store.HashOf(code), client.ID)
	if err != nil {
		return nil, err
	}
	sign, err := s.signerFor(ctx, client.IDTokenAlg)
	if err != nil {
		return nil, answerable(err)
	}
	secret, refresh := newSecret(), newSecret()
	grant, err := s.store.RedeemCode(ctx, store.Redemption{
		Code: store.HashOf(code), Client: client.ID, RedirectURI: r.Data.RedirectURI, Challenge: challenge,
		Grant: store.NewID(s.store.Now()), Access: store.HashOf(secret[:]), AccessTTL: s.config.AccessTTL,
		Refresh: store.NewRefresh{
			Hash: store.HashOf(refresh[:]), Always: client.AlwaysRefresh, Idle: s.config.RefreshIdle, Absolute: s.config.RefreshAbsolute,
		},
		Resource: resource.ID, Attempt: newSecret(),
	})
	switch store.CodeOf(err) {
	case store.NotFound:
		return nil, badGrant()
	case store.Used:
		return nil, oidc.ErrInvalidGrant().WithDescription("the code was used before; what it gave is revoked")
	}
	if err != nil {
		return nil, answerable(err)
	}
	access := s.opaque(grant, secret)
	if resource.ID != "" {
		if access, err = s.accessFrom(sign, grant, nil, resource); err != nil {
			return nil, answerable(err)
		}
	}
	response, err := s.tokens(sign, grant, access)
	if err != nil {
		return nil, answerable(err)
	}
	if client.AlwaysRefresh || slices.Contains(grant.Scopes, scopeOffline) {
		response.RefreshToken = s.refreshToken(grant.ID, refresh)
	}
	return zitadel.NewResponse(response), nil
}

// badGrant does not tell which part was wrong.
func badGrant() *oidc.Error {
	return oidc.ErrInvalidGrant().WithDescription("the code is wrong, expired, or not for this client, redirect_uri and code_verifier")
}

// codeTarget is the resource that a code is redeemed for, one of those that it was asked for
// with; the zero one if none is named.
func (s *server) codeTarget(ctx context.Context, indicators []string, code store.Hash, client string) (store.Resource, error) {
	resource, err := s.target(ctx, indicators)
	if err != nil || resource.ID == "" {
		return resource, err
	}
	asked, err := s.store.CodeResources(ctx, code, client)
	switch {
	case store.CodeOf(err) == store.NotFound:
		return resource, badGrant()
	case err != nil:
		return resource, answerable(err)
	case !slices.Contains(asked, resource.Indicator):
		return resource, notAsked()
	}
	return resource, nil
}

func notAsked() *oidc.Error { return badTarget("the sign-in did not ask for this API resource") }

func (p *Provider) tokens(sign *signer, grant store.Grant, a access) (tokenResponse, error) {
	out := tokenResponse{AccessToken: a.token, TokenType: oidc.BearerToken, ExpiresIn: int64(a.expires.Seconds()), Scope: a.scope}
	if !slices.Contains(grant.Scopes, scopeOpenID) {
		return out, nil
	}
	var err error
	out.IDToken, err = p.idToken(sign, grant, out.AccessToken)
	return out, err
}

// challengeOf gives the S256 challenge of a verifier (RFC 7636 section 4.2), ""
// when none was sent. A code that was asked for without a challenge is then not
// found by one sent with a verifier, nor the reverse (RFC 9700 section 2.1.1).
func challengeOf(verifier string) (string, bool) {
	if verifier == "" {
		return "", true
	}
	if len(verifier) < 43 || len(verifier) > 128 || !isBase64URL(strings.NewReplacer(".", "-", "~", "-").Replace(verifier)) {
		return "", false
	}
	sum := sha256.Sum256([]byte(verifier))
	return encode(sum[:]), true
}

// decode reads n bytes in base64url.
func decode(text string, n int) ([]byte, bool) {
	if len(text) != base64.RawURLEncoding.EncodedLen(n) {
		return nil, false
	}
	b, err := store.DecodeBase64URL(text)
	return b, err == nil && len(b) == n
}
