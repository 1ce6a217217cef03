package op_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"idp/keyring"
	"idp/op"
	"idp/store"
)

func TestDatabaseDown(t *testing.T) {
	t.Parallel()
	f := setup(t)
	code := f.code()
	access := f.tokens(f.exchange(f.code())).Access
	f.outage.down.Store(true)
	for name, r := range map[string]*http.Response{
		"token":          f.exchange(code),
		"userinfo":       f.get("/oidc/me", "Authorization", "Bearer "+access),
		"unknown client": f.exchange(code, "client_id", "nobody"),
	} {
		t.Run(name, func(t *testing.T) {
			fails(t, r, http.StatusServiceUnavailable, "temporarily_unavailable")
			if r.Header.Get("Retry-After") == "" {
				t.Error(r.Header)
			}
		})
	}
	f.session = random()
	if got := query(t, f.authorize("prompt", "none").Header.Get("Location")); got.Get("error") != "temporarily_unavailable" || got.Get("state") != "st" {
		t.Error(got)
	}
	if r := f.authorize(); len(f.refused) != 1 || f.refused[0].Kind != "unavailable" || r.Header.Get("Retry-After") == "" {
		t.Errorf("%d %+v", r.StatusCode, f.refused)
	}
	if r := f.get(jwksPath); r.StatusCode != http.StatusOK {
		t.Errorf("keys: %d", r.StatusCode)
	}
	f.outage.down.Store(false)
	f.session = store.Hash{}
	f.tokens(f.exchange(code)) // nothing was lost, and no restart is needed
}

// Whoever breaks requests off makes no errors of ours: those wake operators.
func TestWhoLeavesIsNoFault(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.authorize() // the client is cached
	code, access := f.code(), f.tokens(f.exchange(f.code())).Access
	f.session = random()
	left, leave := context.WithCancel(t.Context())
	leave()
	for name, r := range map[string]*http.Request{
		"token":      httptest.NewRequestWithContext(left, http.MethodPost, "/oidc/token", strings.NewReader(exchangeForm(code))),
		"introspect": httptest.NewRequestWithContext(left, http.MethodPost, "/oidc/token/introspection", strings.NewReader("client_id=shop&client_secret="+secret+"&token="+access)),
		"revoke":     httptest.NewRequestWithContext(left, http.MethodPost, "/oidc/token/revocation", strings.NewReader("client_id=shop&client_secret="+secret+"&token="+access)),
		"userinfo":   httptest.NewRequestWithContext(left, http.MethodGet, "/oidc/me", nil),
		"authorize":  httptest.NewRequestWithContext(left, http.MethodGet, "/oidc/auth?"+params().Encode(), nil),
		"silent":     httptest.NewRequestWithContext(left, http.MethodGet, "/oidc/auth?"+params("prompt", "none").Encode(), nil),
		"sign out":   httptest.NewRequestWithContext(left, http.MethodGet, "/oidc/session/end", nil),
	} {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", "Bearer "+access)
		if r.Method == http.MethodPost {
			r.Header.Del("Authorization")
		}
		w := httptest.NewRecorder()
		f.provider.Handler().ServeHTTP(w, r)
		if w.Code != 499 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if len(f.refused) > 0 || strings.Contains(f.log.String(), "level=ERROR") || strings.Contains(f.log.String(), "level=WARN") {
		t.Errorf("%v %s", f.refused, f.log)
	}
	f.session = store.Hash{}
	f.tokens(f.exchange(code)) // nothing was done
}

// Only what passes by itself is called so: it is no use to try a bug again.
func TestAuthorizeFailure(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.authorize() // the client is cached
	f.session = random()
	f.outage.broken.Store(true)
	if r := f.authorize(); len(f.refused) != 1 || f.refused[0].Kind != "failure" || r.Header.Get("Retry-After") != "" {
		t.Errorf("%v %+v", r.Header, f.refused)
	}
	if log := f.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "no such column") {
		t.Error(log)
	}
}

// A bug is answered without its text, and logged.
func TestServerError(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.client(store.Client{ID: "odd", Type: store.Traditional, PKCE: true, IDTokenAlg: "HS999"})
	r := f.exchange(f.code("client_id", "odd"), "client_id", "odd")
	b, _ := io.ReadAll(r.Body)
	if strings.Contains(string(b), "HS999") {
		t.Errorf("%s", b)
	}
	r.Body = io.NopCloser(strings.NewReader(string(b)))
	fails(t, r, http.StatusInternalServerError, "server_error")
}

func TestStartWithAnotherSecret(t *testing.T) {
	t.Parallel()
	f := setup(t)
	other, err := keyring.New([]byte("fedcba9876543210fedcba9876543210"))
	f.must(err)
	p, err := op.New(op.Deps{Store: f.db, Ring: other, Endpoint: endpointOf(f), Browser: f, Pages: f, Log: discard})
	f.must(err)
	if err := p.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "open signing key") {
		t.Error(err)
	}
}

// The product mounts the handler in a chi router of its own.
func TestBelowChi(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for name, mount := range map[string]func(chi.Router){
		"Handle": func(r chi.Router) { r.Handle("/oidc/*", f.provider.Handler()) },
		"Mount":  func(r chi.Router) { r.Mount("/oidc", f.provider.Handler()) },
	} {
		router := chi.NewRouter()
		mount(router)
		r := httptest.NewRequest(http.MethodPost, "/oidc/token", strings.NewReader(exchangeForm(f.code())))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		router.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func BenchmarkIDToken(b *testing.B) {
	for _, alg := range []string{"ES256", "RS256", "ES384", "EdDSA"} {
		b.Run(alg, func(b *testing.B) { op.MeasureIDToken(b, alg) })
	}
}
