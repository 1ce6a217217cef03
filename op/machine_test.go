package op_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/store"
)

// robot makes a machine with the role that the management API comes with.
func (f *fixture) robot(id string, roles ...string) {
	f.Helper()
	f.must(f.db.CreateMachine(f.Context(), store.Client{ID: id, Name: "Robot", Type: store.Machine, IDTokenAlg: "ES256",
		Secrets: []store.ClientSecret{{ID: store.NewID(time.Now()), Hash: store.HashOf([]byte(secret)), Prefix: secret[:4]}}}, roles))
}

const managementRole = store.ManagementRole

// credentials asks for a token of the machine "robot", with changes to the form.
func (f *fixture) credentials(changes ...string) *http.Response {
	f.Helper()
	return f.do(http.MethodPost, "/oidc/token", change(url.Values{"grant_type": {"client_credentials"}, "client_id": {"robot"}, "client_secret": {secret},
		"resource": {store.ManagementIndicator}, "scope": {"all"}}, changes).Encode())
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*fixture{"sqlite": setup(t), "postgres": setupOnPostgres(t)} {
		f.robot("robot", managementRole)
		r := f.credentials()
		if r.Header.Get("Cache-Control") != "no-store" {
			t.Error(r.Header)
		}
		got := f.tokens(r)
		if got.Type != "Bearer" || got.Expires != 3600 || got.Scope == nil || *got.Scope != "all" || got.ID != "" || got.Refresh != "" {
			t.Errorf("%s: %+v", name, got)
		}
		header, claims := parts(t, got.Access)
		if header["typ"] != "at+jwt" || header["alg"] != "ES256" || header["kid"] == "" {
			t.Errorf("%s: %v", name, header)
		}
		for claim, want := range map[string]any{"iss": f.provider.Issuer(), "sub": "robot", "client_id": "robot", "aud": store.ManagementIndicator, "scope": "all"} {
			if claims[claim] != want {
				t.Errorf("%s: %s is %v, want %v", name, claim, claims[claim], want)
			}
		}
		if claims["exp"].(float64)-claims["iat"].(float64) != 3600 || len(claims["jti"].(string)) < 22 {
			t.Errorf("%s: %v", name, claims)
		}
		client, scopes, err := f.provider.Machine(t.Context(), got.Access, store.ManagementIndicator)
		if err != nil || client != "robot" || strings.Join(scopes, " ") != "all" {
			t.Errorf("%s: %s %v %v", name, client, scopes, err)
		}
		if second := f.tokens(f.credentials("scope", "-")); *second.Scope != "all" || payload(t, second.Access)["jti"] == claims["jti"] {
			t.Errorf("%s: without a scope: %+v", name, second)
		}
		// What the roles do not give is left out, and the token says so.
		if got := f.tokens(f.credentials("scope", "users:read everything")); *got.Scope != "" || payload(t, got.Access)["scope"] != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestClientCredentialsRefusals(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.robot("robot", managementRole)
	f.client(store.Client{ID: "spa", Type: store.SPA, PKCE: true})
	for name, c := range map[string]struct {
		changes []string
		status  int
		code    string
	}{
		"no resource":       {[]string{"resource", "-"}, 400, "invalid_target"},
		"empty resource":    {[]string{"resource", ""}, 400, "invalid_target"},
		"unknown resource":  {[]string{"resource", "https://api.example"}, 400, "invalid_target"},
		"odd resource":      {[]string{"resource", "\x00\xff"}, 400, "invalid_target"},
		"long resource":     {[]string{"resource", "https://" + strings.Repeat("a", 9000)}, 400, "invalid_target"},
		"organization":      {[]string{"organization_id", "o"}, 403, "access_denied"},
		"wrong secret":      {[]string{"client_secret", secret[1:] + "x"}, 401, "invalid_client"},
		"no secret":         {[]string{"client_secret", "-"}, 401, "invalid_client"},
		"a website":         {[]string{"client_id", "shop"}, 400, "unauthorized_client"},
		"an app in browser": {[]string{"client_id", "spa", "client_secret", "-"}, 400, "unauthorized_client"},
	} {
		t.Run(name, func(t *testing.T) { fails(t, f.credentials(c.changes...), c.status, c.code) })
	}
	two := url.Values{"grant_type": {"client_credentials"}, "client_id": {"robot"}, "client_secret": {secret}, "resource": {store.ManagementIndicator, "https://api.example"}}
	fails(t, f.do(http.MethodPost, "/oidc/token", two.Encode()), 400, "invalid_target")
	for _, grant := range []string{"authorization_code", "refresh_token"} {
		fails(t, f.credentials("grant_type", grant), 400, "unauthorized_client")
	}
}

// A machine's token is worth nothing once the machine is gone, or another under its id, or
// its secret has run out, and less once a role is taken away.
func TestMachineEnds(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.robot("robot", managementRole)
	token := f.tokens(f.credentials()).Access
	works := func() bool {
		t.Helper()
		_, _, err := f.provider.Machine(t.Context(), token, store.ManagementIndicator)
		if err != nil && store.CodeOf(err) != store.Invalid {
			t.Fatal(err)
		}
		return err == nil
	}
	if !works() {
		t.Fatal("a new token does not work")
	}
	f.must(f.db.DeleteClient(t.Context(), "robot", time.Time{}))
	if works() {
		t.Error("the token of a deleted machine works")
	}
	f.db.AdvanceForTest(time.Minute)
	f.robot("robot")
	if works() {
		t.Error("the token works for another machine under the same id")
	}
	token = f.tokens(f.credentials()).Access
	if _, scopes, err := f.provider.Machine(t.Context(), token, store.ManagementIndicator); err != nil || len(scopes) > 0 {
		t.Errorf("a machine without a role: %v %v", scopes, err)
	}
	f.db.AdvanceForTest(time.Hour)
	if works() {
		t.Error("an expired token works")
	}

	late := "another0secret0another0secret0ab"
	f.must(f.db.AddClientSecret(t.Context(), "robot", store.ClientSecret{ID: store.NewID(time.Now()), Hash: store.HashOf([]byte(late)), Prefix: late[:4], ExpiresAt: f.db.Now().Add(time.Minute)}, 1))
	f.tokens(f.credentials("client_secret", late))
	f.db.AdvanceForTest(time.Minute)
	fails(t, f.credentials("client_secret", late), 401, "invalid_client")
	f.tokens(f.credentials())
}
