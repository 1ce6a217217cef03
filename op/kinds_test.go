package op_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"idp/store"
)

// What stands for something in one place stands for nothing in another: of all kinds, each
// place takes its own.
func TestEachKindHasItsPlace(t *testing.T) {
	t.Parallel()
	f := setup(t)
	key := newECKey(t)
	jwks, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public()}}})
	f.must(err)
	f.client(store.Client{ID: "app", Type: store.Traditional, PKCE: true, JWKS: string(jwks), PostLogoutRedirectURIs: []string{goodbye}})
	tok := f.signInToApp("ada@example.com")
	f.begun = nil
	f.authorize("client_id", "app", "prompt", "login")
	kinds := map[string]string{
		"access token": tok.Access, "refresh token": tok.Refresh, "ID token": tok.ID, "client secret": secret,
		"code": query(t, f.authorize("client_id", "app", "prompt", "none").Header.Get("Location")).Get("code"),
		"assertion": compact(t, map[string]any{"alg": "ES256"},
			map[string]any{"iss": "app", "sub": "app", "aud": f.provider.Issuer(), "exp": time.Now().Add(time.Minute).Unix(), "jti": rand.Text()}, byES256(key)),
		"sealed request":  f.provider.Seal(f.begun[0], f.browser),
		"sealed sign-out": f.provider.SealSignOut(store.SignOut{StartedAt: f.db.Now()}, f.browser),
	}
	ok := func(r *http.Response) bool {
		if r.StatusCode >= http.StatusInternalServerError {
			t.Errorf("%s: %d", r.Request.URL.Path, r.StatusCode)
		}
		return r.StatusCode == http.StatusOK
	}
	for _, place := range []struct {
		name  string
		takes []string
		try   func(text string) bool
	}{
		{"userinfo, header", []string{"access token"}, func(s string) bool { return ok(f.get("/oidc/me", "Authorization", "Bearer "+s)) }},
		{"userinfo, body", []string{"access token"}, func(s string) bool { return ok(f.do("POST", "/oidc/me", "access_token="+url.QueryEscape(s))) }},
		{"introspection", []string{"access token", "refresh token"}, func(s string) bool { return f.introspect(s, "client_id", "app")["active"] == true }},
		{"introspection by the right hint", []string{"access token", "refresh token"}, func(s string) bool {
			return f.introspect(s, "client_id", "app", "token_type_hint", "refresh_token")["active"] == true
		}},
		{"refresh", []string{"refresh token"}, func(s string) bool { return ok(f.refresh(s, "client_id", "app")) }},
		{"id_token_hint", []string{"ID token"}, func(s string) bool {
			return query(t, f.authorize("client_id", "app", "prompt", "none", "id_token_hint", s).Header.Get("Location")).Has("code")
		}},
		{"client secret in the body", []string{"client secret"}, func(s string) bool {
			return ok(f.do("POST", "/oidc/token/revocation", "token=x&client_id=app&client_secret="+url.QueryEscape(s)))
		}},
		{"client secret in the header", []string{"client secret"}, func(s string) bool {
			r, _ := http.NewRequest(http.MethodPost, "/", nil)
			r.SetBasicAuth("app", s)
			return ok(f.do("POST", "/oidc/token/revocation", "token=x", "Authorization", r.Header.Get("Authorization")))
		}},
		{"client credentials as Bearer", nil, func(s string) bool {
			return ok(f.do("POST", "/oidc/token/introspection", "token="+tok.Access, "Authorization", "Bearer "+s))
		}},
		{"client assertion", []string{"assertion"}, func(s string) bool {
			return ok(f.do("POST", "/oidc/token/revocation", "token=x&client_assertion_type="+assertionType+"&client_assertion="+url.QueryEscape(s)))
		}},
		{"r", []string{"sealed request"}, func(s string) bool { _, err := f.provider.Open(s, f.browser); return err == nil }},
		{"o", []string{"sealed sign-out"}, func(s string) bool { _, err := f.provider.OpenSignOut(s, f.browser); return err == nil }},
		{"code", []string{"code"}, func(s string) bool { return ok(f.exchange(s, "client_id", "app")) }},
		{"sign-out", []string{"ID token"}, func(s string) bool { // the last: it ends the session
			f.end("id_token_hint", s)
			return !f.isSignedIn()
		}},
	} {
		var taken []string
		for _, kind := range []string{"access token", "refresh token", "client secret", "code", "assertion", "sealed request", "sealed sign-out", "ID token"} {
			if place.try(kinds[kind]) {
				taken = append(taken, kind)
			}
		}
		if !slices.Equal(taken, place.takes) {
			t.Errorf("%s takes %q, want %q", place.name, taken, place.takes)
		}
	}
}

