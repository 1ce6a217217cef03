package main

import (
	"context"
	"fmt"
	"time"

	"idp/audit"
	"idp/store"
)

type adminCmd struct {
	Add    adminAddCmd    `cmd:"" help:"Let somebody into the console, as an owner, who may do everything, or with less."`
	Remove adminRemoveCmd `cmd:"" help:"Let somebody into the console no more; the last owner stays."`
	List   adminListCmd   `cmd:"" help:"List who may enter the console, and as what."`
	Login  adminLoginCmd  `cmd:"" help:"Print a link into the console that works once: the way in while mail does not work."`
}

type adminAddCmd struct {
	recipient `embed:""`
	Role      string `help:"What they may do: owner, everything; admin, all that makes nobody an owner; viewer, look." enum:"owner,admin,viewer" default:"owner"`
}

// Run lets somebody in, or gives them another role.
func (c *adminAddCmd) Run(a *app) error {
	email, err := c.parse()
	if err != nil {
		return err
	}
	return a.with(func(ctx context.Context, in *instance) error {
		role := store.OperatorRole(c.Role)
		err := in.admin.AddOperator(ctx, audit.Command(), string(email), role)
		if store.CodeOf(err) == store.Conflict {
			all, err := in.admin.Operators(ctx)
			if err != nil {
				return err
			}
			for _, o := range all {
				if o.Email == email && o.Role == role {
					a.note("%s is %s already.", email, called[role])
					return nil
				}
			}
			if err := in.admin.SetOperatorRole(ctx, audit.Command(), string(email), role); err != nil {
				return lastOwner(email, err)
			}
			a.note("%s is %s now.", email, called[role])
			return nil
		}
		if err != nil {
			return err
		}
		a.note("%s is %s now: whoever has the account of that address, once there is one.", email, called[role])
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
		err := in.admin.RemoveOperator(ctx, audit.Command(), string(email))
		if store.CodeOf(err) == store.NotFound {
			return failed(fmt.Errorf("%s may not enter the console", email), "See who may: idp admin list")
		}
		if err == nil {
			a.note("%s may not enter the console any more. The account, if there is one, stays.", email)
		}
		return lastOwner(email, err)
	})
}

// called is what somebody with a role is.
var called = map[store.OperatorRole]string{store.RoleOwner: "an owner", store.RoleAdmin: "an admin", store.RoleViewer: "a viewer"}

// lastOwner says what to do about an error that keeps the last owner.
func lastOwner(email store.Email, err error) error {
	if store.CodeOf(err) == store.InUse {
		return failed(fmt.Errorf("%s is the last owner who can sign in", email), "Make somebody else one before: idp admin add EMAIL")
	}
	return err
}

type adminListCmd struct{ jsonFlag }

// operatorView is who may enter the console as the command prints it.
type operatorView struct {
	Email     string     `json:"email"`
	Role      string     `json:"role"`
	User      string     `json:"userId,omitempty"` // "" if nobody has registered with the address yet
	Suspended bool       `json:"suspended"`
	Since     *time.Time `json:"createdAt"`
}

// Run lists who may enter the console.
func (c *adminListCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		owners, err := in.admin.Operators(ctx)
		if err != nil {
			return err
		}
		views, rows := []operatorView{}, [][]string{{"ADDRESS", "ROLE", "SINCE", "ACCOUNT"}}
		for _, o := range owners {
			v := operatorView{string(o.Email), string(o.Role), o.User, !o.SuspendedAt.IsZero(), &o.CreatedAt}
			views = append(views, v)
			account := v.User
			switch {
			case account == "":
				account = "not registered yet"
			case v.Suspended:
				account += ", suspended"
			}
			rows = append(rows, []string{v.Email, v.Role, day(o.CreatedAt), account})
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
