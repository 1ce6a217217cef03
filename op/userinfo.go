package op

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	zitadel "github.com/zitadel/oidc/v3/pkg/op"

	"idp/store"
)

// userinfoCall checks how the token was sent: in the header or, with POST, in the
// body (RFC 6750 section 2), never in the query, never twice.
func userinfoCall(r *http.Request) *oidc.Error {
	if r.URL.Query().Has("access_token") {
		return oidc.ErrInvalidRequest().WithDescription("a token does not belong in the URL: send it as Authorization: Bearer")
	}
	header, body := r.Header.Values("Authorization"), r.PostForm.Get("access_token")
	switch {
	case len(header) == 0 && body == "":
		return badToken(nothingSent)
	case len(header) > 1 || len(header) == 1 && body != "":
		return oidc.ErrInvalidRequest().WithDescription("there is more than one access token")
	case len(header) == 1 && !isBearer(header[0]):
		return badToken("the Authorization header is not Bearer")
	}
	return nil
}

// nothingSent is what is wrong where nobody tried to authenticate.
const nothingSent = "there is no access token"

func isBearer(header string) bool {
	scheme, _, found := strings.Cut(header, " ")
	return found && strings.EqualFold(scheme, oidc.BearerToken)
}

func badToken(description string) *oidc.Error {
	return &oidc.Error{ErrorType: invalidToken, Description: description}
}

// userinfo is what the endpoint answers. The last three are Logto's: they
// are there when asked for, empty or not.
type userinfo struct {
	Subject string `json:"sub"`
	personClaims
	CustomData json.RawMessage `json:"custom_data,omitempty"`
	Identities *struct{}       `json:"identities,omitempty"`
	Roles      *[]string       `json:"roles,omitempty"`
}

// UserInfo tells who an access token stands for (OpenID Connect Core section 5.3).
func (s *server) UserInfo(ctx context.Context, r *zitadel.Request[oidc.UserInfoRequest]) (*zitadel.Response, error) {
	token, ok := decode(r.Data.AccessToken, accessTokenSize)
	if !ok {
		return nil, badToken("the access token is wrong, expired or revoked")
	}
	id := store.ID(token[:len(store.ID{})])
	found, err := s.store.AccessToken(ctx, id, store.HashOf(token[len(id):]))
	if store.CodeOf(err) == store.NotFound {
		return nil, badToken("the access token is wrong, expired or revoked")
	}
	if err != nil {
		return nil, answerable(err)
	}
	grant := found.Grant
	if r.Header.Get("Origin") != "" { // only then is the client needed, see cors.go
		client, err := s.store.Client(ctx, grant.Client)
		if err != nil {
			return nil, answerable(err)
		}
		knowsClient(ctx, client)
	}
	if !slices.Contains(grant.Scopes, scopeOpenID) {
		return nil, &oidc.Error{ErrorType: insufficientScope, Description: "the access token was not granted the scope openid"}
	}
	return zitadel.NewResponse(userinfoOf(grant)), nil
}

func userinfoOf(g store.Grant) userinfo {
	out := userinfo{Subject: g.User.ID, personClaims: claimsOf(g.User, g.Scopes)}
	for _, scope := range g.Scopes {
		switch scope {
		case scopeCustomData:
			if out.CustomData = g.User.CustomData; out.CustomData == nil {
				out.CustomData = json.RawMessage("{}")
			}
		case scopeIdentities:
			out.Identities = &struct{}{}
		case scopeRoles:
			out.Roles = rolesOf(g)
		}
	}
	return out
}

// rolesOf is the claim roles, Logto's: there where it is asked for, empty or not.
func rolesOf(g store.Grant) *[]string {
	if !slices.Contains(g.Scopes, scopeRoles) {
		return nil
	}
	roles := list(g.Roles)
	return &roles
}
