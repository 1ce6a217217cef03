package op_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// params are those of a good request, with name-value pairs changed; the value
// "-" takes a parameter out.
func params(changes ...string) url.Values {
	v := url.Values{"client_id": {"shop"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid profile email"},
		"state": {"st"}, "code_challenge": {s256}, "code_challenge_method": {"S256"}}
	return change(v, changes)
}

func change(v url.Values, changes []string) url.Values {
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "-" {
			v.Del(changes[i])
		} else {
			v.Set(changes[i], changes[i+1])
		}
	}
	return v
}

func (f *fixture) authorize(changes ...string) *http.Response {
	f.Helper()
	return f.get("/oidc/auth?" + params(changes...).Encode())
}

func (f *fixture) get(path string, headers ...string) *http.Response {
	f.Helper()
	return f.do(http.MethodGet, path, "", headers...)
}

// do sends a request and follows no redirect. headers are name-value pairs.
func (f *fixture) do(method, path, body string, headers ...string) *http.Response {
	f.Helper()
	r, err := http.NewRequestWithContext(f.Context(), method, f.server.URL+path, strings.NewReader(body))
	f.must(err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	f.must(err)
	f.Cleanup(func() { response.Body.Close() })
	return response
}

// exchange redeems a code as the client shop, with changes.
func (f *fixture) exchange(code string, changes ...string) *http.Response {
	f.Helper()
	return f.do(http.MethodPost, "/oidc/token", exchangeForm(code, changes...))
}

func exchangeForm(code string, changes ...string) string {
	return change(url.Values{"grant_type": {"authorization_code"}, "client_id": {"shop"}, "client_secret": {secret}, "code": {code},
		"redirect_uri": {callback}, "code_verifier": {verifier}}, changes).Encode()
}

type tokens struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"`
	Expires int    `json:"expires_in"`
	ID      string `json:"id_token"`
	Refresh string `json:"refresh_token"`
	Scope   *string
}

func (f *fixture) tokens(r *http.Response) (t tokens) {
	f.Helper()
	if r.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(r.Body)
		f.Fatalf("token endpoint: %d %s", r.StatusCode, b)
	}
	f.must(json.NewDecoder(r.Body).Decode(&t))
	return t
}

// fails checks status, code and the members that Logto's SDKs need.
func fails(t *testing.T, r *http.Response, status int, code string) {
	t.Helper()
	var body map[string]string
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		t.Fatalf("status %d, body: %v", r.StatusCode, err)
	}
	if r.StatusCode != status || body["error"] != code {
		t.Fatalf("got %d %v, want %d %s", r.StatusCode, body, status, code)
	}
	if body["code"] != "oidc."+code || body["message"] == "" || body["message"] != body["error_description"] {
		t.Errorf("members of the error: %v", body)
	}
	if r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers of the error: %v", r.Header)
	}
}

func query(t *testing.T, location string) url.Values {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	v, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// payload is what a JWT says, unverified.
func payload(t *testing.T, token string) map[string]any {
	t.Helper()
	_, claims := parts(t, token)
	return claims
}
