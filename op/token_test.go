package op_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/store"
)

func TestTokenExchange(t *testing.T) {
	t.Parallel()
	f := setup(t)
	r := f.exchange(f.code())
	if h := r.Header; h.Get("Cache-Control") != "no-store" || h.Get("Pragma") != "no-cache" || h.Get("Content-Type") != "application/json" {
		t.Error(h)
	}
	got := f.tokens(r)
	if len(got.Access) != 64 || got.Type != "Bearer" || got.Expires != 3600 || got.ID == "" || got.Scope == nil || *got.Scope != "openid profile email" {
		t.Errorf("%+v", got)
	}
	got = f.tokens(f.exchange(f.code("scope", "weather")))
	if got.ID != "" || got.Scope == nil || *got.Scope != "" {
		t.Errorf("without openid: %+v", got)
	}
	got = f.tokens(f.exchange(f.code("scope", "-")))
	if got.ID == "" || *got.Scope != "openid" {
		t.Errorf("without scope: %+v", got)
	}
}

func TestTokenClientAuthentication(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.client(store.Client{ID: "other", Type: store.Traditional, PKCE: true})
	f.client(store.Client{ID: "spa", Type: store.SPA, PKCE: true})
	f.client(store.Client{ID: "robot", Type: store.Machine})
	second := "another0secret0another0secret0ab"
	f.must(f.db.AddClientSecret(t.Context(), "shop", store.ClientSecret{ID: store.NewID(time.Now()), Hash: store.HashOf([]byte(second)), Prefix: second[:4]}, 1))

	f.tokens(f.exchange(f.code()))
	f.tokens(f.exchange(f.code(), "client_secret", second))
	f.tokens(f.basic("shop", secret, f.code(), "client_id", "-"))
	f.tokens(f.basic("shop", secret, f.code())) // Logto's Node SDK repeats the id
	f.tokens(f.basic("sho%70", secret, f.code()))
	f.tokens(f.exchange(f.code("client_id", "spa"), "client_id", "spa", "client_secret", "-"))

	code := f.code()
	for name, r := range map[string]*http.Response{
		"wrong secret":        f.exchange(code, "client_secret", secret[1:]+"x"),
		"no secret":           f.exchange(code, "client_secret", "-"),
		"empty secret":        f.exchange(code, "client_secret", ""),
		"wrong secret, basic": f.basic("shop", "wrong", code),
		"broken escape":       f.basic("shop", "%zz", code),
		"not basic":           f.exchangeWith("Bearer x", code, "client_secret", "-"),
		"no base64":           f.exchangeWith("Basic ***", code, "client_secret", "-"),
		"unknown client":      f.exchange(code, "client_id", "nobody"),
		"odd client":          f.exchange(code, "client_id", "sh\x00op"),
		"public with secret":  f.exchange(code, "client_id", "spa"),
		"assertion":           f.exchange(code, "client_assertion", "x", "client_assertion_type", "y"),
	} {
		t.Run(name, func(t *testing.T) {
			fails(t, r, http.StatusUnauthorized, "invalid_client")
			if r.Header.Get("WWW-Authenticate") != `Basic realm="idp"` {
				t.Error(r.Header)
			}
		})
	}
	fails(t, f.basic("shop", secret, code, "client_secret", secret), 400, "invalid_request")
	fails(t, f.basic("shop", secret, code, "client_id", "other"), 400, "invalid_request")
	fails(t, f.exchange(code, "client_id", "-"), 400, "invalid_request")
	fails(t, f.exchange(code, "client_id", "robot"), 400, "unauthorized_client")
	f.tokens(f.exchange(code)) // none of it burnt the code
}

// basic redeems with the client's credentials in the header.
func (f *fixture) basic(id, secret, code string, changes ...string) *http.Response {
	f.Helper()
	r, _ := http.NewRequest(http.MethodPost, "/", nil)
	r.SetBasicAuth(id, secret)
	return f.exchangeWith(r.Header.Get("Authorization"), code, append([]string{"client_secret", "-"}, changes...)...)
}

