package op_test

import (
	"net/http"
	"testing"

	"idp/store"
)

func TestCORS(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.client(store.Client{ID: "spa", Type: store.SPA, PKCE: true, RedirectURIs: []string{"https://SPA.example:443/cb", "http://localhost:5173/cb"}})
	for _, path := range []string{"/oidc/token", "/oidc/me"} {
		for origin, allowed := range map[string]bool{
			"https://spa.example": true, "http://localhost:5173": true, "https://shop.example": true,
			"https://evil.example": false, "null": false, "": false, "https://spa.example.evil.example": false, "http://spa.example": false, "http://localhost": false,
		} {
			r := f.do("OPTIONS", path, "", "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization")
			if got := r.Header.Get("Access-Control-Allow-Origin"); (got == origin && origin != "") != allowed || r.Header.Get("Access-Control-Allow-Credentials") != "" || r.Header.Get("Vary") != "Origin" {
				t.Errorf("%s from %q: %v", path, origin, r.Header)
			}
		}
	}
	// The answer is for the calling client's own origins.
	code := f.code("client_id", "spa", "redirect_uri", "http://localhost:5173/cb")
	form := exchangeForm(code, "client_id", "spa", "client_secret", "-", "redirect_uri", "http://localhost:5173/cb")
	r := f.do("POST", "/oidc/token", form, "Origin", "https://spa.example")
	if r.Header.Get("Access-Control-Allow-Origin") != "https://spa.example" {
		t.Error(r.Header)
	}
	access := f.tokens(r).Access
	for origin, allowed := range map[string]bool{"https://spa.example": true, "https://shop.example": false, "https://evil.example": false} {
		r := f.get("/oidc/me", "Origin", origin, "Authorization", "Bearer "+access)
		if got := r.Header.Get("Access-Control-Allow-Origin") == origin; got != allowed {
			t.Errorf("userinfo from %s: %v", origin, r.Header)
		}
	}
	for origin, allowed := range map[string]bool{"https://spa.example": true, "https://shop.example": false, "https://evil.example": false} {
		r := f.do("POST", "/oidc/token", form, "Origin", origin)
		if got := r.Header.Get("Access-Control-Allow-Origin") == origin; got != allowed || r.StatusCode != http.StatusBadRequest {
			t.Errorf("token from %s: %d %v", origin, r.StatusCode, r.Header)
		}
	}
	// A browser app can read why its token is not good.
	if r := f.get("/oidc/me", "Origin", "https://spa.example", "Authorization", "Bearer x"); r.Header.Get("Access-Control-Allow-Origin") != "https://spa.example" {
		t.Error(r.Header)
	}
	if r := f.get("/oidc/auth?"+params().Encode(), "Origin", "https://shop.example"); r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error(r.Header)
	}
}
