package op_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"idp/store"
)

func (f *fixture) revoke(token string, changes ...string) {
	f.Helper()
	if r := f.tokenCall("revocation", token, changes...); r.StatusCode != http.StatusOK || r.ContentLength > 0 {
		f.Fatalf("revocation: %d", r.StatusCode)
	}
}

func (f *fixture) tokenCall(what, token string, changes ...string) *http.Response {
	f.Helper()
	form := change(url.Values{"client_id": {"shop"}, "client_secret": {secret}, "token": {token}}, changes)
	return f.do(http.MethodPost, "/oidc/token/"+what, form.Encode())
}

func (f *fixture) introspect(token string, changes ...string) (out map[string]any) {
	f.Helper()
	r := f.tokenCall("introspection", token, changes...)
	if r.StatusCode != http.StatusOK || r.Header.Get("Cache-Control") != "no-store" {
		f.Fatalf("introspection: %d %v", r.StatusCode, r.Header)
	}
	f.must(json.NewDecoder(r.Body).Decode(&out))
	return out
}

func TestIntrospection(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.client(store.Client{ID: "other", Type: store.Traditional, PKCE: true})
	tok := f.tokens(f.exchange(f.enter("ada@example.com", "scope", offline)))
	access, refresh := f.introspect(tok.Access), f.introspect(tok.Refresh, "token_type_hint", "access_token")
	id := payload(t, tok.ID)
	for name, out := range map[string]map[string]any{"access": access, "refresh": refresh} {
		if out["active"] != true || out["client_id"] != "shop" || out["sub"] != id["sub"] || out["sid"] != id["sid"] || out["scope"] != offline || out["iss"] != f.provider.Issuer() {
			t.Errorf("%s: %v", name, out)
		}
	}
	if in := access["exp"].(float64) - float64(f.db.Now().Unix()); access["token_type"] != "Bearer" || refresh["token_type"] != nil || in < 3590 || in > 3601 {
		t.Errorf("%v %v", access, refresh)
	}
	// Everything else is as garbage: inactive, and not a word more.
	for name, c := range map[string][]string{
		"garbage":                 {"x"},
		"another's access token":  {tok.Access, "client_id", "other"},
		"another's refresh token": {tok.Refresh, "client_id", "other"},
	} {
		if out := f.introspect(c[0], c[1:]...); len(out) != 1 || out["active"] != false {
			t.Errorf("%s: %v", name, out)
		}
	}
	f.client(store.Client{ID: "spa", Type: store.SPA, PKCE: true})
	fails(t, f.tokenCall("introspection", tok.Access, "client_id", "spa", "client_secret", "-"), 401, "invalid_client")
	fails(t, f.tokenCall("introspection", tok.Access, "client_secret", "-"), 401, "invalid_client")
	fails(t, f.tokenCall("introspection", tok.Access, "client_secret", "x"), 401, "invalid_client")
	fails(t, f.tokenCall("introspection", "", "token", "-"), 400, "invalid_request")
	fails(t, f.get("/oidc/token/introspection?token="+tok.Access), 405, "invalid_request")
	if r := f.do("OPTIONS", "/oidc/token/introspection", "", "Origin", shopOrigin); r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("pages may introspect")
	}
	f.db.AdvanceForTest(61 * time.Minute)
	if out := f.introspect(tok.Access); out["active"] != false {
		t.Errorf("expired: %v", out)
	}
	f.end("id_token_hint", tok.ID)
	if out := f.introspect(tok.Refresh); out["active"] != false {
		t.Errorf("signed out: %v", out)
	}
}