func (f *fixture) exchangeWith(authorization, code string, changes ...string) *http.Response {
	f.Helper()
	return f.do(http.MethodPost, "/oidc/token", exchangeForm(code, changes...), "Authorization", authorization)
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.client(store.Client{ID: "other", Type: store.Traditional, PKCE: true})
	code := f.code()
	for name, c := range map[string]struct {
		changes []string
		code    string
	}{
		"no grant_type":        {[]string{"grant_type", "-"}, "invalid_request"},
		"password":             {[]string{"grant_type", "password"}, "unsupported_grant_type"},
		"refresh_token":        {[]string{"grant_type", "refresh_token", "refresh_token", "x"}, "invalid_grant"},
		"client_credentials":   {[]string{"grant_type", "client_credentials"}, "unauthorized_client"},
		"device":               {[]string{"grant_type", "urn:ietf:params:oauth:grant-type:device_code"}, "unsupported_grant_type"},
		"no code":              {[]string{"code", "-"}, "invalid_request"},
		"short code":           {[]string{"code", "abc"}, "invalid_grant"},
		"not base64url":        {[]string{"code", code[:42] + "/"}, "invalid_grant"},
		"other code":           {[]string{"code", s256}, "invalid_grant"},
		"no redirect_uri":      {[]string{"redirect_uri", "-"}, "invalid_request"},
		"other redirect_uri":   {[]string{"redirect_uri", callback + "&x=1"}, "invalid_grant"},
		"no verifier":          {[]string{"code_verifier", "-"}, "invalid_grant"},
		"wrong verifier":       {[]string{"code_verifier", strings.Repeat("v", 43)}, "invalid_grant"},
		"short verifier":       {[]string{"code_verifier", verifier[1:]}, "invalid_grant"},
		"long verifier":        {[]string{"code_verifier", strings.Repeat("v", 129)}, "invalid_grant"},
		"odd verifier":         {[]string{"code_verifier", verifier[1:] + "ü"}, "invalid_grant"},
		"challenge as plain":   {[]string{"code_verifier", s256}, "invalid_grant"},
		"another client":       {[]string{"client_id", "other"}, "invalid_grant"},
		"NUL in redirect":      {[]string{"redirect_uri", "\x00"}, "invalid_grant"},
		"redirect is not UTF8": {[]string{"redirect_uri", "\xff"}, "invalid_grant"},
	} {
		t.Run(name, func(t *testing.T) { fails(t, f.exchange(code, c.changes...), http.StatusBadRequest, c.code) })
	}
	form := exchangeForm(code)
	fails(t, f.do("POST", "/oidc/token", form+"&code="+code), 400, "invalid_request")
	fails(t, f.do("POST", "/oidc/token", form+"&pad="+strings.Repeat("x", 70_000)), 400, "invalid_request")
	fails(t, f.do("POST", "/oidc/token", form, "Content-Type", "application/json"), 400, "invalid_request")
	fails(t, f.do("POST", "/oidc/token", form+"&x=%zz"), 400, "invalid_request")
	fails(t, f.do("POST", "/oidc/token?"+form, ""), 400, "invalid_request") // secrets in the query are not read
	fails(t, f.do("POST", "/oidc/token", form+"&resource=a&resource=b"), 400, "invalid_target")
	fails(t, f.do("POST", "/oidc/token", form+"&resource="+url.QueryEscape(store.ManagementIndicator)), 400, "invalid_target") // it was not asked for
	f.tokens(f.do("POST", "/oidc/token", form+"&audience=c&audience=d"))
}

func TestTokenMethods(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, method := range []string{"GET", "PUT", "DELETE", "PATCH"} {
		r := f.do(method, "/oidc/token?"+exchangeForm("x"), "")
		if r.Header.Get("Allow") != "POST" {
			t.Errorf("%s: Allow %q", method, r.Header.Get("Allow"))
		}
		fails(t, r, http.StatusMethodNotAllowed, "invalid_request")
	}
	if r := f.do("HEAD", "/oidc/token", ""); r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("HEAD: %d", r.StatusCode)
	}
}

// A code that comes twice leaked: what it gave is revoked (RFC 6749 section 4.1.2).
func TestTokenReplay(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.client(store.Client{ID: "other", Type: store.Traditional, PKCE: true})
	code := f.code()
	access := f.tokens(f.exchange(code)).Access
	fails(t, f.exchange(code, "client_id", "other"), 400, "invalid_grant")
	if r := f.get("/oidc/me", "Authorization", "Bearer "+access); r.StatusCode != http.StatusOK {
		t.Fatal("another client's replay revoked the grant")
	}
	fails(t, f.exchange(code), 400, "invalid_grant")
	fails(t, f.get("/oidc/me", "Authorization", "Bearer "+access), 401, "invalid_token")
}

func TestTokenExpiredCode(t *testing.T) {
	t.Parallel()
	f := setup(t)
	code := f.code()
	f.db.AdvanceForTest(61 * time.Second)
	fails(t, f.exchange(code), 400, "invalid_grant")
}

func TestTokenParallelRedemptions(t *testing.T) {
	t.Parallel()
	f := setup(t)
	code := f.code()
	var mu sync.Mutex
	var wg sync.WaitGroup
	given := 0
	for range 64 {
		wg.Go(func() {
			r := f.exchange(code)
			mu.Lock()
			defer mu.Unlock()
			switch r.StatusCode {
			case http.StatusOK:
				given++
			case http.StatusBadRequest:
			default:
				t.Errorf("status %d", r.StatusCode)
			}
		})
	}
	wg.Wait()
	if given != 1 {
		t.Errorf("%d token sets for one code", given)
	}
}
