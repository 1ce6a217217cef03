package op

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"idp/store"
)

// The types that our tokens say they are. One is never taken for the other: an ID token is
// no bearer token (RFC 9068 section 5).
const (
	typID     = "JWT"
	typAccess = "at+jwt" // RFC 9068 section 2.1
)

// accessClaims are the claims of an access token for a resource (RFC 9068 section 2.2).
// Logto's clients want aud and scope as strings, scope even without anything in it.
type accessClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"` // the person, or the machine itself
	Audience string `json:"aud"` // indicator of the resource
	Client   string `json:"client_id"`
	Scope    string `json:"scope"`
	ID       string `json:"jti"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// isMachine tells whether the client got it for itself. A person's id is no client's.
func (c accessClaims) isMachine() bool { return c.Subject == c.Client }

// An access token of a person is named by its grant and these many random bytes, one of a
// machine by random bytes only.
const (
	grantTokenSize   = len(store.ID{}) + 9
	machineTokenSize = 18
)

// accessToken signs an access token for a resource; the claims that time and place decide
// over are filled in. Nothing is kept of it.
func (p *Provider) accessToken(sign *signer, c accessClaims, resource store.Resource) (string, error) {
	now := p.store.Now()
	c.Issuer, c.Audience = p.issuer, resource.Indicator
	c.IssuedAt, c.Expires = now.Unix(), now.Add(resource.AccessTTL).Unix()
	claims, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("write access token: %w", err)
	}
	return sign.token(sign.access, claims)
}

// access is the access token that the token endpoint gives out for a grant.
type access struct {
	token   string
	scope   string
	expires time.Duration
}

// accessFrom makes the access token of a grant for a resource, for the scopes that are
// asked for, granted and allowed; asked is nil for all.
func (p *Provider) accessFrom(sign *signer, g store.Grant, asked []string, resource store.Resource) (access, error) {
	scope := strings.Join(common(asked, common(list(g.Scopes), g.Allowed)), " ")
	token, err := p.accessToken(sign, accessClaims{
		Subject: g.User.ID, Client: g.Client, Scope: scope, ID: tokenName(g.ID[:], grantTokenSize),
	}, resource)
	return access{token, scope, resource.AccessTTL}, err
}

// opaque is an access token for our own userinfo. Scopes of resources are none of its.
func (p *Provider) opaque(g store.Grant, secret [32]byte) access {
	return access{encode(append(g.ID[:], secret[:]...)), strings.Join(ownScopes(g.Scopes), " "), p.config.AccessTTL}
}

// ownScopes are those that are not a resource's.
func ownScopes(scopes []string) []string { return common(scopesSupported, scopes) }

// list keeps nil from meaning all.
func list(s []string) []string { return append([]string{}, s...) }

// tokenName is what a token is called by (jti), behind the id of its grant if it has one.
func tokenName(grant []byte, size int) string {
	name := make([]byte, size)
	rand.Read(name[copy(name, grant):])
	return encode(name)
}

// readAccessToken reads an access token for a resource that is good here and now, whoever
// has it and whatever it is for. Errors: [store.Invalid] for anything else, others of the
// store.
func (p *Provider) readAccessToken(ctx context.Context, text string) (c accessClaims, err error) {
	const op = "read access token"
	if err := p.readOwn(ctx, text, typAccess, &c); err != nil {
		return accessClaims{}, err
	}
	now := p.store.Now()
	if c.Issuer != p.issuer || c.Subject == "" || c.Audience == "" || c.Client == "" || now.Unix() >= c.Expires {
		return accessClaims{}, &store.Error{Code: store.Invalid, Op: op}
	}
	client, err := p.store.Client(ctx, c.Client)
	switch {
	case store.CodeOf(err) == store.NotFound:
		return accessClaims{}, &store.Error{Code: store.Invalid, Op: op}
	case err != nil:
		return accessClaims{}, err
	case (client.Type == store.Machine) != c.isMachine() || time.Unix(c.IssuedAt, 0).Add(clocksDiffer).Before(client.CreatedAt):
		return accessClaims{}, &store.Error{Code: store.Invalid, Op: op} // a later client under the same id is another
	}
	return c, nil
}

// clocksDiffer is how far two replicas' clocks are apart at most.
const clocksDiffer = 5 * time.Second

// maxToken bounds a token of ours that somebody sends back.
const maxToken = 8 << 10

// readOwn reads the claims of a token of a type that this provider signed, with a key that
// is still published. That key decides over the algorithm, not the token's header. The
// error is [store.Invalid] for anything else.
func (p *Provider) readOwn(ctx context.Context, text, typ string, claims any) error {
	invalid := &store.Error{Code: store.Invalid, Op: "read token"}
	if len(text) > maxToken {
		return invalid
	}
	token, err := jose.ParseSignedCompact(text, algorithms(algsSupported))
	if err != nil {
		return invalid
	}
	set, err := p.currentKeys(ctx)
	if err != nil {
		return err
	}
	header := token.Signatures[0].Header
	key, ok := set.published[header.KeyID]
	if !ok || key.Algorithm != header.Algorithm || header.ExtraHeaders[jose.HeaderType] != typ {
		return invalid
	}
	payload, err := token.Verify(key.Key)
	if err != nil || json.Unmarshal(payload, claims) != nil {
		return invalid
	}
	return nil
}
