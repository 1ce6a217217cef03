package main

import (
	"context"
	"fmt"
	"time"

	"idp/audit"
	"idp/store"
)

type adminCmd struct {
	Add    adminAddCmd    `cmd:"" help:"Make somebody an owner, who may do everything."`
	Remove adminRemoveCmd `cmd:"" help:"Make an owner one no more; the last one stays."`
	List   adminListCmd   `cmd:"" help:"List the owners."`
}

type adminAddCmd struct {
	recipient `embed:""`
}

// Run adds an owner.
func (c *adminAddCmd) Run(a *app) error {
	email, err := c.parse()
	if err != nil {
		return err
	}
	return a.with(func(ctx context.Context, in *instance) error {
		err := in.admin.AddOwner(ctx, audit.Command(), string(email))
		switch {
		case store.CodeOf(err) == store.Conflict:
			a.note("%s is an owner already.", email)
			return nil
		case err != nil:
			return err
		}
		a.note("%s is an owner now: whoever has the account of that address, once there is one.", email)
		return nil
	})
}

type adminRemoveCmd struct {
	recipient `embed:""`
}

// Run removes an owner.
func (c *adminRemoveCmd) Run(a *app) error {
	email, err := c.parse()
	if err != nil {
		return err
	}
	return a.with(func(ctx context.Context, in *instance) error {
		err := in.admin.RemoveOwner(ctx, audit.Command(), string(email))
		switch store.CodeOf(err) {
		case store.NotFound:
			return failed(fmt.Errorf("%s is no owner", email), "See who is: idp admin list")
		case store.InUse:
			return failed(fmt.Errorf("%s is the last owner who can sign in", email), "Make somebody else one before: idp admin add EMAIL")
		case "":
		}
		if err == nil {
			a.note("%s is no owner any more. The account, if there is one, stays.", email)
		}
		return err
	})
}

type adminListCmd struct{ jsonFlag }

// ownerView is an owner as the command prints it.
type ownerView struct {
	Email     string     `json:"email"`
	User      string     `json:"userId,omitempty"` // "" if nobody has registered with the address yet
	Suspended bool       `json:"suspended"`
	Since     *time.Time `json:"createdAt"`
}

// Run lists the owners.
func (c *adminListCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		owners, err := in.admin.Owners(ctx)
		if err != nil {
			return err
		}
		views, rows := []ownerView{}, [][]string{{"ADDRESS", "SINCE", "ACCOUNT"}}
		for _, o := range owners {
			v := ownerView{string(o.Email), o.User, !o.SuspendedAt.IsZero(), &o.CreatedAt}
			views = append(views, v)
			account := v.User
			switch {
			case account == "":
				account = "not registered yet"
			case v.Suspended:
				account += ", suspended"
			}
			rows = append(rows, []string{v.Email, day(o.CreatedAt), account})
		}
		if c.JSON {
			return a.printJSON(views)
		}
		if len(views) == 0 {
			a.note("There is no owner yet. Make one: idp admin add EMAIL")
			return nil
		}
		return a.table(rows...)
	})
}
