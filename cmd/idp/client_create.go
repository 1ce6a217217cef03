package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"idp/audit"
	"idp/store"
)

type clientCreateCmd struct {
	jsonFlag
	Name                  string   `help:"Name, shown to people who sign in." required:""`
	Type                  string   `help:"traditional (keeps a secret on a server), spa (runs in the browser), native (runs on a device), m2m (a program that calls APIs, without a person)." enum:"traditional,spa,native,m2m" required:""`
	RedirectURI           []string `name:"redirect-uri" help:"Where people come back to after signing in, exactly; repeat for more." sep:"none" placeholder:"URI"`
	PostLogoutRedirectURI []string `name:"post-logout-redirect-uri" help:"Where people come back to after signing out; repeat for more." sep:"none" placeholder:"URI"`
	IDTokenAlg            string   `name:"id-token-alg" help:"Algorithm that signs the ID token." enum:"ES256,RS256,ES384,EdDSA" default:"ES256"`
	AlwaysRefresh         bool     `name:"always-refresh" help:"Give a refresh token without the scope offline_access, too; it ends with the session."`
	JWKS                  string   `name:"jwks" help:"File with the app's public keys, a JSON Web Key Set: it signs in to us by private_key_jwt and gets no secret." placeholder:"FILE"`
	ID                    string   `name:"client-id" help:"Keep the id that the app has, from another provider (default: a new one)." placeholder:"ID"`
	SecretFile            string   `name:"client-secret-file" help:"Keep the secret that the app has, from this file, - for standard input (default: a new one)." placeholder:"FILE"`
	Role                  []string `name:"role" help:"Role that an m2m client has; repeat for more. The role 'Management API access' lets it call the management API." sep:"none" placeholder:"NAME"`
	NoPKCE                bool     `name:"no-pkce" help:"Do not require PKCE; for old server-side apps only."`
}

// Help shows how it is used.
func (*clientCreateCmd) Help() string {
	return `Examples:

  idp client create --name Shop --type traditional --redirect-uri https://shop.example.com/callback

  idp client create --name "Shop app" --type native --redirect-uri com.example.shop://callback --json

  idp client create --name Deploy --type m2m --role "Management API access"

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
		roles, err := c.roles(ctx, in)
		if err != nil {
			return err
		}
		given := made.ID
		made, err = in.admin.CreateClient(ctx, audit.Command(), made, roles)
		if store.CodeOf(err) == store.Conflict {
			return failed(fmt.Errorf("there is a client %s already", given), "Look at it: idp client show "+given)
		}
		if err != nil {
			return badClient(err)
		}
		v := viewOf(made)
		v.Secret, v.Secrets, v.Roles = secret, nil, c.Role
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
	name := strings.TrimSpace(c.Name)
	if name == "" || utf8.RuneCountInString(name) > 128 || !utf8.ValidString(name) || printable(name) != name {
		return store.Client{}, usage(errors.New("--name is between 1 and 128 characters, none of them a control character"), "")
	}
	if c.NoPKCE && !kind.Confidential() {
		return store.Client{}, usage(fmt.Errorf("--no-pkce does not fit --type %s", kind), "An app without a secret always needs PKCE (RFC 9700 section 2.1.1).")
	}
	if err := c.fitsKind(kind); err != nil {
		return store.Client{}, err
	}
	keys, err := a.clientKeys(c.JWKS, kind)
	if err != nil {
		return store.Client{}, err
	}
	if id := c.ID; id != "" && (len(id) < 8 || len(id) > 64 || strings.Trim(id, plain) != "") {
		return store.Client{}, usage(errors.New("--client-id is 8 to 64 characters of 0-9, A-Z and a-z"), "")
	}
	made := store.Client{
		ID: c.ID, AlwaysRefresh: c.AlwaysRefresh, JWKS: keys, Name: name, Type: kind, RedirectURIs: c.RedirectURI, PostLogoutRedirectURIs: c.PostLogoutRedirectURI,
		IDTokenAlg: c.IDTokenAlg, PKCE: !c.NoPKCE && kind != store.Machine,
	}
	if err := checkURIs(made); err != nil {
		return store.Client{}, usage(err, "")
	}
	return made, nil
}

// roles finds the ids of the roles that were named.
func (c *clientCreateCmd) roles(ctx context.Context, in *instance) (ids []string, err error) {
	for _, name := range c.Role {
		role, err := in.db.RoleNamed(ctx, name)
		if store.CodeOf(err) == store.NotFound || err == nil && role.Type != store.MachineRole {
			return nil, failed(fmt.Errorf("there is no role %q for machine-to-machine clients", printable(name)), "Every instance has the role 'Management API access'.")
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, role.ID)
	}
	return ids, nil
}

// fitsKind checks what only clients that people sign in to have, and what only machines have.
func (c *clientCreateCmd) fitsKind(kind store.ClientType) error {
	switch {
	case kind == store.Machine && (len(c.RedirectURI) > 0 || len(c.PostLogoutRedirectURI) > 0 || c.AlwaysRefresh || c.NoPKCE):
		return usage(errors.New("nobody signs in to a client of type m2m: it has no redirect URIs, no PKCE and no refresh tokens"), "")
	case kind == store.Machine:
		return nil
	case len(c.Role) > 0:
		return usage(fmt.Errorf("--role does not fit --type %s: people have roles there, not the app", kind), "")
	case len(c.RedirectURI) == 0:
		return usage(errors.New("a client that people sign in to needs a redirect URI"), "Add --redirect-uri https://…/callback")
	}
	return nil
}
