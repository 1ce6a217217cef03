package op_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"idp/store"
)

func TestCORS(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.client(store.Client{ID: "spa", Type: store.SPA, PKCE: true, RedirectURIs: []string{"https://SPA.example:443/cb", "http://localhost:5173/cb"}})
	for _, path := range []string{"/oidc/token", "/oidc/me", "/oidc/token/revocation"} {
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

const shopOrigin = "https://shop.example"

func (f *fixture) preflight() bool {
	f.Helper()
	return f.do(http.MethodOptions, "/oidc/token", "", "Origin", shopOrigin).Header.Get("Access-Control-Allow-Origin") == shopOrigin
}

// A visitor who goes away while the list is read takes nothing from the next one.
func TestOriginsOutliveTheFirstCaller(t *testing.T) {
	t.Parallel()
	f := setup(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(gone, http.MethodOptions, "/oidc/token", nil)
	r.Header.Set("Origin", shopOrigin)
	f.provider.Handler().ServeHTTP(httptest.NewRecorder(), r)
	if !f.preflight() {
		t.Error("refused")
	}
}

func TestOriginsAfterAnOutage(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.outage.down.Store(true)
	if f.preflight() {
		t.Error("allowed, and nothing is known")
	}
	f.outage.down.Store(false)
	if !f.preflight() {
		t.Error("an outage is felt after its end")
	}
	f.db.AdvanceForTest(time.Minute)
	f.outage.down.Store(true)
	if !f.preflight() {
		t.Error("what was known is forgotten")
	}
}

// While one caller reads the list anew, the others are answered from the old one.
func TestOriginsAreReadByOne(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.preflight()
	f.db.AdvanceForTest(time.Minute)
	before := f.outage.lists.Load()
	f.outage.slow.Lock()
	reader := make(chan bool)
	go func() { reader <- f.preflight() }()
	for f.outage.lists.Load() == before {
		time.Sleep(time.Millisecond)
	}
	others := make(chan bool)
	go func() { others <- f.preflight() }()
	select {
	case ok := <-others:
		if !ok {
			t.Error("refused")
		}
	case <-time.After(30 * time.Second):
		t.Error("everybody waits for one read")
		go func() { <-others }()
	}
	f.outage.slow.Unlock()
	if !<-reader {
		t.Error("the reader is refused")
	}
	if n := f.outage.lists.Load() - before; n != 1 {
		t.Errorf("%d reads", n)
	}
}
