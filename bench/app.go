package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// app is the relying party: the client that `idp client create` made.
type app struct {
	endpoint string
	redirect string
	scope    string
	ID       string `json:"id"`
	Secret   string `json:"secret"` // "" for a public client
}

// post makes a request of the application's server, or of the public client, which
// only names itself.
func (a *app) post(ctx context.Context, path string, form url.Values) (*http.Request, error) {
	if a.Secret == "" {
		form.Set("client_id", a.ID)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.endpoint+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a.Secret != "" {
		req.SetBasicAuth(a.ID, a.Secret)
	}
	return req, nil
}

func (a *app) get(ctx context.Context, path string) (*http.Request, error) {
	return http.NewRequestWithContext(ctx, http.MethodGet, a.endpoint+path, nil)
}

func (a *app) userinfo(ctx context.Context, access string) (*http.Request, error) {
	req, err := a.get(ctx, "/oidc/me")
	if err == nil {
		req.Header.Set("Authorization", "Bearer "+access)
	}
	return req, err
}

// tokens are what the token endpoint answers.
type tokens struct {
	Access  string `json:"access_token"`
	ID      string `json:"id_token"`
	Refresh string `json:"refresh_token"`
}

type claims struct{ Sub, Nonce, Aud string }

// claims reads the ID token. The signature is not checked: that would be the
// driver's CPU, not the server's.
func (t tokens) claims() (c claims) {
	if parts := strings.Split(t.ID, "."); len(parts) == 3 {
		text, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(text, &c)
	}
	return c
}

// call sends a request that is answered 200 with JSON.
func call(c *http.Client, req *http.Request, into any) error {
	a, err := send(c, req)
	if err != nil {
		return err
	}
	if err := a.expect(http.StatusOK); err != nil {
		return err
	}
	return json.Unmarshal(a.body, into)
}
