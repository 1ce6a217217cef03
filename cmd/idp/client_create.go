package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

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
	ID                    string   `name:"client-id" help:"Keep the id that the app has, from another provider (default: a new one)." placeholder:"ID"`
	SecretFile            string   `name:"client-secret-file" help:"Keep the secret that the app has, from this file, - for standard input (default: a new one)." placeholder:"FILE"`
	NoPKCE                bool     `name:"no-pkce" help:"Do not require PKCE; for old server-side apps only."`
}

// Help shows how it is used.
func (*clientCreateCmd) Help() string {
	return `Examples:

  idp client create --name Shop --type traditional --redirect-uri https://shop.example.com/callback

  idp client create --name "Shop app" --type native --redirect-uri com.example.shop://callback --json

  idp client create --name Shop --type traditional --redirect-uri https://shop.example.com/callback --client-id 8vsegcsqi3v0fxc3ve2jz --client-secret-file old-secret

The secret is printed once and cannot be shown again; idp client rotate-secret makes a new one.
With --client-id and --client-secret-file an app that comes from another provider keeps its own.`
}

// Run registers a client.
func (c *clientCreateCmd) Run(a *app) error {
	made, err := c.client(a)
	if err != nil {
		return err
	}
	secret, err := c.secret(a, &made)
	if err != nil {
		return err
	}
	return a.with(func(ctx context.Context, in *instance) error {
		err := in.db.CreateClient(ctx, made)
		if store.CodeOf(err) == store.Conflict {
			return failed(fmt.Errorf("there is a client %s already", made.ID), "Look at it: idp client show "+made.ID)
		}
		if err != nil {
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
func (c *clientCreateCmd) client(a *app) (store.Client, error) {
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
	keys, err := a.clientKeys(c.JWKS, kind)
	if err != nil {
		return store.Client{}, err
	}
	id := c.ID
	switch {
	case id == "":
		id = newClientID()
	case len(id) < 8 || len(id) > 64 || strings.Trim(id, plain) != "":
		return store.Client{}, usage(errors.New("--client-id is 8 to 64 characters of 0-9, A-Z and a-z"), "")
	}
	made := store.Client{
		ID: id, AlwaysRefresh: c.AlwaysRefresh, JWKS: keys, Name: name, Type: kind, RedirectURIs: c.RedirectURI, PostLogoutRedirectURIs: c.PostLogoutRedirectURI,
		IDTokenAlg: c.IDTokenAlg, PKCE: !c.NoPKCE,
	}
	if err := checkURIs(made); err != nil {
		return store.Client{}, usage(err, "")
	}
	return made, nil
}
