package e2e_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"idp/e2e/rig"

	"github.com/chromedp/chromedp"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

// openid-client from npm, unmodified, with every way that a client says who it is.
// What it checks stands in run.mjs; here is the person, once in Chromium.
func TestOpenIDClientNPM(t *testing.T) {
	t.Parallel()
	if err := installed("clients/openid-client"); err != nil {
		t.Fatalf("npm ci: %v (install Node.js and npm)", err)
	}
	public, private := clientKey(t)
	// No query in the redirect URI: openid-client derives it from where it was called back.
	land := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "landed") }))
	t.Cleanup(land.Close)
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		for auth, flags := range map[string][]string{
			"basic": {"--type", "traditional"},
			"post":  {"--type", "traditional", "--id-token-alg", "RS256"},
			"key":   {"--type", "traditional", "--jwks", public},
			"none":  {"--type", "spa"},
		} {
			t.Run(auth, func(t *testing.T) {
				app := s.NewClient(append(flags, "--redirect-uri", land.URL+"/callback", "--post-logout-redirect-uri", land.URL+"/bye")...)
				email := auth + "@example.com"
				rig.NewVisitor(t, s).SignUp(s.Request(s.NewClient()), email)
				w := walker{s: s, email: email, mails: 1, home: land.URL}
				open := w.visit(rig.NewVisitor(t, s))
				if auth == "basic" {
					open = w.browse(tab{t, chromium(t)})
				}
				walkOpenIDClient(t, open, "ISSUER="+s.Endpoint+"/oidc", "CLIENT_ID="+app.ID, "CLIENT_SECRET="+app.Secret, "CLIENT_KEY="+private,
					"REDIRECT_URI="+land.URL+"/callback", "POST_LOGOUT_URI="+land.URL+"/bye", "AUTH="+auth, "EMAIL="+email)
			})
		}
	})
}

// walkOpenIDClient runs the client, which prints addresses to open and reads where the
// browser left to from there.
func walkOpenIDClient(t *testing.T, open func(url string) (leaves string, asked bool), env ...string) {
	t.Helper()
	cmd := exec.Command("node", "run.mjs")
	cmd.Dir, cmd.Env, cmd.Stderr = "clients/openid-client", append(os.Environ(), env...), os.Stderr
	in, out := rig.Must(cmd.StdinPipe()), rig.Must(cmd.StdoutPipe())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		leaves, asked := open(lines.Text())
		if err := json.NewEncoder(in).Encode(map[string]any{"leaves": leaves, "asked": asked}); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("openid-client: %v", err)
	}
}

// walker signs in where it is asked to, and tells where that leads.
type walker struct {
	s           *rig.Server
	email, home string
	mails       int
}

// visit walks as a browser without JavaScript.
func (w *walker) visit(v *rig.Visitor) func(url string) (leaves string, asked bool) {
	return func(url string) (string, bool) {
		p := v.Get(url)
		if p.Leaves != "" {
			return p.Leaves, false
		}
		w.mails++
		p = v.Submit(p.Is(200), "/sign-in", "email", w.email).Is(200)
		return v.Submit(p, "/verify", "code", w.s.Code(w.email, w.mails)).Leaves, true
	}
}

// browse walks in Chromium.
func (w *walker) browse(b tab) func(url string) (leaves string, asked bool) {
	return func(url string) (string, bool) {
		b.do(chromedp.Navigate(url))
		at := get(b, chromedp.Location())
		if strings.HasPrefix(at, w.home) {
			return at, false
		}
		w.mails++
		b.submit(emailField, w.email)
		b.do(chromedp.WaitVisible(codeField))
		b.submit(codeField, w.s.Code(w.email, w.mails))
		b.sees("landed")
		return get(b, chromedp.Location()), true
	}
}

// clientKey makes a client's key: a file with its public half, and the private JWK.
func clientKey(t *testing.T) (publicFile, private string) {
	t.Helper()
	key := jose.JSONWebKey{Key: rig.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), KeyID: "app-1", Algorithm: "ES256", Use: "sig"}
	publicFile = filepath.Join(t.TempDir(), "jwks.json")
	set := rig.Must(json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}}))
	if err := os.WriteFile(publicFile, set, 0o600); err != nil {
		t.Fatal(err)
	}
	return publicFile, string(rig.Must(key.MarshalJSON()))
}

// coreos/go-oidc, unmodified, for every ID token algorithm.
func TestGoOIDC(t *testing.T) {
	t.Parallel()
	s := rig.NewServer(t, "sqlite")
	s.Start()
	v := rig.NewVisitor(t, s)
	v.SignUp(s.Request(s.NewClient()), "ada@example.com")
	ctx := context.Background()
	provider, err := oidc.NewProvider(ctx, s.Endpoint+"/oidc")
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range []string{"ES256", "RS256", "ES384", "EdDSA"} {
		app := s.NewClient("--type", "traditional", "--redirect-uri", rig.Callback, "--id-token-alg", alg)
		config := oauth2.Config{ClientID: app.ID, ClientSecret: app.Secret, RedirectURL: rig.Callback, Endpoint: provider.Endpoint(), Scopes: []string{"openid", "email"}}
		verifier := oauth2.GenerateVerifier()
		p := v.Get(config.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier), oidc.Nonce("n")))
		r := s.Request(app, "state", "state")
		tok, err := config.Exchange(ctx, p.Answer(r).Get("code"), oauth2.VerifierOption(verifier))
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
	if resp, err := http.Get(s.Endpoint + "/oidc/jwks"); err != nil || resp.StatusCode != 200 {
		t.Error(resp, err)
	}
}
