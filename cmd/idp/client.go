package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"idp/audit"
	"idp/store"
)

type clientCmd struct {
	Create       clientCreateCmd `cmd:"" help:"Register an app."`
	List         clientListCmd   `cmd:"" help:"List the apps."`
	Show         clientShowCmd   `cmd:"" help:"Show one app."`
	Update       clientUpdateCmd `cmd:"" help:"Change where people come back to."`
	Delete       clientDeleteCmd `cmd:"" help:"Remove an app; what it holds stops working."`
	RotateSecret clientRotateCmd `cmd:"" help:"Make a new secret; the one before it goes on working until the next rotation."`
}

// clientView is a client as the command prints it.
type clientView struct {
	ID                     string       `json:"id"`
	Secret                 string       `json:"secret,omitempty"` // on creation and rotation only
	Name                   string       `json:"name"`
	Type                   string       `json:"type"`
	RedirectURIs           []string     `json:"redirectUris"`
	PostLogoutRedirectURIs []string     `json:"postLogoutRedirectUris"`
	IDTokenAlg             string       `json:"idTokenAlg"`
	PKCE                   bool         `json:"pkce"`
	AlwaysRefresh          bool         `json:"alwaysRefresh"`
	Keys                   int          `json:"keys,omitempty"`  // public keys for private_key_jwt
	Roles                  []string     `json:"roles,omitempty"` // names of a machine's roles; not in lists
	CreatedAt              *time.Time   `json:"createdAt,omitempty"`
	Secrets                []secretView `json:"secrets,omitempty"`
}

// secretView tells one secret from another; the secret itself is not kept.
type secretView struct {
	Prefix    string     `json:"prefix"`
	CreatedAt time.Time  `json:"createdAt"`
	UsedAt    *time.Time `json:"usedAt,omitempty"` // a few minutes late at most
}

func viewOf(c store.Client) clientView {
	v := clientView{
		ID: c.ID, Name: c.Name, Type: string(c.Type), IDTokenAlg: c.IDTokenAlg, PKCE: c.PKCE, AlwaysRefresh: c.AlwaysRefresh,
		RedirectURIs:           append([]string{}, c.RedirectURIs...),
		PostLogoutRedirectURIs: append([]string{}, c.PostLogoutRedirectURIs...),
	}
	if !c.CreatedAt.IsZero() {
		v.CreatedAt = &c.CreatedAt
	}
	for _, s := range c.Secrets {
		one := secretView{Prefix: s.Prefix, CreatedAt: s.CreatedAt}
		if !s.UsedAt.IsZero() {
			one.UsedAt = &s.UsedAt
		}
		v.Secrets = append(v.Secrets, one)
	}
	var keys struct{ Keys []json.RawMessage }
	if json.Unmarshal([]byte(c.JWKS), &keys) == nil {
		v.Keys = len(keys.Keys)
	}
	return v
}

type clientListCmd struct{ jsonFlag }

// Run lists all clients.
func (c *clientListCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		views := []clientView{}
		for after := ""; ; {
			page, err := in.db.Clients(ctx, after, 500)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			for _, one := range page {
				views = append(views, viewOf(one))
			}
			after = page[len(page)-1].ID
		}
		if c.JSON {
			return a.printJSON(views)
		}
		if len(views) == 0 {
			a.note("No clients yet. Register one: idp client create --help")
			return nil
		}
		rows := [][]string{{"ID", "NAME", "TYPE", "REDIRECT URIS"}}
		for _, v := range views {
			rows = append(rows, []string{v.ID, v.Name, v.Type, orDash(strings.Join(v.RedirectURIs, " "))})
		}
		return a.table(rows...)
	})
}

type clientShowCmd struct {
	jsonFlag
	ID string `arg:"" help:"Client id."`
}

// Run shows one client.
func (c *clientShowCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		found, err := in.db.Client(ctx, c.ID)
		if err != nil {
			return noClient(err, c.ID)
		}
		v := viewOf(found)
		if v.Roles, err = in.rolesOf(ctx, found); err != nil {
			return err
		}
		if c.JSON {
			return a.printJSON(v)
		}
		return a.printClient(v)
	})
}