func TestRevocation(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.client(store.Client{ID: "other", Type: store.Traditional, PKCE: true})
	tok := f.tokens(f.exchange(f.enter("ada@example.com", "scope", offline)))
	active := func(token string) bool { return f.introspect(token)["active"] == true }

	for _, nothing := range []string{"x", tok.ID, tok.Access[:40], "\x00"} { // as good as revoked
		f.revoke(nothing)
	}
	fails(t, f.tokenCall("revocation", tok.Refresh, "client_id", "other"), 400, "invalid_request")
	fails(t, f.tokenCall("revocation", tok.Access, "client_id", "other"), 400, "invalid_request")
	fails(t, f.tokenCall("revocation", tok.Access, "client_secret", "x"), 401, "invalid_client")
	fails(t, f.tokenCall("revocation", "", "token", "-"), 400, "invalid_request")
	fails(t, f.get("/oidc/token/revocation?token="+tok.Access), 405, "invalid_request")
	if !active(tok.Access) || !active(tok.Refresh) {
		t.Fatal("revoked by somebody else")
	}
	f.revoke(tok.Access, "token_type_hint", "refresh_token") // the hint may be wrong
	if active(tok.Access) || !active(tok.Refresh) {
		t.Error("an access token goes alone")
	}
	f.revoke(tok.Access)
	// What was revoked stays so, although a refresh derives its access token.
	seen := map[string]bool{tok.Access: true}
	for range 4 {
		tok = f.tokens(f.refresh(tok.Refresh))
		if seen[tok.Access] || !active(tok.Access) {
			t.Fatal("a revoked access token is given out again")
		}
		seen[tok.Access] = true
		f.revoke(tok.Access)
	}
	for token := range seen {
		if active(token) {
			t.Error("a revoked access token lives again")
		}
	}
	tok = f.tokens(f.refresh(tok.Refresh))
	f.revoke(tok.Refresh)
	if active(tok.Access) || active(tok.Refresh) {
		t.Error("a refresh token takes the grant along")
	}
	fails(t, f.refresh(tok.Refresh), 400, "invalid_grant")

	// A browser app, from its own origin only.
	spa := f.spa()
	tok = f.tokens(f.exchange(f.enter("ada@example.com", "scope", offline, "client_id", "spa"), spa...))
	form := url.Values{"client_id": {"spa"}, "token": {tok.Refresh}}.Encode()
	if r := f.do("POST", "/oidc/token/revocation", form, "Origin", "https://evil.example"); r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%v", r.Header)
	}
	if r := f.do("POST", "/oidc/token/revocation", form, "Origin", shopOrigin); r.StatusCode != http.StatusOK || r.Header.Get("Access-Control-Allow-Origin") != shopOrigin {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	fails(t, f.refresh(tok.Refresh, spa...), 400, "invalid_grant")
}

// When a secret was used is written down later, and both live secrets are told apart.
func TestSecretsAreNoted(t *testing.T) {
	t.Parallel()
	f := setup(t)
	second := "fedcba9876543210FEDCBA9876543210"
	f.must(f.db.AddClientSecret(t.Context(), "shop", store.ClientSecret{ID: store.NewID(time.Now().Add(time.Second)), Hash: store.HashOf([]byte(second)), Prefix: second[:4]}, 1))
	f.tokens(f.exchange(f.enter("ada@example.com"), "client_secret", second))
	fails(t, f.exchange(f.enter("ada@example.com"), "client_secret", "x"), 401, "invalid_client")
	f.provider.NoteUsedForTest(t.Context())
	f.changeClient("shop", func(*store.Client) {}) // empties the cache
	c, err := f.db.Client(t.Context(), "shop")
	f.must(err)
	if len(c.Secrets) != 2 || c.Secrets[0].UsedAt.IsZero() || !c.Secrets[1].UsedAt.IsZero() {
		t.Errorf("%+v", c.Secrets)
	}
	f.tokens(f.exchange(f.enter("ada@example.com"))) // the first one still works
}

func TestOutageOfTokenCalls(t *testing.T) {
	t.Parallel()
	f := setup(t)
	tok := f.tokens(f.exchange(f.enter("ada@example.com", "scope", offline)))
	f.outage.down.Store(true)
	for name, r := range map[string]*http.Response{
		"refresh": f.refresh(tok.Refresh), "narrow": f.refresh(tok.Refresh, "scope", "openid"),
		"introspection": f.tokenCall("introspection", tok.Access), "revocation": f.tokenCall("revocation", tok.Access),
	} {
		t.Run(name, func(t *testing.T) { fails(t, r, http.StatusServiceUnavailable, "temporarily_unavailable") })
	}
	f.outage.down.Store(false)
	f.tokens(f.refresh(tok.Refresh))
}

// An access token that is revoked after it lost its place stays dead when it would be
// derived again.
func TestRevokedTokenStaysDead(t *testing.T) {
	t.Parallel()
	f := setup(t)
	first := f.tokens(f.exchange(f.enter("ada@example.com", "scope", offline)))
	f.slot()
	a := f.tokens(f.refresh(first.Refresh))
	f.tokens(f.refresh(first.Refresh, "scope", "openid"))
	f.tokens(f.refresh(first.Refresh, "scope", "email"))
	f.revoke(a.Access)
	if f.introspect(a.Access)["active"] != false {
		t.Fatal("not revoked")
	}
	f.tokens(f.refresh(first.Refresh))
	if f.introspect(a.Access)["active"] != false {
		t.Error("a revoked access token lives again")
	}
}
