package main

import (
	"context"
	"errors"

	"idp/store"
)

type clientUpdateCmd struct {
	jsonFlag
	ID                    string   `arg:"" help:"Client id."`
	RedirectURI           []string `name:"redirect-uri" help:"Where people come back to after signing in; all of them, the ones before are gone." sep:"none" placeholder:"URI"`
	PostLogoutRedirectURI []string `name:"post-logout-redirect-uri" help:"Where people come back to after signing out; likewise." sep:"none" placeholder:"URI"`
}

// Run replaces the lists of URIs that were given. Servers know within 5 s.
func (c *clientUpdateCmd) Run(a *app) error {
	if len(c.RedirectURI) == 0 && len(c.PostLogoutRedirectURI) == 0 {
		return usage(errors.New("there is nothing to change"), "Give --redirect-uri or --post-logout-redirect-uri.")
	}
	return a.with(func(ctx context.Context, in *instance) error {
		found, err := in.db.Client(ctx, c.ID)
		if err != nil {
			return noClient(err, c.ID)
		}
		if len(c.RedirectURI) > 0 {
			found.RedirectURIs = c.RedirectURI
		}
		if len(c.PostLogoutRedirectURI) > 0 {
			found.PostLogoutRedirectURIs = c.PostLogoutRedirectURI
		}
		if err := checkURIs(found); err != nil {
			return usage(err, "")
		}
		if err := in.db.SetClientURIs(ctx, c.ID, found.RedirectURIs, found.PostLogoutRedirectURIs); err != nil {
			return noClient(err, c.ID)
		}
		if c.JSON {
			return a.printJSON(viewOf(found))
		}
		return a.printClient(viewOf(found))
	})
}

// checkURIs tells which of a client's URIs cannot be registered.
func checkURIs(c store.Client) error {
	var errs []error
	for _, u := range c.RedirectURIs {
		errs = append(errs, c.Type.CheckRedirectURI(u))
	}
	for _, u := range c.PostLogoutRedirectURIs {
		errs = append(errs, c.Type.CheckPostLogoutURI(u))
	}
	return errors.Join(errs...)
}
