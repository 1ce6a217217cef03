package op_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"idp/store"
)

// An unmodified client verifies what each algorithm signs, against discovery and
// the published keys.
func TestIDTokenVerifies(t *testing.T) {
	t.Parallel()
	f := setup(t)
	issuer, err := oidc.NewProvider(t.Context(), f.provider.Issuer())
	f.must(err)
	for _, alg := range []string{"ES256", "RS256", "ES384", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			id := strings.ToLower(alg)
			f.client(store.Client{ID: id, Type: store.Traditional, PKCE: true, IDTokenAlg: alg})
			got := f.tokens(f.exchange(f.code("client_id", id, "nonce", "n-0S6_WzA2Mj<&>"), "client_id", id))
			token, err := issuer.Verifier(&oidc.Config{ClientID: id, SupportedSigningAlgs: []string{alg}}).Verify(t.Context(), got.ID)
			f.must(err)
			f.must(token.VerifyAccessToken(got.Access))
			if token.Nonce != "n-0S6_WzA2Mj<&>" || token.Subject == "" {
				t.Errorf("%+v", token)
			}
		})
	}
}

func TestIDTokenClaims(t *testing.T) {
	t.Parallel()
	f := setup(t)
	header, claims := parts(t, f.tokens(f.exchange(f.code("nonce", "n"))).ID)
	if header["typ"] != "JWT" || header["alg"] != "ES256" || len(header["kid"].(string)) != 43 || len(header) != 3 {
		t.Errorf("header %v", header)
	}
	now := float64(time.Now().Unix())
	want := map[string]any{"iss": f.provider.Issuer(), "aud": "shop", "nonce": "n", "email": "ada@example.com", "email_verified": true}
	for name, v := range want {
		if claims[name] != v {
			t.Errorf("%s is %v, want %v", name, claims[name], v)
		}
	}
	for _, name := range []string{"iat", "auth_time", "created_at", "updated_at"} {
		if at, ok := claims[name].(float64); !ok || at < now-5 || at > now+1 {
			t.Errorf("%s is %v", name, claims[name])
		}
	}
	if claims["exp"].(float64) != claims["iat"].(float64)+3600 {
		t.Error("exp")
	}
	if amr, _ := claims["amr"].([]any); len(amr) != 1 || amr[0] != "otp" {
		t.Errorf("amr %v", claims["amr"])
	}
	if sub, _ := claims["sub"].(string); len(sub) != 12 {
		t.Errorf("sub %v", claims["sub"])
	}
	for _, absent := range []string{"name", "username", "picture", "acr"} {
		if _, there := claims[absent]; there {
			t.Errorf("%s is there", absent)
		}
	}
	if len(claims) != 14 {
		t.Errorf("claims %v", claims)
	}
}

func TestIDTokenScopesAndSession(t *testing.T) {
	t.Parallel()
	f := setup(t)
	_, claims := parts(t, f.tokens(f.exchange(f.code("scope", "openid"))).ID)
	for _, absent := range []string{"email", "email_verified", "created_at", "updated_at", "nonce"} {
		if _, there := claims[absent]; there {
			t.Errorf("%s is there", absent)
		}
	}
	f.begun = nil
	f.authorize()
	finish := f.signIn(f.begun[0])
	_, claims = parts(t, f.tokens(f.exchange(query(t, finish.Redirect).Get("code"))).ID)
	hash := finish.Completion.Session.Hash
	sum := sha256.Sum256(append([]byte("sid"), hash[:]...))
	if claims["sid"] != base64.RawURLEncoding.EncodeToString(sum[:16]) {
		t.Errorf("sid %v", claims["sid"])
	}
}

func parts(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	p := strings.Split(token, ".")
	if len(p) != 3 {
		t.Fatalf("no JWT: %s", token)
	}
	for i, into := range []*map[string]any{&header, &claims} {
		b, err := base64.RawURLEncoding.Strict().DecodeString(p[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, into); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}
