package rig

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// What apps of these tests ask for.
const (
	Goodbye = "https://shop.example/bye"
	Offline = "openid offline_access email"
)

// Callback is the redirect URI of [Server.NewClient].
const Callback = "https://shop.example/callback?from=idp"

// Client is what `idp client create --json` prints.
type Client struct {
	ID           string   `json:"id"`
	Secret       string   `json:"secret"`
	Name         string   `json:"name"`
	Type         string   `json:"type"`
	RedirectURIs []string `json:"redirectUris"`
}

// Tokens is a token response.
type Tokens struct {
	Status       int
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	IDToken      string `json:"id_token"`
	TokenType    string `json:"token_type"`
	Scope        string `json:"scope"`
	ExpiresIn    int    `json:"expires_in"`
	Error        string `json:"error"`
	Code         string `json:"code"`
}

// Machine makes the client that everything else is set up with. It is the only thing that
// a command is needed for.
func (s *Server) Machine() Client {
	s.T.Helper()
	return s.NewClient("--type", "m2m", "--role", "Management API access")
}

// ManagementToken gets a token for the management API.
func (s *Server) ManagementToken(c Client) string {
	s.T.Helper()
	resp, err := http.PostForm(s.Endpoint+"/oidc/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {c.ID}, "client_secret": {c.Secret},
		"resource": {"https://default.logto.app/api"}, "scope": {"all"}})
	if err != nil {
		s.T.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
		s.T.Fatalf("no token: %d %v", resp.StatusCode, err)
	}
	return answer.AccessToken
}

// Manage reads something over the management API.
func (s *Server) Manage(token, path string) int {
	s.T.Helper()
	r := Must(http.NewRequest(http.MethodGet, s.Endpoint+path, nil))
	r.Header.Set("Authorization", "Bearer "+token)
	resp := Must(http.DefaultClient.Do(r))
	defer resp.Body.Close()
	return resp.StatusCode
}

// Call posts a form to the provider as a client's server does, with its credentials.
func (s *Server) Call(c Client, path string, form url.Values) (status int, body map[string]any) {
	s.T.Helper()
	if c.Secret == "" {
		form.Set("client_id", c.ID)
	}
	req := Must(http.NewRequest(http.MethodPost, s.Endpoint+path, strings.NewReader(form.Encode())))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c.Secret != "" {
		req.SetBasicAuth(c.ID, c.Secret)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.T.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text := Must(io.ReadAll(resp.Body))
	if len(text) > 0 {
		if err := json.Unmarshal(text, &body); err != nil {
			s.T.Fatalf("%s: %v", path, err)
		}
	}
	return resp.StatusCode, body
}

// Refresh presents a refresh token; "" is the new one of an error.
func (s *Server) Refresh(c Client, token string) (refresh, access string) {
	s.T.Helper()
	_, body := s.Call(c, "/oidc/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
	refresh, _ = body["refresh_token"].(string)
	access, _ = body["access_token"].(string)
	return refresh, access
}

// Active tells whether introspection says that a token lives, to its client.
func (s *Server) Active(c Client, token string) bool {
	s.T.Helper()
	_, body := s.Call(c, "/oidc/token/introspection", url.Values{"token": {token}})
	return body["active"] == true
}

// Lasting is an app that stays signed in.
func (s *Server) Lasting(kind string) Client {
	return s.NewClient("--type", kind, "--redirect-uri", Callback, "--post-logout-redirect-uri", Goodbye)
}

// SignOutPath is where an app sends people to sign out.
func (s *Server) SignOutPath(c Client) string {
	return "/oidc/session/end?" + url.Values{"client_id": {c.ID}, "post_logout_redirect_uri": {Goodbye}}.Encode()
}

// MachineToken gets a machine's access token for an API.
func (s *Server) MachineToken(c Client, resource string) string {
	s.T.Helper()
	return s.Token(url.Values{"grant_type": {"client_credentials"}, "resource": {resource}}, c).AccessToken
}

// Token asks the token endpoint as a confidential client.
func (s *Server) Token(form url.Values, c Client) (tok Tokens) {
	s.T.Helper()
	req := Must(http.NewRequestWithContext(s.T.Context(), http.MethodPost, s.Endpoint+"/oidc/token", strings.NewReader(form.Encode())))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(c.ID, c.Secret)
	resp := Must(http.DefaultClient.Do(req))
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(&tok); err != nil || resp.StatusCode != http.StatusOK {
		s.T.Fatalf("token endpoint: %d %+v %v", resp.StatusCode, tok, err)
	}
	return tok
}

// NewClient registers a client; without flags a traditional one with [callback].
func (s *Server) NewClient(flags ...string) Client {
	s.T.Helper()
	args := []string{"client", "create", "--name", "Bookstore", "--json"}
	if len(flags) == 0 {
		flags = []string{"--type", "traditional", "--redirect-uri", Callback}
	}
	var c Client
	if err := json.Unmarshal([]byte(s.Run(append(args, flags...)...)), &c); err != nil {
		s.T.Fatal(err)
	}
	return c
}

// Redeem exchanges a code as the client's server does. It may run in parallel.
func (s *Server) Redeem(r Request, code string) Tokens {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {r.Params.Get("redirect_uri")}, "code_verifier": {r.Verifier}}
	if r.Client.Secret == "" {
		form.Set("client_id", r.Client.ID)
	}
	req, _ := http.NewRequest(http.MethodPost, s.Endpoint+"/oidc/token", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if r.Client.Secret != "" {
		req.SetBasicAuth(r.Client.ID, r.Client.Secret)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return Tokens{Error: err.Error()}
	}
	defer func() { _ = resp.Body.Close() }()
	tok := Tokens{Status: resp.StatusCode}
	if err := json.NewDecoder(resp.Body).Decode(&tok); err != nil {
		tok.Error = err.Error()
	}
	return tok
}

// Userinfo asks /oidc/me.
func (s *Server) Userinfo(access string) (status int, claims map[string]any) {
	req, _ := http.NewRequest(http.MethodGet, s.Endpoint+"/oidc/me", nil)
	req.Header.Set("Authorization", "Bearer "+access)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = resp.Body.Close() }()
	_ = json.NewDecoder(resp.Body).Decode(&claims)
	return resp.StatusCode, claims
}
