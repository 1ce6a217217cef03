package op_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/keyring"
	"idp/store"
)

const offline = "openid offline_access email"

func refreshForm(token string, changes ...string) string {
	return change(url.Values{"grant_type": {"refresh_token"}, "client_id": {"shop"}, "client_secret": {secret}, "refresh_token": {token}}, changes).Encode()
}

func (f *fixture) refresh(token string, changes ...string) *http.Response {
	f.Helper()
	return f.do(http.MethodPost, "/oidc/token", refreshForm(token, changes...))
}

// spa is a public client, whose token is replaced at each use, and what changes a form
// to be its own.
func (f *fixture) spa() []string {
	f.client(store.Client{ID: "spa", Type: store.SPA, PKCE: true})
	return []string{"client_id", "spa", "client_secret", "-"}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	f := setup(t)
	first := f.tokens(f.exchange(f.enter("ada@example.com", "scope", offline, "nonce", "n-1", "prompt", "consent")))
	if first.Refresh == "" || *first.Scope != offline {
		t.Fatalf("%+v", first)
	}
	f.db.AdvanceForTest(time.Minute)
	r := f.refresh(first.Refresh)
	if r.Header.Get("Cache-Control") != "no-store" {
		t.Error(r.Header)
	}
	second := f.tokens(r)
	if second.Refresh != first.Refresh || second.Access == first.Access || *second.Scope != offline || second.Expires != 3600 || second.Type != "Bearer" {
		t.Errorf("%+v", second)
	}
	a, b := payload(t, first.ID), payload(t, second.ID)
	for _, same := range []string{"iss", "sub", "aud", "auth_time", "sid", "email"} {
		if a[same] != b[same] || b[same] == nil {
			t.Errorf("%s: %v, then %v", same, a[same], b[same])
		}
	}
	if b["iat"].(float64) <= a["iat"].(float64) || b["nonce"] != nil || b["at_hash"] == a["at_hash"] {
		t.Errorf("%v", b)
	}
	for _, access := range []string{first.Access, second.Access} {
		if r := f.get("/oidc/me", "Authorization", "Bearer "+access); r.StatusCode != http.StatusOK {
			t.Errorf("userinfo: %d", r.StatusCode)
		}
	}
	f.db.AdvanceForTest(10 * 24 * time.Hour) // 70 % of its life
	third := f.tokens(f.refresh(second.Refresh))
	if third.Refresh == second.Refresh || third.Refresh == "" {
		t.Error("an old token is not replaced")
	}
	f.db.AdvanceForTest(15 * 24 * time.Hour)
	fails(t, f.refresh(third.Refresh), 400, "invalid_grant")
}

func TestRefreshTokenIsForThoseWhoAsk(t *testing.T) {
	t.Parallel()
	f := setup(t)
	if tok := f.tokens(f.exchange(f.enter("ada@example.com"))); tok.Refresh != "" {
		t.Error("a refresh token that nobody asked for")
	}
	f.client(store.Client{ID: "always", Type: store.Traditional, PKCE: true, AlwaysRefresh: true})
	mine := []string{"client_id", "always"}
	tok := f.tokens(f.exchange(f.enter("ada@example.com", mine...), mine...))
	again := f.tokens(f.refresh(tok.Refresh, mine...))
	if again.Refresh == "" {
		t.Errorf("%+v", again)
	}
	f.get("/oidc/session/end?id_token_hint=" + again.ID) // it ends with the session
	fails(t, f.refresh(tok.Refresh, mine...), 400, "invalid_grant")
}

func TestRefreshRotation(t *testing.T) {
	t.Parallel()
	f := setup(t)
	spa := f.spa()
	first := f.tokens(f.exchange(f.enter("ada@example.com", "scope", offline, "client_id", "spa"), spa...))
	second := f.tokens(f.refresh(first.Refresh, spa...))
	if second.Refresh == first.Refresh || second.Refresh == "" {
		t.Fatal("a public client's token is not replaced")
	}
	f.db.AdvanceForTest(7 * time.Second) // of ten
	if again := f.tokens(f.refresh(first.Refresh, spa...)); again.Refresh != second.Refresh {
		t.Error("another successor within the grace")
	}
	f.db.AdvanceForTest(4 * time.Second)
	fails(t, f.refresh(first.Refresh, spa...), 400, "invalid_grant")
	fails(t, f.refresh(second.Refresh, spa...), 400, "invalid_grant")
	if r := f.get("/oidc/me", "Authorization", "Bearer "+second.Access); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("userinfo after a reuse: %d", r.StatusCode)
	}
}

func TestParallelRefreshes(t *testing.T) {
	t.Parallel()
	f := setup(t)
	spa := f.spa()
	first := f.tokens(f.exchange(f.enter("ada@example.com", "scope", offline, "client_id", "spa"), spa...))
	var wg sync.WaitGroup
	var mu sync.Mutex
	refresh, access := map[string]int{}, map[string]int{}
	for range 64 {
		wg.Go(func() {
			r, err := http.Post(f.server.URL+"/oidc/token", "application/x-www-form-urlencoded", strings.NewReader(refreshForm(first.Refresh, spa...)))
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Body.Close()
			mu.Lock()
			defer mu.Unlock()
			tok := f.tokens(r)
			refresh[tok.Refresh]++
			access[tok.Access]++
		})
	}
	wg.Wait()
	if len(refresh) != 1 || len(access) > 2 { // two, if the ten seconds of an access token ended meanwhile
		t.Errorf("%d families, %d access tokens", len(refresh), len(access))
	}
	for token := range access {
		if r := f.get("/oidc/me", "Authorization", "Bearer "+token); r.StatusCode != http.StatusOK {
			t.Errorf("userinfo: %d", r.StatusCode)
		}
	}
}

