package op_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/store"
	"idp/store/pgtest"
	"idp/store/postgres"
)

// slot waits for the beginning of a stretch of ten seconds, so that what follows is
// within one.
func (f *fixture) slot() {
	const grace = int64(10 * time.Second)
	f.db.AdvanceForTest(time.Duration(grace - f.db.Now().UnixNano()%grace + int64(time.Millisecond)))
}

// A refresh for no scope at all is not given the token that one for all scopes is.
func TestNoScopesAreNotAll(t *testing.T) {
	t.Parallel()
	f := setup(t)
	first := f.tokens(f.exchange(f.enter("ada@example.com", "scope", offline)))
	f.slot()
	full := f.tokens(f.refresh(first.Refresh))
	narrow := f.tokens(f.refresh(first.Refresh, "scope", "unknown"))
	if *narrow.Scope != "" {
		t.Fatalf("%+v", narrow)
	}
	if got := f.introspect(narrow.Access)["scope"]; got != nil {
		t.Errorf("the answer says no scope, the token has %q", got)
	}
	if r := f.get("/oidc/me", "Authorization", "Bearer "+narrow.Access); r.StatusCode == http.StatusOK {
		body, _ := io.ReadAll(r.Body)
		t.Errorf("userinfo: %s", body)
	}
	if narrow.Access == full.Access {
		t.Error("one token for two grants of scopes")
	}
}

// And the reverse: whoever asks for all is not given the token that is good for nothing.
func TestAllScopesAreNotNone(t *testing.T) {
	t.Parallel()
	f := setup(t)
	first := f.tokens(f.exchange(f.enter("ada@example.com", "scope", offline)))
	f.slot()
	f.tokens(f.refresh(first.Refresh, "scope", "unknown"))
	full := f.tokens(f.refresh(first.Refresh))
	if r := f.get("/oidc/me", "Authorization", "Bearer "+full.Access); r.StatusCode != http.StatusOK {
		t.Errorf("userinfo with a token for %q: %d", *full.Scope, r.StatusCode)
	}
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

// max_age is counted to when the answer goes out, however long the chooser was open.
func TestMaxAgeOnTheChooser(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]time.Duration{"50 minutes": 50 * time.Minute, "11 hours, restarted": 11 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			f.enter("ada@example.com")
			n := len(f.begun)
			f.authorize("prompt", "select_account", "max_age", "60")
			if len(f.chosen) != 1 {
				t.Fatal("no chooser")
			}
			sealed := f.provider.Seal(f.begun[n], f.browser)
			f.db.AdvanceForTest(wait)
			req, err := f.provider.Open(sealed, f.browser)
			if store.CodeOf(err) == store.Expired { // as the pages restart it
				req.ID, req.StartedAt = store.NewID(f.db.Now()), f.db.Now()
			}
			to, err := f.provider.Continue(httptest.NewRequest("POST", "/choose", nil), req, f.session, f.browser)
			if store.CodeOf(err) != store.NotFound {
				t.Errorf("max_age=60, and the chooser went on to %q after %v: %v", to, wait, err)
			}
		})
	}
}

// No input to the endpoints for programs and to sign-out makes a 5xx or a redirect elsewhere.
func TestOddInputs(t *testing.T) {
	t.Parallel()
	e, err := postgres.Open(t.Context(), pgtest.URL(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := setupOn(t, e)
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

// An assertion is remembered until after its last moment, fractions of seconds included.
func TestAssertionAtItsEnd(t *testing.T) {
	t.Parallel()
	f := setup(t)
	signer, claims := f.keyed()
	exp := float64(f.db.Now().Unix()+60) + 0.9
	assertion := sign(t, signer, claims("exp", exp))
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}, "client_assertion_type": {assertionType}, "client_assertion": {assertion}}.Encode()
	use := func() string {
		b, _ := io.ReadAll(f.do(http.MethodPost, "/oidc/token", form).Body)
		return string(b)
	}
	if text := use(); !strings.Contains(text, "invalid_grant") {
		t.Fatal(text)
	}
	f.db.AdvanceForTest(time.UnixMilli(int64((exp+60)*1000) - 700).Sub(f.db.Now()))
	for range 40 {
		_, err := f.db.Purge(t.Context(), 1000)
		f.must(err)
	}
	if text := use(); strings.Contains(text, "invalid_grant") {
		t.Error("the assertion was taken a second time")
	}
}
