package op

import (
	"context"
	"encoding/binary"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	zitadel "github.com/zitadel/oidc/v3/pkg/op"

	"idp/store"
)

const (
	// refreshGrace is how long a replaced refresh token still gets its successor: for
	// an answer that was lost, and for tabs that refresh at the same time.
	refreshGrace = 10 * time.Second

	// Public clients get a new token at each use (RFC 9700 section 2.2.2), confidential
	// ones once theirs is this old, in percent of its life; both as in Logto.
	rotatePercent = 70
)

// A refresh token is the id of its grant, 256 bits of which the database keeps a
// hash, and a mark that it was issued here. The first one's bits are random, each
// successor's are derived from the one before: so a token presented twice has the
// same successor, on any replica, and nothing has to be kept for that. The mark tells
// an old token, whose use ends the grant, from a made-up one, whose use must not: the
// id of a grant is no secret.
const (
	markSize         = 16
	refreshTokenSize = len(store.ID{}) + 32 + markSize
)

func (p *Provider) refreshToken(grant store.ID, secret [32]byte) string {
	mark := p.genuine.Sum(grant[:], secret[:])
	return encode(slices.Concat(grant[:], secret[:], mark[:markSize]))
}

// presented is a refresh token as somebody sent it.
type presented struct {
	grant   store.ID
	secret  [32]byte
	genuine bool
}

func (p *Provider) readRefreshToken(text string) (presented, bool) {
	b, ok := decode(text, refreshTokenSize)
	if !ok {
		return presented{}, false
	}
	t := presented{grant: store.ID(b[:16]), secret: [32]byte(b[16:48])}
	for _, mark := range p.genuine.Sums(t.grant[:], t.secret[:]) {
		var sent store.Hash
		copy(sent[:], b[48:])
		clear(mark[markSize:])
		t.genuine = t.genuine || mark.Equal(sent)
	}
	return t, true
}

// RefreshToken answers a refresh token (RFC 6749 section 6, OpenID Connect Core
// section 12).
func (s *server) RefreshToken(ctx context.Context, r *zitadel.ClientRequest[oidc.RefreshTokenRequest]) (*zitadel.Response, error) {
	client := r.Client.(relyingParty).Client
	token, ok := s.readRefreshToken(r.Data.RefreshToken)
	if !ok {
		return nil, badRefresh()
	}
	if err := noOrganization(r.Form); err != nil {
		return nil, err
	}
	scopes, resource, err := s.narrowed(ctx, client, token, r.Form)
	if err != nil {
		return nil, err
	}
	sign, err := s.signerFor(ctx, client.IDTokenAlg) // before the token is replaced
	if err != nil {
		return nil, answerable(err)
	}
	next := s.refresh.Sums(token.grant[:], token.secret[:])
	ask := store.Refresh{
		Grant: token.grant, Client: client.ID, Presented: store.HashOf(token.secret[:]), Genuine: token.genuine,
		Next: hashes(next), Rotate: s.rotateAfter(client), Grace: refreshGrace, Idle: s.config.RefreshIdle,
		AccessTTL: s.config.AccessTTL, Scopes: scopes, Resource: resource.ID,
	}
	secret := s.accessFor(token, &ask)
	refreshed, err := s.store.RefreshGrant(ctx, ask)
	for tries := 1; store.CodeOf(err) == store.Conflict && tries < maxRevocationTries; tries++ {
		ask.Revoked = refreshed.Revoked
		secret = s.accessFor(token, &ask)
		refreshed, err = s.store.RefreshGrant(ctx, ask)
	}
	switch store.CodeOf(err) {
	case store.NotFound:
		return nil, badRefresh()
	case store.Conflict: // its client revokes faster than it refreshes
		return nil, &oidc.Error{ErrorType: temporarilyUnavailable, Description: "tokens of this grant are being revoked, try again shortly"}
	case store.Used:
		return nil, oidc.ErrInvalidGrant().WithDescription("the refresh token was replaced before; what it gave is revoked")
	}
	if err != nil {
		return nil, answerable(err)
	}
	var access access
	if resource.ID != "" {
		access, err = s.accessFrom(sign, refreshed.Grant, askedScopes(r.Form.Get("scope")), resource)
	} else {
		if scopes != nil {
			refreshed.Scopes = scopes
		}
		access = s.opaque(refreshed.Grant, secret)
	}
	if err != nil {
		return nil, answerable(err)
	}
	response, err := s.tokens(sign, refreshed.Grant, access)
	if err != nil {
		return nil, answerable(err)
	}
	response.RefreshToken = r.Data.RefreshToken
	if refreshed.Next >= 0 {
		response.RefreshToken = s.refreshToken(token.grant, next[refreshed.Next])
	}
	return zitadel.NewResponse(response), nil
}