// None of this ends the grant of the person whose token it is.
func TestRefreshRefusals(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.spa()
	f.client(store.Client{ID: "other", Type: store.Traditional, PKCE: true})
	tok := f.tokens(f.exchange(f.enter("ada@example.com", "scope", offline)))
	altered := func(at int) string {
		b := []byte(tok.Refresh)
		b[at] = map[bool]byte{true: 'A', false: 'B'}[b[at] != 'A']
		return string(b)
	}
	for name, c := range map[string]struct {
		token   string
		changes []string
		status  int
		code    string
	}{
		"none":                {"", nil, 400, "invalid_request"},
		"short":               {"x", nil, 400, "invalid_grant"},
		"NUL":                 {"\x00", nil, 400, "invalid_grant"},
		"another grant":       {altered(3), nil, 400, "invalid_grant"},
		"another secret":      {altered(40), nil, 400, "invalid_grant"},
		"longer":              {tok.Refresh + "A", nil, 400, "invalid_grant"},
		"another client":      {tok.Refresh, []string{"client_id", "other"}, 400, "invalid_grant"},
		"a public client":     {tok.Refresh, []string{"client_id", "spa", "client_secret", "-"}, 400, "invalid_grant"},
		"wrong secret":        {tok.Refresh, []string{"client_secret", strings.Repeat("x", 32)}, 401, "invalid_client"},
		"no secret":           {tok.Refresh, []string{"client_secret", "-"}, 401, "invalid_client"},
		"wider scope":         {tok.Refresh, []string{"scope", "openid profile"}, 400, "invalid_scope"},
		"another API":         {tok.Refresh, []string{"resource", "https://api.example"}, 400, "invalid_target"},
		"organization":        {tok.Refresh, []string{"organization_id", "o-1"}, 403, "access_denied"},
		"scope and made up":   {altered(3), []string{"scope", "openid"}, 400, "invalid_grant"},
		"scope and not yours": {tok.Refresh, []string{"scope", "openid", "client_id", "other"}, 400, "invalid_grant"},
	} {
		t.Run(name, func(t *testing.T) { fails(t, f.refresh(c.token, c.changes...), c.status, c.code) })
	}
	fails(t, f.do("POST", "/oidc/token", refreshForm(tok.Refresh)+"&refresh_token="+tok.Refresh), 400, "invalid_request")
	fails(t, f.get("/oidc/token?"+refreshForm(tok.Refresh)), 405, "invalid_request")
	// The last byte is part of the mark alone: an altered mark changes nothing for a live token.
	f.tokens(f.refresh(altered(len(tok.Refresh) - 2)))
	narrow := f.tokens(f.refresh(tok.Refresh, "scope", "email weather"))
	if *narrow.Scope != "email" || narrow.ID != "" {
		t.Errorf("%+v", narrow)
	}
	fails(t, f.get("/oidc/me", "Authorization", "Bearer "+narrow.Access), 403, "insufficient_scope")
	if all := f.tokens(f.refresh(tok.Refresh, "scope", offline)); *all.Scope != offline {
		t.Errorf("%+v", all)
	}
}

// While the instance secret is changed, replicas with either one give the successor
// that the first of them made.
func TestRefreshDuringSecretRotation(t *testing.T) {
	t.Parallel()
	f := setup(t)
	spa := f.spa()
	first := f.tokens(f.exchange(f.enter("ada@example.com", "scope", offline, "client_id", "spa"), spa...))
	second := f.tokens(f.refresh(first.Refresh, spa...))
	rotated, err := keyring.New([]byte("fedcba9876543210fedcba9876543210"), []byte("0123456789abcdef0123456789abcdef"))
	f.must(err)
	f.serve(f.newProviderWith(rotated))
	if again := f.tokens(f.refresh(first.Refresh, spa...)); again.Refresh[:64] != second.Refresh[:64] { // without the mark
		t.Error("another successor")
	}
	third := f.tokens(f.refresh(second.Refresh, spa...))
	f.db.AdvanceForTest(time.Minute)
	fails(t, f.refresh(first.Refresh, spa...), 400, "invalid_grant") // marked under the old secret: still known as used
	fails(t, f.refresh(third.Refresh, spa...), 400, "invalid_grant")
}

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

// A client that was deleted and registered anew under its id, which operators can choose
// since --client-id, holds nothing of what its predecessor held.
func TestClientUnderOldID(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.client(store.Client{ID: "spa", Type: store.SPA, PKCE: true})
	tok := f.tokens(f.exchange(f.enter("ada@example.com", "client_id", "spa", "scope", offline), "client_id", "spa", "client_secret", "-"))
	f.must(f.db.DeleteClient(t.Context(), "spa", time.Time{}))
	if r := f.get("/oidc/me", "Authorization", "Bearer "+tok.Access); r.StatusCode == 200 {
		t.Fatal("the token of a deleted client lives")
	}
	f.db.AdvanceForTest(10 * time.Second)
	f.client(store.Client{ID: "spa", Type: store.SPA, PKCE: true, RedirectURIs: []string{"https://another.example/cb"}})
	if r := f.get("/oidc/me", "Authorization", "Bearer "+tok.Access); r.StatusCode == 200 {
		t.Error("the access token lives again")
	}
	r := f.do(http.MethodPost, "/oidc/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {"spa"}, "refresh_token": {tok.Refresh}}.Encode())
	if r.StatusCode == 200 {
		t.Error("the refresh token lives again")
	}
}
