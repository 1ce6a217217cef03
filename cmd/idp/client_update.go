package main

import (
	"context"
	"errors"
	"time"

	"idp/audit"
	"idp/store"
)

type clientUpdateCmd struct {
	jsonFlag
	ID                    string   `arg:"" help:"Client id."`
	RedirectURI           []string `name:"redirect-uri" help:"Where people come back to after signing in; all of them, the ones before are gone." sep:"none" placeholder:"URI"`
	PostLogoutRedirectURI []string `name:"post-logout-redirect-uri" help:"Where people come back to after signing out; likewise." sep:"none" placeholder:"URI"`
	NoPostLogout          bool     `name:"no-post-logout-redirect-uri" help:"Nowhere: people stay on the page that says they are signed out."`
	JWKS                  string   `name:"jwks" help:"File with the app's public keys, a JSON Web Key Set; the ones before are gone." placeholder:"FILE"`
}

// Help shows how it is used.
func (*clientUpdateCmd) Help() string {
	return `Only what is named changes, as a whole. Servers know within 5 s.

  idp client update 8vsegcsqi3v0fxc3ve2jz --redirect-uri https://shop.example.com/callback --redirect-uri https://www.shop.example.com/callback`
}

// Run changes what was given.
func (c *clientUpdateCmd) Run(a *app) error {
	uris := len(c.RedirectURI) > 0 || len(c.PostLogoutRedirectURI) > 0 || c.NoPostLogout
	switch {
	case !uris && c.JWKS == "":
		return usage(errors.New("there is nothing to change"), "See what can be: idp client update --help")
	case c.NoPostLogout && len(c.PostLogoutRedirectURI) > 0:
		return usage(errors.New("--no-post-logout-redirect-uri and --post-logout-redirect-uri do not go together"), "")
	}
	return a.with(func(ctx context.Context, in *instance) error {
		changed, err := in.admin.UpdateClient(ctx, audit.Command(), c.ID, time.Time{}, func(client *store.Client) error { return c.change(a, client) })
		if err != nil {
			return noClient(badClient(err), c.ID)
		}
		if c.JSON {
			return a.printJSON(viewOf(changed))
		}
		return a.printClient(viewOf(changed))
	})
}

// change puts what was given into the client, checked.
func (c *clientUpdateCmd) change(a *app, client *store.Client) error {
	if len(c.RedirectURI) > 0 {
		client.RedirectURIs = c.RedirectURI
	}
	if len(c.PostLogoutRedirectURI) > 0 || c.NoPostLogout {
		client.PostLogoutRedirectURIs = c.PostLogoutRedirectURI
	}
	if err := checkURIs(*client); err != nil {
		return usage(err, "")
	}
	keys, err := a.clientKeys(c.JWKS, client.Type)
	if keys != "" {
		client.JWKS = keys
	}
	return err
}

// checkURIs tells which of a client's URIs cannot be registered.
func checkURIs(c store.Client) error {
	var errs []error
	if c.Type == store.Machine && len(c.RedirectURIs)+len(c.PostLogoutRedirectURIs) > 0 {
		errs = append(errs, errors.New("nobody signs in to a client of type m2m: it has no redirect URIs"))
	}
	for _, u := range c.RedirectURIs {
		errs = append(errs, c.Type.CheckRedirectURI(u))
	}
	for _, u := range c.PostLogoutRedirectURIs {
		errs = append(errs, c.Type.CheckPostLogoutURI(u))
	}
	return errors.Join(errs...)
}
