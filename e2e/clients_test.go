package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// installed puts the npm packages of a folder in place, as its lock file names them.
func installed(dir string) error {
	cmd := exec.Command("npm", "ci", "--no-audit", "--no-fund")
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// plainCallback has no query: openid-client derives the redirect URI from where it
// was called back, and leaves the query out.
const plainCallback = "https://shop.example/callback"

// openid-client from npm, unmodified: discovery, PKCE, nonce, both secret methods
// and a public client.
func TestOpenIDClientNPM(t *testing.T) {
	t.Parallel()
	if err := installed("clients/openid-client"); err != nil {
		t.Fatalf("npm ci: %v (install Node.js and npm)", err)
	}
	s := newServer(t, "sqlite")
	s.start()
	for name, c := range map[string]struct {
		flags []string
		auth  string
	}{
		"basic":  {[]string{"--type", "traditional", "--redirect-uri", plainCallback}, "basic"},
		"post":   {[]string{"--type", "traditional", "--redirect-uri", plainCallback, "--id-token-alg", "RS256"}, "post"},
		"public": {[]string{"--type", "spa", "--redirect-uri", plainCallback}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			app := s.newClient(c.flags...)
			cmd := exec.Command("node", "run.mjs")
			cmd.Dir = "clients/openid-client"
			cmd.Env = append(os.Environ(), "ISSUER="+s.endpoint+"/oidc", "CLIENT_ID="+app.ID, "CLIENT_SECRET="+app.Secret, "REDIRECT_URI="+plainCallback, "AUTH="+c.auth)
			cmd.Stderr = os.Stderr
			in, out := must(cmd.StdinPipe()), must(cmd.StdoutPipe())
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
			lines := bufio.NewScanner(out)
			next := func(v any) {
				t.Helper()
				if !lines.Scan() {
					t.Fatal("openid-client gave up")
				}
				if err := json.Unmarshal(lines.Bytes(), v); err != nil {
					t.Fatal(err)
				}
			}
			var begin struct{ URL string }
			next(&begin)
			v := newVisitor(t, s)
			email := name + "@example.com"
			p := v.submit(v.get(begin.URL).is(200), "/sign-in", "email", email).is(200)
			p = v.submit(p, "/verify", "code", s.code(email, 1)).is(200) // no account yet: asks
			p = v.submit(p, "/verify")
			if _, err := in.Write([]byte(p.leaves + "\n")); err != nil {
				t.Fatal(err)
			}
			var end struct {
				Claims, Userinfo map[string]any
				Scope            string
			}
			next(&end)
			if end.Claims["email"] != email || end.Userinfo["email"] != email || end.Claims["aud"] != app.ID || end.Claims["sid"] == "" {
				t.Errorf("%+v", end)
			}
			if amr, _ := end.Claims["amr"].([]any); len(amr) != 1 || amr[0] != "otp" {
				t.Errorf("amr is %v", end.Claims["amr"])
			}
		})
	}
}

// coreos/go-oidc, unmodified, for every ID token algorithm.
func TestGoOIDC(t *testing.T) {
	t.Parallel()
	s := newServer(t, "sqlite")
	s.start()
	v := newVisitor(t, s)
	v.signUp(s.request(s.newClient()), "ada@example.com")
	ctx := context.Background()
	provider, err := oidc.NewProvider(ctx, s.endpoint+"/oidc")
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range []string{"ES256", "RS256", "ES384", "EdDSA"} {
		app := s.newClient("--type", "traditional", "--redirect-uri", callback, "--id-token-alg", alg)
		config := oauth2.Config{ClientID: app.ID, ClientSecret: app.Secret, RedirectURL: callback, Endpoint: provider.Endpoint(), Scopes: []string{"openid", "email"}}
		verifier := oauth2.GenerateVerifier()
		p := v.get(config.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier), oidc.Nonce("n")))
		r := s.request(app, "state", "state")
		tok, err := config.Exchange(ctx, p.answer(r).Get("code"), oauth2.VerifierOption(verifier))
		if err != nil {
			t.Fatal(alg, err)
		}
		raw, _ := tok.Extra("id_token").(string)
		id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: app.ID, SupportedSigningAlgs: []string{alg}}).Verify(ctx, raw)
		if err != nil {
			t.Fatal(alg, err)
		}
		if err := id.VerifyAccessToken(tok.AccessToken); err != nil {
			t.Error(alg, err)
		}
		if id.Nonce != "n" || id.Subject == "" {
			t.Errorf("%s: %+v", alg, id)
		}
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(tok))
		if err != nil || info.Email != "ada@example.com" || !info.EmailVerified {
			t.Errorf("%s: userinfo %+v %v", alg, info, err)
		}
	}
	if resp, err := http.Get(s.endpoint + "/oidc/jwks"); err != nil || resp.StatusCode != 200 {
		t.Error(resp, err)
	}
}
