package main

import (
	"context"
	"strings"

	"idp/doctor"
	"idp/mailer"
	"idp/store"
)

// client looks at one app. The error is that it is not there.
func (v *visit) client(ctx context.Context, secret string) error {
	aloud := v.tell
	v.tell = func(f mailer.Finding) { // what works is not what was asked about
		if f.Level == mailer.Failure {
			aloud(f)
		}
	}
	settled := v.settings()
	v.database(ctx)
	if v.in == nil || !settled {
		return nil
	}
	defer func() { _ = v.in.db.Close() }()
	found, err := v.in.db.Client(ctx, v.cmd.Client)
	if err != nil {
		return noClient(err, v.cmd.Client)
	}
	v.tell = aloud
	if found.Type == store.Machine {
		return v.machine(ctx, found)
	}
	app := doctor.App{Client: found, Endpoint: v.options.endpoint, Secret: secret, Alg: v.cmd.AppAlg, HTTP: v.http}
	v.tell.OK("app", "%s, a %s app", found.Name, found.Type)
	app.CheckRegistration(v.tell)
	if v.cmd.RedirectURI != "" {
		app.CheckRedirect(v.tell, v.cmd.RedirectURI)
	}
	quiet := doctor.Tell(func(f mailer.Finding) {
		if f.Level == mailer.Failure || f.Check == "issuer" {
			v.tell(f)
		}
	})
	metadata, ok := doctor.Issuer{Endpoint: v.options.endpoint, HTTP: v.http}.Check(ctx, quiet)
	if !ok {
		return nil
	}
	app.CheckFlow(ctx, v.tell, metadata)
	if v.cmd.AuthURL != "" {
		app.CheckURL(ctx, v.tell, v.cmd.AuthURL, metadata)
	}
	return nil
}

// machine tells what an app without a person may do.
func (v *visit) machine(ctx context.Context, c store.Client) error {
	v.tell.OK("app", "%s, a %s app: nobody signs in to it", c.Name, c.Type)
	roles, err := v.in.rolesOf(ctx, c)
	switch {
	case err != nil:
		return err
	case len(roles) == 0:
		v.tell.Warn("roles", "Give it roles at /api/applications/"+c.ID+"/roles, or make one with idp client create --type m2m --role NAME.",
			"it has none: its tokens are good for nothing")
	default:
		v.tell.OK("roles", "%s", strings.Join(roles, ", "))
	}
	return nil
}
