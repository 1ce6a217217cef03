package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"idp/audit"
	"idp/store"
	"idp/store/address"
)

type userCmd struct {
	List      userListCmd      `cmd:"" help:"List people, the newest first."`
	Show      userShowCmd      `cmd:"" help:"Show one person."`
	Suspend   userSuspendCmd   `cmd:"" help:"Keep somebody out of everything, at once."`
	Reinstate userReinstateCmd `cmd:"" help:"Let somebody who is suspended sign in again."`
	Delete    userDeleteCmd    `cmd:"" help:"Remove an account with all that is its own."`
	Import    userImportCmd    `cmd:"" help:"Make accounts for the people in a file."`
	Export    userExportCmd    `cmd:"" help:"Write all people into a file, in the form that import reads."`
}

// userView is a person as the commands print it.
type userView struct {
	ID         string         `json:"id"`
	Email      string         `json:"email"`
	Name       string         `json:"name"`
	Username   string         `json:"username,omitempty"`
	Avatar     string         `json:"avatar,omitempty"`
	Profile    *store.Profile `json:"profile,omitempty"`
	CustomData any            `json:"customData,omitempty"`
	CreatedAt  time.Time      `json:"createdAt"`
	SignedIn   *time.Time     `json:"lastSignInAt,omitempty"`
	Suspended  bool           `json:"suspended"`
	Client     string         `json:"applicationId,omitempty"`
}

func userViewOf(u store.User) userView {
	v := userView{ID: u.ID, Email: string(u.Email), Name: u.Name, Username: u.Username, Avatar: u.Avatar, CreatedAt: u.CreatedAt,
		Suspended: !u.SuspendedAt.IsZero(), Client: u.Client}
	if (u.Profile != store.Profile{}) {
		v.Profile = &u.Profile
	}
	if len(u.CustomData) > 0 {
		v.CustomData = u.CustomData
	}
	if !u.SignedIn.IsZero() {
		v.SignedIn = &u.SignedIn
	}
	return v
}

type userListCmd struct {
	jsonFlag
	Search string `help:"Only those whose address, username or name begins so, or who have this id." placeholder:"TEXT"`
	Limit  int    `help:"At most so many." default:"50"`
	Skip   int    `help:"Leave out so many of the first: the next page."`
}

// Run lists people.
func (c *userListCmd) Run(a *app) error {
	switch {
	case c.Limit < 1 || c.Limit > maxRows:
		return usage(fmt.Errorf("--limit is %d: choose 1 to %d", c.Limit, maxRows), "For more, go on with --skip.")
	case c.Skip < 0 || c.Skip > store.MaxCount:
		return usage(fmt.Errorf("--skip is %d: choose 0 to %d", c.Skip, store.MaxCount), "All people: idp user export")
	}
	q := store.UserQuery{Offset: c.Skip, Limit: c.Limit}
	if c.Search != "" {
		q.Terms = []store.UserTerm{{Field: store.UserID, Pattern: c.Search}, {Field: store.UserEmail, Pattern: c.Search + "%"},
			{Field: store.UserUsername, Pattern: c.Search + "%"}, {Field: store.UserName, Pattern: c.Search + "%"}}
	}
	return a.with(func(ctx context.Context, in *instance) error {
		page, err := in.admin.Users(ctx, q)
		if store.CodeOf(err) == store.Invalid {
			return usage(err, "")
		}
		if err != nil {
			return err
		}
		views, rows := []userView{}, [][]string{{"ID", "ADDRESS", "NAME", "SINCE", "STATE"}}
		for _, u := range page.Users {
			v := userViewOf(u)
			views = append(views, v)
			rows = append(rows, []string{v.ID, v.Email, orDash(v.Name), day(v.CreatedAt), userState(v)})
		}
		switch {
		case c.JSON:
			return a.printJSON(views)
		case len(views) == 0:
			a.note("No such person.")
			return nil
		}
		if page.Total > c.Skip+len(views) {
			a.note("There are more: --skip %d", c.Skip+len(views))
		}
		return a.table(rows...)
	})
}

