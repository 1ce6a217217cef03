package op_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"idp/op"
	"idp/store"
)

func newECKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, signer jose.Signer, claims map[string]any) string {
	t.Helper()
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	out, err := token.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func signerWith(t *testing.T, alg jose.SignatureAlgorithm, key any) jose.Signer {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// keyed is a client that proves itself by a key, and what signs for it.
func (f *fixture) keyed() (jose.Signer, func(changes ...any) map[string]any) {
	f.Helper()
	key := newECKey(f.T)
	public, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: newECKey(f.T).Public(), KeyID: "old"}, {Key: key.Public(), KeyID: "new"}}})
	f.must(err)
	jwks, err := op.ClientKeys(public)
	f.must(err)
	f.client(store.Client{ID: "keyed", Type: store.Traditional, PKCE: true, JWKS: jwks})
	claims := func(changes ...any) map[string]any {
		now := f.db.Now()
		c := map[string]any{"iss": "keyed", "sub": "keyed", "aud": f.provider.Issuer(), "exp": now.Add(time.Minute).Unix(), "iat": now.Unix(), "jti": rand.Text()}
		for i := 0; i < len(changes); i += 2 {
			if changes[i+1] == nil {
				delete(c, changes[i].(string))
			} else {
				c[changes[i].(string)] = changes[i+1]
			}
		}
		return c
	}
	return signerWith(f.T, jose.ES256, key), claims
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

func (f *fixture) assert(code, assertion string, changes ...string) *http.Response {
	f.Helper()
	return f.exchange(code, append([]string{"client_id", "-", "client_secret", "-", "client_assertion", assertion, "client_assertion_type", assertionType}, changes...)...)
}

func TestClientAssertion(t *testing.T) {
	t.Parallel()
	f := setup(t)
	signer, claims := f.keyed()
	for name, c := range map[string]struct{ aud, form any }{
		"issuer":         {f.provider.Issuer(), "-"},
		"token endpoint": {f.provider.Issuer() + "/token", "keyed"},
		"a list":         {[]string{"https://elsewhere.example", f.provider.Issuer()}, "keyed"},
	} {
		t.Run(name, func(t *testing.T) {
			f.tokens(f.assert(f.enter("ada@example.com", "client_id", "keyed"), sign(t, signer, claims("aud", c.aud)), "client_id", c.form.(string)))
		})
	}
	tok := f.tokens(f.assert(f.enter("ada@example.com", "client_id", "keyed", "scope", offline), sign(t, signer, claims())))
	form := func(more string) string {
		return more + "&client_assertion_type=" + assertionType + "&client_assertion=" + sign(t, signer, claims())
	}
	tok = f.tokens(f.do("POST", "/oidc/token", form("grant_type=refresh_token&refresh_token="+tok.Refresh)))
	var out struct{ Active bool }
	f.must(json.NewDecoder(f.do("POST", "/oidc/token/introspection", form("token="+tok.Access)).Body).Decode(&out))
	if !out.Active {
		t.Error("introspection with an assertion")
	}
	if r := f.do("POST", "/oidc/token/revocation", form("token="+tok.Refresh)); r.StatusCode != http.StatusOK {
		t.Errorf("revocation: %d", r.StatusCode)
	}
}

