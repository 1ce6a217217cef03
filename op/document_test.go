package op_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"idp/op"
	"idp/store"
	"idp/store/sqlstore"
)

const (
	discoveryPath = "/oidc/.well-known/openid-configuration"
	jwksPath      = "/oidc/jwks"
)

func TestDiscovery(t *testing.T) {
	t.Parallel()
	f := setup(t)
	var doc map[string]any
	f.must(json.NewDecoder(f.get(discoveryPath).Body).Decode(&doc))
	issuer := f.server.URL + "/oidc"
	for name, want := range map[string]any{
		"issuer": issuer, "authorization_endpoint": issuer + "/auth", "token_endpoint": issuer + "/token", "userinfo_endpoint": issuer + "/me",
		"jwks_uri": issuer + "/jwks", "revocation_endpoint": issuer + "/token/revocation", "introspection_endpoint": issuer + "/token/introspection",
		"end_session_endpoint": issuer + "/session/end", "authorization_response_iss_parameter_supported": true, "request_uri_parameter_supported": false,
	} {
		if doc[name] != want {
			t.Errorf("%s is %v", name, doc[name])
		}
	}
	for name, v := range doc {
		if v == nil {
			t.Errorf("%s is null", name)
		}
	}
	for name, want := range map[string]string{
		"grant_types_supported": "authorization_code refresh_token client_credentials", "response_types_supported": "code", "code_challenge_methods_supported": "S256",
		"id_token_signing_alg_values_supported": "ES256 RS256 ES384 EdDSA", "scopes_supported": "openid offline_access profile email address custom_data identities roles",
		"token_endpoint_auth_methods_supported":         "client_secret_basic client_secret_post private_key_jwt none",
		"introspection_endpoint_auth_methods_supported": "client_secret_basic client_secret_post private_key_jwt",
	} {
		if got := strings.Trim(fmt.Sprint(doc[name]), "[]"); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if _, there := doc["device_authorization_endpoint"]; there {
		t.Error("a device flow is advertised")
	}
	// The Host of a request decides nothing.
	r, _ := http.NewRequest(http.MethodGet, f.server.URL+discoveryPath, nil)
	r.Host = "evil.example"
	response, err := http.DefaultClient.Do(r)
	f.must(err)
	defer response.Body.Close()
	doc = nil
	f.must(json.NewDecoder(response.Body).Decode(&doc))
	if doc["issuer"] != issuer {
		t.Error(doc["issuer"])
	}
}

func TestDocumentsAreStatic(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for path, cache := range map[string]string{discoveryPath: "public, max-age=300", jwksPath: "public, no-cache"} {
		r := f.get(path, "Origin", "https://anywhere.example")
		tag := r.Header.Get("ETag")
		if r.StatusCode != http.StatusOK || tag == "" || r.Header.Get("Cache-Control") != cache || r.Header.Get("Content-Type") != "application/json" ||
			r.Header.Get("Access-Control-Allow-Origin") != "*" || r.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %d %v", path, r.StatusCode, r.Header)
		}
		for _, match := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
			if r := f.get(path, "If-None-Match", match); r.StatusCode != http.StatusNotModified {
				t.Errorf("%s: If-None-Match %s: %d", path, match, r.StatusCode)
			}
		}
		if r := f.get(path, "If-None-Match", `"x"`); r.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
		if r := f.do("HEAD", path, ""); r.StatusCode != http.StatusOK {
			t.Errorf("HEAD %s: %d", path, r.StatusCode)
		}
		fails(t, f.do("POST", path, ""), http.StatusMethodNotAllowed, "invalid_request")
	}
}

func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, path := range []string{"/oidc/", "/oidc/session", "/oidc/session/end/", "/oidc/device/auth",
		"/oidc/token/", "/oidc//token", "/oidc/./token", "/oidc/%74oken", "/oidc/TOKEN", "/oidc/healthz", "/oidc/ready", "/oidc/oidc/token"} {
		r := f.get(path)
		if r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.StatusCode)
			continue
		}
		fails(t, r, http.StatusNotFound, "invalid_request")
	}
}

func TestKeysArePublished(t *testing.T) {
	t.Parallel()
	f := setup(t)
	if got := published(f); !slices.Equal(got, []string{"ES256", "RS256"}) {
		t.Fatal(got)
	}
	f.client(store.Client{ID: "modern", Type: store.Traditional, PKCE: true, IDTokenAlg: "EdDSA"})
	f.tokens(f.exchange(f.code("client_id", "modern"), "client_id", "modern"))
	if got := published(f); !slices.Equal(got, []string{"ES256", "EdDSA", "RS256"}) {
		t.Fatal(got)
	}
	keys, err := f.db.SigningKeys(t.Context())
	f.must(err)
	for _, k := range keys {
		if _, err := ring.Sealer("signing key").Open(k.Sealed, []byte(k.ID)); err != nil {
			t.Errorf("%s: %v", k.Alg, err)
		}
	}
}

func published(f *fixture) (algs []string) {
	f.Helper()
	var set struct{ Keys []map[string]any }
	f.must(json.NewDecoder(f.get(jwksPath).Body).Decode(&set))
	for _, k := range set.Keys {
		algs = append(algs, k["alg"].(string))
		if k["use"] != "sig" || len(k["kid"].(string)) != 43 || k["d"] != nil {
			f.Errorf("%v", k)
		}
	}
	slices.Sort(algs)
	return algs
}

// Replicas that start at once on an empty database end up with the same keys.
func TestReplicasShareKeys(t *testing.T) {
	t.Parallel()
	f := setup(t)
	path := filepath.Join(t.TempDir(), "idp.db")
	var dbs []*sqlstore.DB
	for range 3 {
		e := openSQLite(t, path)
		dbs = append(dbs, openDB(t, e, e))
	}
	var wg sync.WaitGroup
	for _, db := range dbs {
		wg.Go(func() {
			p, err := op.New(op.Deps{Store: db, Ring: ring, Endpoint: endpointOf(f), Browser: f, Pages: f, Log: discard})
			if err == nil {
				err = p.Start(t.Context())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	keys, err := dbs[0].SigningKeys(t.Context())
	f.must(err)
	if len(keys) != 2 {
		t.Errorf("%d keys", len(keys))
	}
}
