package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"idp/op"
	"idp/store"
)

type clientCreateCmd struct {
	jsonFlag
	Name                  string   `help:"Name, shown to people who sign in." required:""`
	Type                  string   `help:"traditional (keeps a secret on a server), spa (runs in the browser), native (runs on a device)." enum:"traditional,spa,native,m2m" required:""`
	RedirectURI           []string `name:"redirect-uri" help:"Where people come back to after signing in, exactly; repeat for more." sep:"none" placeholder:"URI"`
	PostLogoutRedirectURI []string `name:"post-logout-redirect-uri" help:"Where people come back to after signing out; repeat for more." sep:"none" placeholder:"URI"`
	IDTokenAlg            string   `name:"id-token-alg" help:"Algorithm that signs the ID token." enum:"ES256,RS256,ES384,EdDSA" default:"ES256"`
	AlwaysRefresh         bool     `name:"always-refresh" help:"Give a refresh token without the scope offline_access, too; it ends with the session."`
	JWKS                  string   `name:"jwks" help:"File with the app's public keys, a JSON Web Key Set: it signs in to us by private_key_jwt and gets no secret." placeholder:"FILE"`
	NoPKCE                bool     `name:"no-pkce" help:"Do not require PKCE; for old server-side apps only."`
}

// Help shows how it is used.
func (*clientCreateCmd) Help() string {
	return `Examples:

  idp client create --name Shop --type traditional --redirect-uri https://shop.example.com/callback

  idp client create --name "Shop app" --type native --redirect-uri com.example.shop://callback --json

The secret is printed once and cannot be shown again; idp client rotate-secret makes a new one.`
}

// Run registers a client.
func (c *clientCreateCmd) Run(a *app) error {
	made, err := c.client()
	if err != nil {
		return err
	}
	secret := ""
	if made.Type.Confidential() && made.JWKS == "" {
		var s store.ClientSecret
		secret, s = newClientSecret()
		made.Secrets = []store.ClientSecret{s}
	}
	return a.with(func(ctx context.Context, in *instance) error {
		if err := in.db.CreateClient(ctx, made); err != nil {
			return err
		}
		v := viewOf(made)
		v.Secret, v.Secrets = secret, nil
		if c.JSON {
			return a.printJSON(v)
		}
		if err := a.printClient(v); err != nil {
			return err
		}
		if secret != "" {
			a.note("Keep the secret now: it is not shown again.")
		}
		return nil
	})
}

// client checks the flags and makes the client of them.
func (c *clientCreateCmd) client() (store.Client, error) {
	kind := store.ClientType(c.Type)
	if kind == store.Machine {
		return store.Client{}, failed(errors.New("machine-to-machine clients are not available in this version yet"),
			"They come with the management API. Types that work: traditional, spa, native.")
	}
	name := strings.TrimSpace(c.Name)
	if name == "" || utf8.RuneCountInString(name) > 128 || !utf8.ValidString(name) || printable(name) != name {
		return store.Client{}, usage(errors.New("--name is between 1 and 128 characters, none of them a control character"), "")
	}
	if c.NoPKCE && !kind.Confidential() {
		return store.Client{}, usage(fmt.Errorf("--no-pkce does not fit --type %s", kind), "An app without a secret always needs PKCE (RFC 9700 section 2.1.1).")
	}
	if len(c.RedirectURI) == 0 {
		return store.Client{}, usage(errors.New("a client that people sign in to needs a redirect URI"), "Add --redirect-uri https://…/callback")
	}
	var errs []error
	for _, u := range c.RedirectURI {
		errs = append(errs, kind.CheckRedirectURI(u))
	}
	for _, u := range c.PostLogoutRedirectURI {
		errs = append(errs, kind.CheckPostLogoutURI(u))
	}
	if err := errors.Join(errs...); err != nil {
		return store.Client{}, usage(err, "")
	}
	keys, err := c.keys(kind)
	if err != nil {
		return store.Client{}, err
	}
	return store.Client{
		ID: newClientID(), AlwaysRefresh: c.AlwaysRefresh, JWKS: keys, Name: name, Type: kind, RedirectURIs: c.RedirectURI, PostLogoutRedirectURIs: c.PostLogoutRedirectURI,
		IDTokenAlg: c.IDTokenAlg, PKCE: !c.NoPKCE,
	}, nil
}

// maxKeys bounds a key set: a handful of keys.
const maxKeys = 32 << 10

// keys reads the app's public keys.
func (c *clientCreateCmd) keys(kind store.ClientType) (string, error) {
	if c.JWKS == "" {
		return "", nil
	}
	if !kind.Confidential() {
		return "", usage(fmt.Errorf("--jwks does not fit --type %s", kind), "An app whose key everybody can read proves nothing with it.")
	}
	text, err := os.ReadFile(c.JWKS)
	if err != nil {
		return "", usage(fmt.Errorf("--jwks: %w", err), "")
	}
	if len(text) > maxKeys {
		return "", usage(fmt.Errorf("--jwks: the file is longer than %d bytes", maxKeys), "")
	}
	keys, err := op.ClientKeys(text)
	if err != nil {
		return "", usage(fmt.Errorf("--jwks: %w", err), `It is a JSON Web Key Set of public keys: {"keys":[{"kty":"EC","crv":"P-256",…}]}`)
	}
	return keys, nil
}

// newClientID gives 21 characters of [0-9a-z], 5.17 bits each.
func newClientID() string {
	id := ""
	for len(id) < 21 {
		id += strings.Map(func(r rune) rune {
			if r >= 'A' && r <= 'Z' {
				return -1 // dropping keeps the rest uniform
			}
			return r
		}, store.RandomText(32))
	}
	return id[:21]
}

// newClientSecret gives 32 characters of [0-9A-Za-z], 190 bits, and what is kept of them.
func newClientSecret() (string, store.ClientSecret) {
	text := store.RandomText(32)
	return text, secretOf(text)
}

func secretOf(text string) store.ClientSecret {
	return store.ClientSecret{ID: store.NewID(time.Now()), Hash: store.HashOf([]byte(text)), Prefix: text[:4]}
}
