package op

import (
	"context"
	"net/http"
	"net/url"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	zitadel "github.com/zitadel/oidc/v3/pkg/op"

	"idp/store"
)

// checkCredentials finds what is wrong with the form of the credentials, before
// the library reads them: it would quote parts of them in its log.
func checkCredentials(r *http.Request) *oidc.Error {
	form := r.PostForm
	if form.Has("client_assertion") || form.Has("client_assertion_type") {
		return checkAssertion(r)
	}
	if len(r.Header.Values("Authorization")) > 1 {
		return oidc.ErrInvalidRequest().WithDescription("more than one Authorization header")
	}
	if r.Header.Get("Authorization") == "" {
		if form.Get("client_id") == "" {
			return oidc.ErrInvalidRequest().WithDescription("client_id is missing")
		}
		return nil
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		return oidc.ErrInvalidClient().WithDescription("the Authorization header is not Basic")
	}
	id, err := url.QueryUnescape(id) // RFC 6749 section 2.3.1; ids and secrets here have nothing to escape
	if _, err2 := url.QueryUnescape(secret); err != nil || err2 != nil || id == "" {
		return oidc.ErrInvalidClient().WithDescription("the Basic credentials are not well-formed")
	}
	if form.Get("client_secret") != "" { // RFC 6749 section 2.3: one method
		return oidc.ErrInvalidRequest().WithDescription("client credentials are in the header and in the body")
	}
	if body := form.Get("client_id"); body != "" && body != id { // Logto's Node SDK repeats the id
		return oidc.ErrInvalidRequest().WithDescription("the client_id in the body is not the one in the header")
	}
	return nil
}

// authFailed does not tell what was wrong.
func authFailed() *oidc.Error {
	return oidc.ErrInvalidClient().WithDescription("client authentication failed")
}

// VerifyClient authenticates the client of a call: by secret, in header or body, or by
// an assertion if it is confidential; by nothing if it is public.
func (s *server) VerifyClient(ctx context.Context, r *zitadel.Request[zitadel.ClientCredentials]) (zitadel.Client, error) {
	failed := authFailed()
	if r.Data.ClientAssertion != "" {
		return s.verifyAssertion(ctx, r.Data)
	}
	if !isClientID(r.Data.ClientID) {
		return nil, failed
	}
	client, err := s.store.Client(ctx, r.Data.ClientID)
	if store.CodeOf(err) == store.NotFound {
		return nil, failed
	}
	if err != nil {
		return nil, answerable(err)
	}
	knowsClient(ctx, client)
	secret := r.Data.ClientSecret
	switch {
	case client.Type.Confidential():
		if !s.hasSecret(client, secret) {
			return nil, failed
		}
	case secret != "":
		return nil, oidc.ErrInvalidClient().WithDescription("this client is a public one: it has no secret to send")
	}
	return relyingParty{client}, nil
}

// hasSecret compares with every live secret, in constant time, and notes which one was
// used.
func (p *Provider) hasSecret(c store.Client, secret string) bool {
	hash, now := store.HashOf([]byte(secret)), p.store.Now()
	found := false
	for _, s := range c.Secrets {
		if s.Hash.Equal(hash) && (s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt)) {
			found = true
			p.used.note(s.ID, now)
		}
	}
	return found && secret != ""
}
