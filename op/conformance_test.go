package op_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/op"
	"idp/store"
)

// What the OpenID certification plans look at and no other test holds: see
// docs/conformance.md.

// A request object does not help a redirect URI that is not known: the page comes
// before request_not_supported, which would be told to whoever sent the link.
func TestNoErrorGoesToAnUnknownURI(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, changes := range [][]string{
		{"request", "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL3Nob3AuZXhhbXBsZS9jYWxsYmFjayJ9."},
		{"request_uri", "https://shop.example/request"},
		{"prompt", "none"},
		{"prompt", "dance"},
		{"response_type", "-"},
		{"response_mode", "web_message"},
		{"id_token_hint", "x"},
		{"max_age", "x"},
		{"code_challenge", "-"},
	} {
		f.refused = nil
		r := f.authorize(append(changes, "redirect_uri", "https://evil.example/callback")...)
		if r.Header.Get("Location") != "" || len(f.refused) != 1 || f.refused[0].Kind != "redirect_mismatch" {
			t.Errorf("%v: %d %q %+v", changes, r.StatusCode, r.Header.Get("Location"), f.refused)
		}
	}
}

// Parameters that mean nothing here change nothing: neither the page nor the tokens.
func TestParametersWithoutEffect(t *testing.T) {
	t.Parallel()
	f := setup(t)
	minimal := []string{"scope", "openid"}
	names := func(claims map[string]any) []string { return slices.Sorted(maps.Keys(claims)) }
	plain := names(payload(t, f.tokens(f.exchange(f.code(minimal...))).ID))
	for _, changes := range [][]string{
		{"claims", `{"userinfo":{"name":{"essential":true}},"id_token":{"acr":{"essential":true,"values":["urn:mace:incommon:iap:silver"]}}}`},
		{"claims", "{"},
		{"acr_values", "1 2"},
		{"claims_locales", "se"},
		{"ui_locales", "se"},
		{"display", "page"},
		{"display", "popup"},
		{"display", "touch"},
		{"display", "hologram"},
		{"id_token_hint", ""},
		{"request", ""},
		{"login_hint", ""},
		{"extra", "foobar"},
		{"nonce", "-"},
	} {
		tok := f.tokens(f.exchange(f.code(append(changes, minimal...)...)))
		if got := names(payload(t, tok.ID)); !slices.Equal(got, plain) {
			t.Errorf("%v: claims %v, want %v", changes, got, plain)
		}
		var info map[string]any
		f.must(json.NewDecoder(f.get("/oidc/me", "Authorization", "Bearer "+tok.Access).Body).Decode(&info))
		if len(info) != 1 || info["sub"] == "" {
			t.Errorf("%v: userinfo %v", changes, info)
		}
	}
}

// A verifier is 43 to 128 of the characters of RFC 7636 section 4.1, "." and "~" among
// them.
func TestVerifierAlphabet(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for text, good := range map[string]bool{
		strings.Repeat("a.~_-Z9", 7):   true,
		strings.Repeat("~", 43):        true,
		strings.Repeat(".", 128):       true,
		strings.Repeat("~", 42):        false,
		strings.Repeat(".", 129):       false,
		strings.Repeat("a", 42) + "+":  false,
		strings.Repeat("a", 42) + "/":  false,
		strings.Repeat("a", 42) + "=":  false,
		strings.Repeat("a", 42) + " ":  false,
		strings.Repeat("a", 42) + "\n": false,
	} {
		sum := sha256.Sum256([]byte(text))
		code := f.code("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]))
		r := f.exchange(code, "code_verifier", text)
		if good {
			f.tokens(r)
		} else {
			fails(t, r, http.StatusBadRequest, "invalid_grant")
		}
	}
}

// Whoever is asked to sign in again has a later auth_time afterwards, and is the same.
func TestPromptLoginRenewsAuthTime(t *testing.T) {
	t.Parallel()
	f := setup(t)
	first := payload(t, f.tokens(f.exchange(f.enter("ada@example.com"))).ID)
	f.db.AdvanceForTest(2 * time.Second)
	f.begun = nil
	f.authorize("prompt", "login")
	again := f.signInAfter("ada@example.com", f.begun[0], f.session)
	second := payload(t, f.tokens(f.exchange(query(t, again.Redirect).Get("code"))).ID)
	if second["auth_time"].(float64) < first["auth_time"].(float64)+1 || second["sub"] != first["sub"] || second["sid"] == first["sid"] {
		t.Errorf("%v, then %v", first, second)
	}
}

// A code that comes again, at once, after half a minute, or when it has expired, ends
// all that it gave: the tokens, and those that were refreshed since.
func TestCodeReuse(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]time.Duration{"at once": 0, "after 30 seconds": 30 * time.Second, "after it expired": 2 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			code := f.enter("ada@example.com", "scope", offline)
			first := f.tokens(f.exchange(code))
			second := f.tokens(f.refresh(first.Refresh))
			f.db.AdvanceForTest(wait)
			fails(t, f.exchange(code, "code_verifier", strings.Repeat("v", 43)), 400, "invalid_grant") // whoever it is
			for _, access := range []string{first.Access, second.Access} {
				fails(t, f.get("/oidc/me", "Authorization", "Bearer "+access), 401, "invalid_token")
			}
			fails(t, f.refresh(first.Refresh), 400, "invalid_grant")
			fails(t, f.refresh(second.Refresh), 400, "invalid_grant")
			fails(t, f.exchange(code), 400, "invalid_grant")
			if !f.isSignedIn() {
				t.Error("the session ended as well")
			}
		})
	}
}