func badRefresh() *oidc.Error {
	return oidc.ErrInvalidGrant().WithDescription("the refresh token is wrong, expired, revoked, or not this client's")
}

// rotateAfter is the age from which a client's refresh token is replaced at its use.
func (p *Provider) rotateAfter(c store.Client) time.Duration {
	if !c.Type.Confidential() {
		return 0
	}
	return p.config.RefreshIdle * rotatePercent / 100
}

// maxRevocationTries bounds how often a refresh is asked for anew because access tokens
// of its grant were revoked meanwhile.
const maxRevocationTries = 8

// accessFor derives the access token from the refresh token that was presented and puts
// its hash into ask: all who present it within one grace, for the same scopes, are given
// the same, unless it was revoked.
func (p *Provider) accessFor(t presented, ask *store.Refresh) [32]byte {
	slot := binary.BigEndian.AppendUint64(nil, uint64(p.store.Now().UnixNano()/int64(refreshGrace)))
	revoked := binary.BigEndian.AppendUint64(nil, uint64(ask.Revoked))
	scopes := "" // all
	if ask.Scopes != nil {
		scopes = "only " + strings.Join(ask.Scopes, " ")
	}
	secret := p.access.Sum(t.grant[:], t.secret[:], slot, []byte(scopes), revoked)
	ask.Access = store.HashOf(secret[:])
	return secret
}

func hashes(secrets []store.Hash) []store.Hash {
	out := make([]store.Hash, len(secrets))
	for i, s := range secrets {
		out[i] = store.HashOf(s[:])
	}
	return out
}

// narrowed reads what of its grant a refresh asks for: a resource, which is one of those
// that the sign-in asked for, or some of the scopes, which have to be part of the grant; nil
// stands for all of them. Scopes that mean nothing here are ignored, as everywhere, and those
// of a resource may be left out of what is granted: the answer says which it is.
func (s *server) narrowed(ctx context.Context, client store.Client, t presented, form url.Values) ([]string, store.Resource, error) {
	resource, err := s.target(ctx, form["resource"])
	if err != nil || resource.ID == "" && strings.TrimSpace(form.Get("scope")) == "" {
		return nil, resource, err
	}
	granted, resources, err := s.store.GrantAsked(ctx, t.grant, client.ID)
	switch {
	case store.CodeOf(err) == store.NotFound:
		return nil, resource, badRefresh()
	case err != nil:
		return nil, resource, answerable(err)
	case resource.ID != "" && !slices.Contains(resources, resource.Indicator):
		return nil, resource, notAsked()
	case resource.ID != "":
		return nil, resource, nil
	}
	asked, own := scopes(form.Get("scope")), ownScopes(granted)
	for _, scope := range asked {
		if !slices.Contains(own, scope) {
			return nil, resource, oidc.ErrInvalidScope().WithDescription("the scope is more than was granted")
		}
	}
	if len(asked) == len(own) {
		return nil, resource, nil
	}
	return asked, resource, nil
}
