package op_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"testing"
	"time"
)

func TestUserinfo(t *testing.T) {
	t.Parallel()
	f := setup(t)
	got := f.tokens(f.exchange(f.code()))
	_, claims := parts(t, got.ID)
	want := map[string]any{}
	for _, name := range []string{"sub", "email", "email_verified", "created_at", "updated_at"} {
		want[name] = claims[name]
	}
	body := url.Values{"access_token": {got.Access}}.Encode()
	for name, r := range map[string]*http.Response{
		"GET":            f.get("/oidc/me", "Authorization", "Bearer "+got.Access),
		"POST, header":   f.do("POST", "/oidc/me", "", "Authorization", "bearer "+got.Access),
		"POST, body":     f.do("POST", "/oidc/me", body),
		"POST, no form":  f.do("POST", "/oidc/me", "", "Authorization", "Bearer "+got.Access, "Content-Type", ""),
		"with a query":   f.get("/oidc/me?a=b", "Authorization", "Bearer "+got.Access),
		"a broken query": f.get("/oidc/me?a=%zz", "Authorization", "Bearer "+got.Access),
	} {
		var have map[string]any
		f.must(json.NewDecoder(r.Body).Decode(&have))
		if r.StatusCode != http.StatusOK || !reflect.DeepEqual(have, want) || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", name, r.StatusCode, have)
		}
	}
	got = f.tokens(f.exchange(f.code("scope", "openid custom_data identities roles")))
	var have map[string]any
	f.must(json.NewDecoder(f.get("/oidc/me", "Authorization", "Bearer "+got.Access).Body).Decode(&have))
	if !reflect.DeepEqual(have, map[string]any{"sub": want["sub"], "custom_data": map[string]any{}, "identities": map[string]any{}, "roles": []any{}}) {
		t.Errorf("%v", have)
	}
}

func TestUserinfoRefusals(t *testing.T) {
	t.Parallel()
	f := setup(t)
	got := f.tokens(f.exchange(f.code()))
	body := url.Values{"access_token": {got.Access}}.Encode()
	changed := []byte(got.Access)
	changed[40] ^= 1
	for name, r := range map[string]*http.Response{
		"no token":      f.get("/oidc/me"),
		"not Bearer":    f.get("/oidc/me", "Authorization", "Basic "+got.Access),
		"no scheme":     f.get("/oidc/me", "Authorization", got.Access),
		"an ID token":   f.get("/oidc/me", "Authorization", "Bearer "+got.ID),
		"nonsense":      f.get("/oidc/me", "Authorization", "Bearer ***"),
		"changed":       f.get("/oidc/me", "Authorization", "Bearer "+string(changed)),
		"GET with body": f.do("GET", "/oidc/me", body, "Content-Type", "application/x-www-form-urlencoded"),
	} {
		t.Run(name, func(t *testing.T) {
			fails(t, r, http.StatusUnauthorized, "invalid_token")
			want := `Bearer realm="idp", error="invalid_token"`
			if name == "no token" || name == "GET with body" { // nobody tried: no code (RFC 6750 section 3.1)
				want = `Bearer realm="idp"`
			}
			if r.Header.Get("WWW-Authenticate") != want {
				t.Error(r.Header)
			}
		})
	}
	fails(t, f.get("/oidc/me?"+body), 400, "invalid_request")
	fails(t, f.get("/oidc/me?"+body, "Authorization", "Bearer "+got.Access), 400, "invalid_request")
	fails(t, f.do("POST", "/oidc/me", body, "Authorization", "Bearer "+got.Access), 400, "invalid_request")
	fails(t, f.do("POST", "/oidc/me", body+"&"+body), 400, "invalid_request")
	fails(t, f.do("PUT", "/oidc/me", "", "Authorization", "Bearer "+got.Access), 405, "invalid_request")

	without := f.tokens(f.exchange(f.code("scope", "profile")))
	r := f.get("/oidc/me", "Authorization", "Bearer "+without.Access)
	fails(t, r, 403, "insufficient_scope")
	if r.Header.Get("WWW-Authenticate") != `Bearer realm="idp", error="insufficient_scope", scope="openid"` {
		t.Error(r.Header)
	}
	f.db.AdvanceForTest(time.Hour + time.Second)
	fails(t, f.get("/oidc/me", "Authorization", "Bearer "+got.Access), 401, "invalid_token")
}