// Tokens and credentials in the query are not read, and what they stand for is untouched.
func TestNothingIsReadFromTheQuery(t *testing.T) {
	t.Parallel()
	f := setup(t)
	tok := f.tokens(f.exchange(f.enter("ada@example.com", "scope", offline)))
	credentials := url.Values{"client_id": {"shop"}, "client_secret": {secret}}.Encode()
	for _, path := range []string{"/oidc/token/revocation", "/oidc/token/introspection"} {
		fails(t, f.do("POST", path+"?token="+tok.Refresh, credentials), 400, "invalid_request")
		fails(t, f.do("POST", path+"?"+credentials, "token="+tok.Refresh), 400, "invalid_request")
		fails(t, f.get(path+"?token="+tok.Refresh+"&"+credentials), 405, "invalid_request")
	}
	fails(t, f.do("POST", "/oidc/token?refresh_token="+tok.Refresh, "grant_type=refresh_token&"+credentials), 400, "invalid_request")
	fails(t, f.do("POST", "/oidc/token?"+refreshForm(tok.Refresh), ""), 400, "invalid_request")
	fails(t, f.do("POST", "/oidc/me?access_token="+tok.Access, ""), 400, "invalid_request")
	f.tokens(f.refresh(tok.Refresh))
}

// Neither the library's log nor ours holds refresh tokens, hints, assertions or states of a
// sign-out. As TestLogsHoldNoSecrets, it runs alone.
func TestLogsHoldNoRefreshTokens(t *testing.T) {
	var out lockedBuffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(before)
	f, hint := farewell(t)
	spa := f.spa()
	first := f.tokens(f.exchange(f.enter("ada@example.com", "scope", offline, "client_id", "spa"), spa...))
	second := f.tokens(f.refresh(first.Refresh, spa...))
	f.db.AdvanceForTest(time.Minute)
	f.refresh(first.Refresh, spa...)
	f.refresh(second.Refresh, spa...)
	f.refresh(second.Refresh + "MARK")
	f.refresh(second.Refresh, append(spa, "scope", "MARK", "resource", "MARK", "organization_id", "MARK")...)
	f.tokenCall("introspection", second.Access)
	f.tokenCall("introspection", "MARK", "client_secret", "MARK")
	f.tokenCall("revocation", second.Refresh, "token_type_hint", "MARK")
	_, signer := f.signingKey("ES256")
	assertion := compact(t, map[string]any{"alg": "ES256"}, map[string]any{"iss": "shop", "sub": "shop", "jti": "MARK"}, byES256(signer.(*ecdsa.PrivateKey)))
	f.assert("MARK", assertion)
	f.assert("MARK", "MARK", "client_assertion_type", "MARK")
	f.authorize("client_id", "app", "id_token_hint", hint, "prompt", "none")
	f.authorize("client_id", "app", "id_token_hint", hint+"MARK", "prompt", "none")
	f.end("id_token_hint", hint+"MARK", "client_id", "MARK", "state", "MARK")
	f.end("id_token_hint", hint, "post_logout_redirect_uri", "https://MARK.example/", "state", "MARK", "logout_hint", "ada@example.com")
	f.get("/oidc/session/end?MARK=%zz")
	logged := out.String() + f.log.String()
	for _, s := range []string{"sign-out refused", "error_code=invalid_request", "invalid_grant", "invalid_client"} {
		if !strings.Contains(logged, s) {
			t.Errorf("the log does not say %q:\n%s", s, logged)
		}
	}
	for _, s := range []string{first.Refresh, second.Refresh, first.Refresh[22:64], second.Refresh[22:64], second.Access, second.ID, hint, assertion, "MARK", "ada@"} {
		if strings.Contains(logged, s) {
			t.Errorf("%q is in the log:\n%s", s, logged)
		}
	}
}