// rolesOf names the roles of a machine.
func (in *instance) rolesOf(ctx context.Context, c store.Client) (names []string, err error) {
	if c.Type != store.Machine {
		return nil, nil
	}
	roles, _, err := in.db.ClientRoles(ctx, c.ID, store.Listing{Limit: 100})
	for _, r := range roles {
		names = append(names, r.Name)
	}
	return names, err
}

func (a *app) printClient(v clientView) error {
	rows := [][]string{{"ID", v.ID}, {"Name", v.Name}, {"Type", v.Type}}
	for _, u := range v.RedirectURIs {
		rows = append(rows, []string{"Redirect URI", u})
	}
	for _, u := range v.PostLogoutRedirectURIs {
		rows = append(rows, []string{"Post-logout URI", u})
	}
	if v.Type == string(store.Machine) {
		rows = append(rows, []string{"Tokens", v.IDTokenAlg}, []string{"Roles", orDash(strings.Join(v.Roles, ", "))})
	} else {
		rows = append(rows, []string{"ID token", v.IDTokenAlg}, []string{"PKCE", map[bool]string{true: "required", false: "optional"}[v.PKCE]})
	}
	if v.AlwaysRefresh {
		rows = append(rows, []string{"Refresh token", "always"})
	}
	if v.Keys > 0 {
		rows = append(rows, []string{"Public keys", strconv.Itoa(v.Keys)})
	}
	for _, s := range v.Secrets {
		used := "not used yet"
		if s.UsedAt != nil {
			used = "last used " + s.UsedAt.Format("2006-01-02 15:04 MST")
		}
		rows = append(rows, []string{"Secret", s.Prefix + "… of " + day(s.CreatedAt) + ", " + used})
	}
	if v.Secret != "" {
		rows = append(rows, []string{"New secret", v.Secret})
	}
	return a.table(rows...)
}

type clientDeleteCmd struct {
	ID  string `arg:"" help:"Client id."`
	Yes bool   `help:"Do not ask."`
}

// Run removes a client, after asking on a terminal.
func (c *clientDeleteCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		found, err := in.db.Client(ctx, c.ID)
		if err != nil {
			return noClient(err, c.ID)
		}
		if !c.Yes {
			if !isTerminal(a.stdin) {
				return usage(errors.New("removing a client needs a yes"), "Add --yes.")
			}
			fmt.Fprintf(a.stderr, "Remove %s (%s)? Nobody can sign in to it any more. Type its name to go on: ", printable(found.Name), found.ID)
			answer, _ := bufio.NewReader(a.stdin).ReadString('\n')
			if strings.TrimSpace(answer) != found.Name {
				return failed(errors.New("nothing was removed"), "")
			}
		}
		if err := in.admin.DeleteClient(ctx, audit.Command(), c.ID, time.Time{}); err != nil {
			return noClient(err, c.ID)
		}
		a.note("Removed %s (%s).", printable(found.Name), found.ID)
		return nil
	})
}

type clientRotateCmd struct {
	jsonFlag
	ID string `arg:"" help:"Client id."`
}

// Run makes a new secret and keeps the newest of the ones before it.
func (c *clientRotateCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		found, err := in.db.Client(ctx, c.ID)
		if err != nil {
			return noClient(err, c.ID)
		}
		if !found.Type.Confidential() {
			return failed(fmt.Errorf("client %s is of type %s, which has no secret", c.ID, found.Type), "")
		}
		text, err := in.admin.RotateSecret(ctx, audit.Command(), c.ID)
		if err != nil {
			return noClient(err, c.ID)
		}
		if c.JSON {
			v := viewOf(found)
			v.Secret, v.Secrets = text, nil
			return a.printJSON(v)
		}
		fmt.Fprintln(a.stdout, text)
		a.note("This is the new secret of %s; it is not shown again.\nThe one before it goes on working until the next rotation.", printable(found.Name))
		return nil
	})
}

func noClient(err error, id string) error {
	if store.CodeOf(err) == store.NotFound {
		return failed(fmt.Errorf("there is no client %q", printable(id)), "See them all: idp client list")
	}
	return err
}

// badClient is an error of usage if a field is not as it has to be.
func badClient(err error) error {
	var field *store.FieldError
	if errors.As(err, &field) {
		return usage(field, "")
	}
	return err
}