func userState(v userView) string {
	if v.Suspended {
		return "suspended"
	}
	return "active"
}

// somebody is a person on the command line.
type somebody struct {
	Who string `arg:"" name:"user" help:"Id or email address."`
}

// find reads the account.
func (s somebody) find(ctx context.Context, in *instance) (u store.User, err error) {
	if strings.Contains(s.Who, "@") {
		email, bad := address.Parse(s.Who)
		if bad != nil {
			return u, usage(fmt.Errorf("%q: %w", printable(s.Who), bad), "")
		}
		u, err = in.admin.UserByEmail(ctx, email)
	} else {
		u, err = in.admin.User(ctx, s.Who)
	}
	if store.CodeOf(err) == store.NotFound {
		return u, failed(fmt.Errorf("there is no account %q", printable(s.Who)), "Look for it: idp user list --search TEXT")
	}
	return u, err
}

type userShowCmd struct {
	jsonFlag
	somebody `embed:""`
}

// Run shows one person.
func (c *userShowCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		u, err := c.find(ctx, in)
		if err != nil {
			return err
		}
		v := userViewOf(u)
		if c.JSON {
			return a.printJSON(v)
		}
		last := "-"
		if v.SignedIn != nil {
			last = moment(v.SignedIn)
		}
		return a.table([]string{"ID", v.ID}, []string{"Address", v.Email}, []string{"Name", orDash(v.Name)}, []string{"Username", orDash(v.Username)},
			[]string{"State", userState(v)}, []string{"Since", moment(&v.CreatedAt)}, []string{"Last sign-in", last}, []string{"Made in", orDash(v.Client)},
			[]string{"Custom data", orDash(string(u.CustomData))})
	})
}

type userSuspendCmd struct {
	somebody `embed:""`
}

// Run suspends somebody.
func (c *userSuspendCmd) Run(a *app) error { return c.suspend(a, true) }

type userReinstateCmd struct {
	somebody `embed:""`
}

// Run ends a suspension.
func (c *userReinstateCmd) Run(a *app) error { return c.suspend(a, false) }

func (s somebody) suspend(a *app, yes bool) error {
	return a.with(func(ctx context.Context, in *instance) error {
		u, err := s.find(ctx, in)
		if err != nil {
			return err
		}
		if _, err := in.admin.SuspendUser(ctx, audit.Command(), u.ID, time.Time{}, yes); err != nil {
			return ownerStays(err, u)
		}
		if yes {
			a.note("%s (%s) cannot sign in any more, and is signed out everywhere.", u.Email, u.ID)
		} else {
			a.note("%s (%s) can sign in.", u.Email, u.ID)
		}
		return nil
	})
}

type userDeleteCmd struct {
	somebody `embed:""`
	Yes      bool `help:"Do not ask."`
}

// Run removes an account, after asking on a terminal.
func (c *userDeleteCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		u, err := c.find(ctx, in)
		if err != nil {
			return err
		}
		if !c.Yes {
			if !isTerminal(a.stdin) {
				return usage(errors.New("removing an account needs a yes"), "Add --yes.")
			}
			fmt.Fprintf(a.stderr, "Remove the account %s of %s? This cannot be undone. Type the address to go on: ", u.ID, u.Email)
			answer, _ := bufio.NewReader(a.stdin).ReadString('\n')
			if strings.TrimSpace(answer) != string(u.Email) {
				return failed(errors.New("nothing was removed"), "")
			}
		}
		if err := in.admin.DeleteUser(ctx, audit.Command(), u.ID, time.Time{}); err != nil {
			return ownerStays(err, u)
		}
		a.note("Removed the account %s of %s.", u.ID, u.Email)
		return nil
	})
}

// ownerStays says why the last owner can be neither suspended nor removed.
func ownerStays(err error, u store.User) error {
	if store.CodeOf(err) == store.InUse {
		return failed(fmt.Errorf("%s is the last owner who can sign in", u.Email), "Make somebody else one before: idp admin add EMAIL")
	}
	return err
}