func TestClientAssertionRefusals(t *testing.T) {
	t.Parallel()
	f := setup(t)
	signer, claims := f.keyed()
	code := f.enter("ada@example.com", "client_id", "keyed")
	now := f.db.Now()
	good := sign(t, signer, claims())
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	f.must(err)
	text, err := json.Marshal(claims())
	f.must(err)
	double, err := signer.Sign([]byte(strings.Replace(string(text), `{`, `{"exp":7,`, 1)))
	f.must(err)
	twice, err := double.CompactSerialize()
	f.must(err)
	for name, assertion := range map[string]string{
		"garbage":         "x",
		"empty":           "",
		"long":            strings.Repeat("a", 9000),
		"another key":     sign(t, signerWith(t, jose.ES256, newECKey(t)), claims()),
		"another RSA key": sign(t, signerWith(t, jose.RS256, rsaKey), claims()),
		"unsigned":        unsigned(good),
		"a shared secret": sign(t, signerWith(t, jose.HS256, []byte(secret)), claims()),
		"changed":         good[:len(good)-4] + "AAAA",
		"no exp":          sign(t, signer, claims("exp", nil)),
		"expired":         sign(t, signer, claims("exp", now.Add(-2*time.Minute).Unix())),
		"lives for years": sign(t, signer, claims("exp", now.Add(9000*time.Hour).Unix())),
		"from the future": sign(t, signer, claims("iat", now.Add(time.Hour).Unix())),
		"not yet":         sign(t, signer, claims("nbf", now.Add(time.Hour).Unix())),
		"no jti":          sign(t, signer, claims("jti", nil)),
		"no aud":          sign(t, signer, claims("aud", nil)),
		"another aud":     sign(t, signer, claims("aud", "https://elsewhere.example")),
		"number for aud":  sign(t, signer, claims("aud", 7)),
		"another iss":     sign(t, signer, claims("iss", "shop")),
		"another client":  sign(t, signer, claims("iss", "shop", "sub", "shop")),
		"nobody":          sign(t, signer, claims("iss", "nobody", "sub", "nobody")),
		"odd sub":         sign(t, signer, claims("sub", "a b\x00")),
		"iss in capitals": sign(t, signer, claims("iss", nil, "ISS", "keyed")),
		"exp twice":       twice,
	} {
		t.Run(name, func(t *testing.T) { fails(t, f.assert(code, assertion), 401, "invalid_client") })
	}
	fails(t, f.assert(code, good, "client_id", "shop"), 401, "invalid_client")
	fails(t, f.assert(code, good, "client_assertion_type", "x"), 401, "invalid_client")
	fails(t, f.assert(code, good, "client_assertion_type", "-"), 401, "invalid_client")
	fails(t, f.assert(code, good, "client_secret", secret), 400, "invalid_request")
	fails(t, f.do("POST", "/oidc/token", exchangeForm(code, "client_secret", "-", "client_id", "-", "client_assertion", good, "client_assertion_type", assertionType),
		"Authorization", "Basic c2hvcDp4"), 400, "invalid_request")
	f.outage.down.Store(true)
	fails(t, f.assert(code, good), 503, "temporarily_unavailable")
	f.outage.down.Store(false)
	f.tokens(f.assert(code, good)) // none of it burnt code or assertion
	fails(t, f.assert(code, good), 401, "invalid_client")
}

func TestClientKeys(t *testing.T) {
	t.Parallel()
	short, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // that is what is refused
	if err != nil {
		t.Fatal(err)
	}
	for name, keys := range map[string][]jose.JSONWebKey{
		"none":       {},
		"private":    {{Key: newECKey(t)}},
		"symmetric":  {{Key: []byte("0123456789abcdef0123456789abcdef")}},
		"other alg":  {{Key: newECKey(t).Public(), Algorithm: "ES512"}},
		"short RSA":  {{Key: short.Public()}},
		"second bad": {{Key: newECKey(t).Public()}, {Key: newECKey(t)}},
	} {
		text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := op.ClientKeys(text); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	for _, text := range []string{"", "x", `{"keys":7}`, `{}`, `{"keys":[{"kty":"EC"}]}`} {
		if _, err := op.ClientKeys([]byte(text)); err == nil {
			t.Errorf("%q: taken", text)
		}
	}
}

// An assertion is remembered until after its last moment, fractions of seconds included.
func TestAssertionAtItsEnd(t *testing.T) {
	t.Parallel()
	f := setup(t)
	signer, claims := f.keyed()
	exp := float64(f.db.Now().Unix()+60) + 0.9
	assertion := sign(t, signer, claims("exp", exp))
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}, "client_assertion_type": {assertionType}, "client_assertion": {assertion}}.Encode()
	use := func() string {
		b, _ := io.ReadAll(f.do(http.MethodPost, "/oidc/token", form).Body)
		return string(b)
	}
	if text := use(); !strings.Contains(text, "invalid_grant") {
		t.Fatal(text)
	}
	f.db.AdvanceForTest(time.UnixMilli(int64((exp+60)*1000) - 700).Sub(f.db.Now()))
	for range 40 {
		_, err := f.db.Purge(t.Context(), 1000)
		f.must(err)
	}
	if text := use(); strings.Contains(text, "invalid_grant") {
		t.Error("the assertion was taken a second time")
	}
}
