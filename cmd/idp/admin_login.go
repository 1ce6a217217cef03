package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"idp/audit"
	"idp/cmd/idp/internal/settings"
	"idp/store"
	"idp/web/signin"
)

type adminLoginCmd struct {
	recipient `embed:""`
	jsonFlag

	Endpoint string `help:"Public base URL of the server (default: http://localhost:3001)." placeholder:"URL"`
}

// localEndpoint is where the server is unless something else is said.
const localEndpoint = "http://localhost:3001"

// linkView is a link as the command prints it.
type linkView struct {
	Link      string    `json:"link"`
	Email     string    `json:"email"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// Help shows how it is used.
func (*adminLoginCmd) Help() string {
	return `The link works once and for ten minutes, for whoever opens it: send it to nobody. It is for the machine's own people, before mail is set up and when it is down. That it was made and used stands in the audit log.`
}

// Run prints the link.
func (c *adminLoginCmd) Run(a *app) error {
	email, err := c.parse()
	if err != nil {
		return err
	}
	base, err := settings.ParseEndpoint(cmp.Or(c.Endpoint, localEndpoint))
	if err != nil {
		return usage(err, "")
	}
	return a.with(func(ctx context.Context, in *instance) error {
		secret, until, err := in.admin.CreateConsoleLink(ctx, audit.Command(), email)
		if store.CodeOf(err) == store.NotFound {
			return failed(fmt.Errorf("%s may not enter the console, or the account is suspended", email), "Let them in first: idp admin add "+string(email))
		}
		if err != nil {
			return err
		}
		v := linkView{strings.TrimRight(base.String(), "/") + signin.EnterPath + "?t=" + secret, string(email), until}
		if c.JSON {
			return a.printJSON(v)
		}
		fmt.Fprintln(a.stdout, v.Link)
		a.note("It lets %s into the console once, until %s.", email, until.Local().Format("15:04"))
		return nil
	})
}
