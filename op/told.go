package op

import (
	"context"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	zitadel "github.com/zitadel/oidc/v3/pkg/op"
)

// told is the server with somebody who is told how requests for tokens end.
type told struct{ *server }

func (t *told) end(grant oidc.GrantType, err error) {
	switch {
	case t.asked == nil:
	case err == nil:
		t.asked(string(grant), "")
	default:
		t.asked(string(grant), string(answerable(err).ErrorType))
	}
}

// CodeExchange implements the library's Server, as the methods below.
func (t *told) CodeExchange(ctx context.Context, r *zitadel.ClientRequest[oidc.AccessTokenRequest]) (*zitadel.Response, error) {
	res, err := t.server.CodeExchange(ctx, r)
	t.end(oidc.GrantTypeCode, err)
	return res, err
}

func (t *told) RefreshToken(ctx context.Context, r *zitadel.ClientRequest[oidc.RefreshTokenRequest]) (*zitadel.Response, error) {
	res, err := t.server.RefreshToken(ctx, r)
	t.end(oidc.GrantTypeRefreshToken, err)
	return res, err
}

func (t *told) ClientCredentialsExchange(ctx context.Context, r *zitadel.ClientRequest[oidc.ClientCredentialsRequest]) (*zitadel.Response, error) {
	res, err := t.server.ClientCredentialsExchange(ctx, r)
	t.end(oidc.GrantTypeClientCredentials, err)
	return res, err
}
