package op

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	exact "github.com/go-jose/go-jose/v4/json"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	zitadel "github.com/zitadel/oidc/v3/pkg/op"

	"idp/store"
)

// assertionAlgs are the algorithms of private_key_jwt. None of them takes a key that
// both sides hold, and "none" is not one.
var assertionAlgs = []string{algES256, algES384, "PS256", algRS256, algEdDSA}

// An assertion is for one request: an hour is more than enough, and what was used has
// to be remembered for as long.
const (
	maxAssertionLife = time.Hour
	assertionSkew    = time.Minute
	maxAssertion     = 8 << 10
)

// checkAssertion finds what is wrong with the form of private_key_jwt (RFC 7521
// section 4.2): it comes alone.
func checkAssertion(r *http.Request) *oidc.Error {
	form := r.PostForm
	switch {
	case form.Get("client_assertion_type") != oidc.ClientAssertionTypeJWTAssertion:
		return oidc.ErrInvalidClient().WithDescription("client_assertion_type must be %s", oidc.ClientAssertionTypeJWTAssertion)
	case form.Get("client_assertion") == "":
		return oidc.ErrInvalidClient().WithDescription("client_assertion is missing")
	case r.Header.Get("Authorization") != "" || form.Get("client_secret") != "":
		return oidc.ErrInvalidRequest().WithDescription("there is more than one kind of client credentials")
	}
	return nil
}

// assertionClaims are those of RFC 7523 section 3. They are read letter by letter, and a
// name twice is refused (RFC 7519 section 4), as encoding/json does neither.
type assertionClaims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  audience `json:"aud"`
	Expires   float64  `json:"exp"`
	NotBefore float64  `json:"nbf"`
	IssuedAt  float64  `json:"iat"`
	ID        string   `json:"jti"`
}

// audience is a string or a list of strings (RFC 7519 section 4.1.3).
type audience []string

// UnmarshalJSON implements [json.Unmarshaler].
func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// verifyAssertion authenticates a client by a JWT that it signed (OpenID Connect Core
// section 9, private_key_jwt). Each is good for one use.
func (s *server) verifyAssertion(ctx context.Context, c *zitadel.ClientCredentials) (zitadel.Client, error) {
	if len(c.ClientAssertion) > maxAssertion {
		return nil, authFailed()
	}
	token, err := jose.ParseSignedCompact(c.ClientAssertion, algorithms(assertionAlgs))
	if err != nil {
		return nil, authFailed()
	}
	var claims assertionClaims
	if err := exact.Unmarshal(token.UnsafePayloadWithoutVerification(), &claims); err != nil || !isClientID(claims.Subject) {
		return nil, authFailed()
	}
	client, err := s.store.Client(ctx, claims.Subject)
	if store.CodeOf(err) == store.NotFound {
		return nil, authFailed()
	}
	if err != nil {
		return nil, answerable(err)
	}
	knowsClient(ctx, client)
	if c.ClientID != "" && c.ClientID != client.ID || !signedBy(token, client) {
		return nil, authFailed()
	}
	now := s.store.Now()
	if err := claims.check(client.ID, []string{s.issuer, s.issuer + pathToken, s.issuer + pathRevoke, s.issuer + pathIntrospect}, now); err != nil {
		return nil, oidc.ErrInvalidClient().WithDescription("the client assertion %s", err)
	}
	err = s.store.UseAssertion(ctx, store.HashOf([]byte(client.ID+" "+claims.ID)), claims.until().Add(assertionSkew))
	switch {
	case store.CodeOf(err) == store.Used:
		return nil, oidc.ErrInvalidClient().WithDescription("the client assertion was used before")
	case err != nil:
		return nil, answerable(err)
	}
	return relyingParty{client}, nil
}

// until is the second that exp is in, at its end; an absurd one is far away.
func (c assertionClaims) until() time.Time {
	return time.Unix(int64(max(min(c.Expires, 1<<40), 0))+1, 0)
}

// check tells what is wrong with the claims of a signed assertion.
func (c assertionClaims) check(client string, audiences []string, now time.Time) error {
	seconds := func(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
	switch {
	case c.Issuer != client:
		return errors.New("has another iss than sub")
	case !slices.ContainsFunc(c.Audience, func(a string) bool { return slices.Contains(audiences, a) }):
		return errors.New("is for another aud")
	case c.ID == "" || len(c.ID) > 256:
		return errors.New("has no jti")
	case c.Expires < seconds(now.Add(-assertionSkew)):
		return errors.New("has expired")
	case c.Expires > seconds(now.Add(maxAssertionLife+assertionSkew)):
		return errors.New("lives longer than an hour")
	case c.NotBefore > seconds(now.Add(assertionSkew)), c.IssuedAt > seconds(now.Add(assertionSkew)):
		return errors.New("is from the future")
	}
	return nil
}

// ClientKeys checks a client's key set (RFC 7517 section 5) and gives it back in the
// form that is stored, with the members of public keys only.
func ClientKeys(text []byte) (string, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(text, &set); err != nil {
		return "", fmt.Errorf("read the key set: %w", err)
	}
	if len(set.Keys) == 0 {
		return "", errors.New("the key set has no key that could be read")
	}
	for _, k := range set.Keys {
		rsaKey, isRSA := k.Key.(*rsa.PublicKey)
		switch {
		case !k.Valid() || !k.IsPublic():
			return "", fmt.Errorf("key %q is not a public one: the private half stays with the app", k.KeyID)
		case k.Algorithm != "" && !slices.Contains(assertionAlgs, k.Algorithm):
			return "", fmt.Errorf("key %q is for %s: choose one of %s", k.KeyID, k.Algorithm, strings.Join(assertionAlgs, ", "))
		case isRSA && rsaKey.N.BitLen() < rsaBits: // RFC 7518 section 3.3
			return "", fmt.Errorf("key %q is shorter than %d bits", k.KeyID, rsaBits)
		}
	}
	out, err := json.Marshal(set)
	return string(out), err
}

// signedBy tells whether one of a client's keys signed the token.
func signedBy(token *jose.JSONWebSignature, client store.Client) bool {
	var set jose.JSONWebKeySet
	if client.JWKS == "" || json.Unmarshal([]byte(client.JWKS), &set) != nil {
		return false
	}
	header := token.Signatures[0].Header
	for _, key := range set.Keys {
		if header.KeyID != "" && key.KeyID != "" && header.KeyID != key.KeyID || key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		if _, err := token.Verify(key.Key); err == nil {
			return true
		}
	}
	return false
}

func algorithms(names []string) (algs []jose.SignatureAlgorithm) {
	for _, n := range names {
		algs = append(algs, jose.SignatureAlgorithm(n))
	}
	return algs
}
