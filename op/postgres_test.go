package op_test

import (
	"net/http"
	"testing"

	"idp/store/pgtest"
	"idp/store/postgres"
)

// Postgres takes neither NUL nor broken UTF-8 as text, and SQLite takes both:
// nothing of the kind may get there, or a stranger makes 5xx at will.
func TestOddBytesOnPostgres(t *testing.T) {
	t.Parallel()
	e, err := postgres.Open(t.Context(), pgtest.URL(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := setupOn(t, e)
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