// Spellings that some parser takes for the registered URI, or for another host. Each is
// refused by a page; TestRedirectURIBytes has more of them.
func TestRedirectURITricks(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.client(store.Client{ID: "web", Type: store.Traditional, RedirectURIs: []string{"https://shop.example/a/cb"}})
	for _, uri := range []string{
		"https://shop.example./a/cb",               // a host name with its root
		"https://shop.example:80/a/cb",             // another port
		"https://shop.example:0443/a/cb",           // the same port
		"https://shop.example:/a/cb",               // no port
		"https://:@shop.example/a/cb",              // an empty user
		"https://evil.example\\@shop.example/a/cb", // which one is the host?
		"https://evil.example#@shop.example/a/cb",
		"https://shop.example%2f@evil.example/a/cb",
		"https://shop.example%40evil.example/a/cb",
		"https://shop.example%00.evil.example/a/cb",
		"https://shop.example\t/a/cb", // browsers drop it
		"https://shop.example/a/cb%00",
		"https://shop.example/a/cb%0d%0aX:%20y",
		"https://shop.example/a/%2e%2e/a/cb", // encoded dots
		"https://shop.example/a/b/../cb",
		"https://shop.example/a/..;/a/cb",
		"https://shop.example/a\\cb",
		"https://shop.example/a%2fcb",
		"https://shop.example/a/cb/..",
		"https://shop.example/a/cb;x",
		"https://shop.example/a/cb?code=mine", // a query of the attacker's
		"https://shop.example/a/cb&code=mine",
		"https://shop.example/a/cb#code=mine", // a fragment
		"https://shop.ex\u0430mple/a/cb",      // a Cyrillic letter
		"https://shop\u3002example/a/cb",      // an ideographic full stop
		"https://\uff53hop.example/a/cb",      // a fullwidth letter
		"https://shop.example\u200b/a/cb",     // nothing to be seen
		"https://xn--shop-.example/a/cb",
		"https:/shop.example/a/cb", // browsers mend these
		"https:shop.example/a/cb",
		"https:\\\\shop.example/a/cb",
		"///shop.example/a/cb",
		"/a/cb",
		"http://shop.example/a/cb",
		"javascript://shop.example/a/cb",
		"javascript:alert(1)//https://shop.example/a",
		"data:text/html,https://shop.example/a/cb",
		"https://shop.example/a/cb,https://shop.example/a/cb",
		"https://shop.example/a/cb https://evil.example/",
	} {
		f.refused = nil
		r := f.authorize("client_id", "web", "redirect_uri", uri)
		if r.Header.Get("Location") != "" || len(f.refused) != 1 || f.refused[0].Kind != "redirect_mismatch" {
			t.Errorf("%q: %d %q %+v", uri, r.StatusCode, r.Header.Get("Location"), f.refused)
		}
	}
	if len(f.begun) > 0 {
		t.Error("a page was begun")
	}
}

// An answer to the client is a 303 without a body, is not kept, and names its issuer; the
// page of the client that follows it learns nothing of where it came from.
func TestAnswersToTheClient(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.enter("ada@example.com")
	for name, r := range map[string]*http.Response{
		"a code":   f.authorize(),
		"silently": f.authorize("prompt", "none"),
		"an error": f.authorize("response_type", "-"),
	} {
		body, err := io.ReadAll(r.Body)
		f.must(err)
		if r.StatusCode != http.StatusSeeOther || len(body) > 0 || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %d %v %q", name, r.StatusCode, r.Header, body)
		}
	}
	f.session = store.Hash{}
	f.begun = nil
	f.authorize("state", "a b&c")
	for name, to := range map[string]string{"cancelled": f.provider.Cancel(f.begun[0]), "somebody else": f.signIn(f.begun[0]).Otherwise} {
		if got := query(t, to); got.Get("iss") != f.provider.Issuer() || got.Get("state") != "a b&c" || got.Get("error") == "" || got.Has("code") {
			t.Errorf("%s: %s", name, to)
		}
	}
}

// The metadata of a provider behind https: every address is below the issuer, and what
// Discovery section 3 requires is there.
func TestDiscoveryOverHTTPS(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p, err := op.New(op.Deps{Store: f.db, Ring: ring, Endpoint: &url.URL{Scheme: "https", Host: "id.example.com"}, Browser: f, Pages: f, Log: discard})
	f.must(err)
	f.must(p.Start(t.Context()))
	f.serve(p)
	var doc map[string]any
	f.must(json.NewDecoder(f.get(discoveryPath).Body).Decode(&doc))
	for name, v := range doc {
		if uri, is := v.(string); is && name != "issuer" && !strings.HasPrefix(uri, "https://id.example.com/oidc/") {
			t.Errorf("%s is %v", name, v)
		}
		if list, is := v.([]any); is && len(list) == 0 {
			t.Errorf("%s is empty", name)
		}
	}
	for _, name := range []string{"issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint", "response_types_supported",
		"subject_types_supported", "id_token_signing_alg_values_supported", "scopes_supported", "claims_supported", "code_challenge_methods_supported"} {
		if doc[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	for name, want := range map[string]any{"issuer": "https://id.example.com/oidc", "claims_parameter_supported": false, "request_parameter_supported": false} {
		if doc[name] != want {
			t.Errorf("%s is %v", name, doc[name])
		}
	}
	var set struct{ Keys []map[string]any }
	f.must(json.NewDecoder(f.get(jwksPath).Body).Decode(&set))
	for _, k := range set.Keys {
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
			if _, there := k[private]; there {
				t.Errorf("key %v has %s", k["kid"], private)
			}
		}
	}
}
