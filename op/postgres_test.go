package op_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"idp/store"
	"idp/store/pgtest"
	"idp/store/postgres"
)

func setupOnPostgres(t *testing.T) *fixture {
	t.Helper()
	e, err := postgres.Open(t.Context(), pgtest.URL(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return setupOn(t, e)
}

// Postgres takes neither NUL nor broken UTF-8 as text, and SQLite takes both:
// nothing of the kind may get there, or a stranger makes 5xx at will.
func TestOddBytesOnPostgres(t *testing.T) {
	t.Parallel()
	f := setupOnPostgres(t)
	code := f.code()
	for _, odd := range []string{"\x00", "a\x00b", "\xff", "\xed\xa0\x80", "\r\n", "\u202e", "'; DROP TABLE users --"} {
		for _, name := range []string{"client_id", "redirect_uri", "state", "nonce", "scope", "prompt", "login_hint", "ui_locales", "code_challenge", "max_age"} {
			if r := f.authorize(name, odd); r.StatusCode >= http.StatusInternalServerError {
				t.Errorf("authorize, %s %q: %d", name, odd, r.StatusCode)
			}
		}
		for _, name := range []string{"client_id", "client_secret", "redirect_uri", "code", "code_verifier", "grant_type"} {
			if r := f.exchange(code, name, odd); r.StatusCode >= http.StatusInternalServerError || r.StatusCode == http.StatusOK {
				t.Errorf("token, %s %q: %d", name, odd, r.StatusCode)
			}
		}
	}
	for _, p := range f.refused {
		if p.Kind == "unavailable" {
			t.Error("odd bytes reached the database")
			break
		}
	}
	// What passes is carried through and redeemed.
	for _, nonce := range []string{"\u202e", "'; DROP TABLE users --", "ü"} {
		if _, claims := parts(t, f.tokens(f.exchange(f.code("nonce", nonce))).ID); claims["nonce"] != nonce {
			t.Errorf("nonce %q came back as %q", nonce, claims["nonce"])
		}
	}
	code = f.code() // the one before may have expired by now
	f.tokens(f.exchange(code))
	fails(t, f.exchange(code), http.StatusBadRequest, "invalid_grant")
}

// No input to the endpoints for programs and to sign-out makes a 5xx or a redirect elsewhere.
func TestOddInputs(t *testing.T) {
	t.Parallel()
	f := setupOnPostgres(t)
	f.client(store.Client{ID: "app", Type: store.Traditional, PKCE: true, PostLogoutRedirectURIs: []string{goodbye}})
	tok := f.signInToApp("ada@example.com")
	odd := []string{"\x00", "a\x00b", "\xff", "\r\nX: y", strings.Repeat("A", 15000), strings.Repeat("A", 64), strings.Repeat("A", 86), strings.Repeat("/", 86), "e30.e30.e30", ".", "..", "eyJhbGciOiJub25lIn0.e30.", "%", "{}", "[]"}
	for _, o := range odd {
		for _, name := range []string{"refresh_token", "scope", "resource", "organization_id", "client_assertion", "client_assertion_type", "client_id", "client_secret", "grant_type"} {
			form := change(url.Values{"grant_type": {"refresh_token"}, "client_id": {"app"}, "client_secret": {secret}, "refresh_token": {tok.Refresh}}, []string{name, o})
			if name == "client_assertion" {
				form.Set("client_assertion_type", assertionType)
				form.Del("client_secret")
			}
			if r := f.do(http.MethodPost, "/oidc/token", form.Encode()); r.StatusCode >= 500 {
				t.Errorf("token %s %.20q: %d", name, o, r.StatusCode)
			}
		}
		for _, what := range []string{"introspection", "revocation"} {
			for _, name := range []string{"token", "token_type_hint"} {
				form := change(url.Values{"client_id": {"app"}, "client_secret": {secret}, "token": {"x"}}, []string{name, o})
				if r := f.do(http.MethodPost, "/oidc/token/"+what, form.Encode()); r.StatusCode >= 500 {
					t.Errorf("%s %s %.20q: %d", what, name, o, r.StatusCode)
				}
			}
		}
		for _, name := range []string{"client_id", "post_logout_redirect_uri", "state", "id_token_hint", "logout_hint", "ui_locales"} {
			v := change(url.Values{"client_id": {"other"}}, []string{name, o})
			if r := f.get("/oidc/session/end?" + v.Encode()); r.StatusCode >= 500 || r.Header.Get("Location") != "" {
				t.Errorf("end-session %s %.20q: %d %s", name, o, r.StatusCode, r.Header.Get("Location"))
			}
		}
		for _, name := range []string{"id_token_hint", "max_age", "prompt", "login_hint"} {
			if r := f.authorize(name, o); r.StatusCode >= 500 {
				t.Errorf("authorize %s %.20q: %d", name, o, r.StatusCode)
			}
		}
	}
	if strings.Contains(f.log.String(), "AAAAAAAAAA") || strings.Contains(f.log.String(), tok.Refresh) {
		t.Error("the log holds what was sent")
	}
}
