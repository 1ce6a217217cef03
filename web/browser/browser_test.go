package browser_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"idp/store"
	"idp/web/browser"
)

func TestEnsureKeepsTheSecret(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		c := browser.New(secure)
		w := httptest.NewRecorder()
		hash := c.Ensure(w, httptest.NewRequest(http.MethodGet, "/", nil))
		cookie := w.Result().Cookies()[0]
		if cookie.Secure != secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" {
			t.Errorf("cookie %+v", cookie)
		}
		if secure != strings.HasPrefix(cookie.Name, "__Host-") {
			t.Errorf("name %q on secure=%t", cookie.Name, secure)
		}
		if cookie.MaxAge != 400*24*3600 {
			t.Errorf("Max-Age %d", cookie.MaxAge)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(cookie)
		again := httptest.NewRecorder()
		if c.Ensure(again, r) != hash || len(again.Result().Cookies()) != 0 {
			t.Error("a browser that has a secret got another one")
		}
	}
}

func TestSessionIsTheHashOfTheCookie(t *testing.T) {
	t.Parallel()
	c := browser.New(true)
	secret := sha256.Sum256([]byte("x"))
	w := httptest.NewRecorder()
	c.SetSession(w, base64.RawURLEncoding.EncodeToString(secret[:]))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(w.Result().Cookies()[0])
	if h, ok := c.Session(r); !ok || h != store.HashOf(secret[:]) {
		t.Errorf("got %v %t", h, ok)
	}
}

func TestBrokenCookiesAreNone(t *testing.T) {
	t.Parallel()
	c := browser.New(false)
	for _, value := range []string{"", "x", strings.Repeat("A", 42), strings.Repeat("A", 44), strings.Repeat("A", 42) + "B"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", "idp_browser="+value)
		if _, ok := c.Hash(r); ok {
			t.Errorf("%q was taken", value)
		}
	}
}
