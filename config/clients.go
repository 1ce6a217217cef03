package config

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"idp/admin"
	"idp/store"
)

// Client is an app.
type Client struct {
	ID                     string           `yaml:"id" json:"-"` // tells clients apart
	Name                   string           `yaml:"name" json:"name"`
	Description            string           `yaml:"description,omitempty" json:"description,omitempty"`
	Type                   store.ClientType `yaml:"type" json:"type"` // traditional, spa, native or m2m
	RedirectURIs           []string         `yaml:"redirectUris,omitempty" json:"redirectUris,omitempty"`
	PostLogoutRedirectURIs []string         `yaml:"postLogoutRedirectUris,omitempty" json:"postLogoutRedirectUris,omitempty"`
	IDTokenAlg             string           `yaml:"idTokenAlg,omitempty" json:"idTokenAlg,omitempty"` // ES256 if it is not there
	NoPKCE                 bool             `yaml:"noPkce,omitempty" json:"noPkce,omitempty"`
	AlwaysRefresh          bool             `yaml:"alwaysIssueRefreshToken,omitempty" json:"alwaysIssueRefreshToken,omitempty"`
	JWKS                   string           `yaml:"jwks,omitempty" json:"jwks,omitempty"`
	SignIn                 *SignIn          `yaml:"signInExperience,omitempty" json:"signInExperience,omitempty"`
	CustomData             Object           `yaml:"customData,omitempty" json:"customData,omitempty"`
	Metadata               Object           `yaml:"metadata,omitempty" json:"metadata,omitempty"`
	Roles                  []string         `yaml:"roles,omitempty" json:"roles,omitempty"` // names, of a machine

	// Secrets of one that keeps any. If there are none in the file, it has those that it has,
	// and one is made, and shown, for a client that is made.
	Secrets []ClientSecret `yaml:"secrets,omitempty" json:"secrets,omitempty"`

	has []store.ClientSecret
}

// SignIn is what an app's pages have of their own.
type SignIn struct{ store.ClientExperience }

// UnmarshalYAML implements yaml.Unmarshaler by way of JSON, whose names it has.
func (s *SignIn) UnmarshalYAML(n *yaml.Node) error { return throughJSON(n, &s.ClientExperience) }

// MarshalYAML implements yaml.Marshaler.
func (s SignIn) MarshalYAML() (any, error) { return writable(plain(s.ClientExperience)), nil }

func (in Instance) loadClients(ctx context.Context, f *File) error {
	f.Clients = []Client{}
	found, _, err := in.Admin.Clients(ctx, store.ClientListing{Listing: store.Listing{Limit: all}})
	if err != nil {
		return err
	}
	for _, listed := range found {
		c, err := in.Admin.Client(ctx, listed.ID)
		if err != nil {
			return err
		}
		one := Client{
			ID: c.ID, Name: c.Name, Description: c.Description, Type: c.Type, RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs,
			IDTokenAlg: c.IDTokenAlg, NoPKCE: !c.PKCE && c.Type != store.Machine, AlwaysRefresh: c.AlwaysRefresh, JWKS: c.JWKS, has: c.Secrets,
		}
		if c.Experience != (store.ClientExperience{}) {
			one.SignIn = &SignIn{c.Experience}
		}
		one.CustomData, one.Metadata = object(c.CustomData), object(c.Metadata)
		for _, s := range c.Secrets {
			one.Secrets = append(one.Secrets, ClientSecret{admin.SecretName(s), Secret{Stored: true}, s.ExpiresAt})
		}
		roles, _, err := in.Admin.ClientRoles(ctx, c.ID, store.Listing{Limit: all})
		if err != nil {
			return err
		}
		for _, r := range roles {
			one.Roles = append(one.Roles, r.Name)
		}
		one.sort()
		f.Clients = append(f.Clients, one)
	}
	return nil
}

func object(text json.RawMessage) Object {
	if len(text) == 0 {
		return nil
	}
	out, _ := parsed(text).(map[string]any)
	return out
}

// sort puts into an order what has none.
func (c *Client) sort() {
	slices.Sort(c.Roles)
	slices.SortFunc(c.Secrets, func(a, b ClientSecret) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
}

func (in Instance) planClients(ctx context.Context, p *Plan, there, wanted File, prune bool) error {
	if wanted.Clients == nil {
		return nil
	}
	role, err := in.Admin.Role(ctx, store.ManagementRole)
	if err != nil {
		return err
	}
	for i := range wanted.Clients {
		c := &wanted.Clients[i]
		j := slices.IndexFunc(there.Clients, func(t Client) bool { return t.ID == c.ID })
		if c.Secrets == nil && j >= 0 {
			c.Secrets = slices.Clone(there.Clients[j].Secrets)
		}
		c.sort()
		err := errors.Join(in.settle(c), c.checkRoles(slices.Concat(wanted.Roles, there.Roles), role))
		if err == nil {
			err = in.checkSecrets(c, there.Clients, j)
		}
		if err != nil {
			return wrap("clients", c.ID, err)
		}
	}
	return section[Client]{
		name: "clients", key: func(c Client) string { return c.ID }, there: there.Clients,
		create: in.createClient, update: in.updateClient,
		alike: func(_ context.Context, before, after Client) (bool, error) {
			add, _, err := in.secretsToChange(before, after)
			return len(add) == 0, err
		},
		remove: func(ctx context.Context, c Client) error { return in.Admin.DeleteClient(ctx, in.By, c.ID, time.Time{}) },
	}.plan(ctx, p, wanted.Clients, prune)
}

// settle brings a client into the form that it is kept in.
func (in Instance) settle(c *Client) error {
	if c.IDTokenAlg == "" {
		c.IDTokenAlg = "ES256"
	}
	c.NoPKCE = c.NoPKCE && c.Type != store.Machine
	if c.JWKS != "" && in.Keys != nil {
		kept, err := in.Keys([]byte(c.JWKS))
		if err != nil {
			return fmt.Errorf("jwks: %w", err)
		}
		c.JWKS = kept
	}
	made, err := c.client()
	if err != nil {
		return err
	}
	if c.SignIn != nil && in.Admin.CheckClient(&made) == nil { // else the try says what is wrong
		c.SignIn.ClientExperience = made.Experience
	}
	if c.SignIn != nil && c.SignIn.ClientExperience == (store.ClientExperience{}) {
		c.SignIn = nil
	}
	return nil
}

// checkRoles tells whether a client can have the roles that it names: there are known ones,
// and the one that is built in.
func (c Client) checkRoles(known []Role, builtIn store.Role) error {
	for i, name := range c.Roles {
		role, is := find(known, func(r Role) bool { return r.Name == name })
		switch {
		case c.Type != store.Machine:
			return errors.New("roles: are for machine-to-machine clients only: people have roles in the others")
		case i > 0 && c.Roles[i-1] == name:
			return errTwice("role", name)
		case name == builtIn.Name:
		case !is:
			return fmt.Errorf("roles: there is no role %s", name)
		case role.Type != store.MachineRole:
			return fmt.Errorf("roles: %s is a role of people, not of the type %s", name, store.MachineRole)
		}
	}
	return nil
}

// client is what package admin takes.
func (c Client) client() (store.Client, error) {
	out := store.Client{
		ID: c.ID, Name: c.Name, Description: c.Description, Type: c.Type, RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs,
		IDTokenAlg: c.IDTokenAlg, PKCE: !c.NoPKCE && c.Type != store.Machine, AlwaysRefresh: c.AlwaysRefresh, JWKS: c.JWKS,
	}
	if c.SignIn != nil {
		out.Experience = c.SignIn.ClientExperience
	}
	for to, from := range map[*json.RawMessage]Object{&out.CustomData: c.CustomData, &out.Metadata: c.Metadata} {
		if len(from) == 0 {
			continue
		}
		text, err := json.Marshal(from)
		if err != nil {
			return out, err
		}
		*to = text
	}
	return out, nil
}

func (in Instance) createClient(ctx context.Context, c Client) (note string, err error) {
	made, err := c.client()
	if err != nil {
		return "", err
	}
	for _, s := range c.Secrets {
		text, err := in.secret(s.Secret)
		if err != nil {
			return "", err
		}
		made.Secrets = append(made.Secrets, store.GivenClientSecret(time.Now(), s.Name, text, s.ExpiresAt))
	}
	if c.Type.Confidential() && c.Secrets == nil && c.JWKS == "" {
		text, secret := in.Admin.NewSecret(admin.DefaultSecret, time.Time{})
		made.Secrets, note = append(made.Secrets, secret), "secret, shown once: "+text
	}
	roles, err := in.roleIDs(ctx, c.Roles)
	if err != nil {
		return "", err
	}
	_, err = in.Admin.CreateClient(ctx, in.By, made, roles)
	return note, in.made(err)
}

func (in Instance) updateClient(ctx context.Context, before, after Client) error {
	if before.Type != after.Type {
		return errors.New("type: cannot be changed: make another client")
	}
	wanted, err := after.client()
	if err != nil {
		return err
	}
	without := func(c Client) Client {
		c.Roles, c.Secrets = nil, nil
		return c
	}
	if from, to := differing(without(before), without(after)); len(from)+len(to) > 0 {
		_, err := in.Admin.UpdateClient(ctx, in.By, after.ID, time.Time{}, func(c *store.Client) error {
			wanted.Secrets, wanted.CreatedAt, wanted.UpdatedAt = c.Secrets, c.CreatedAt, c.UpdatedAt
			*c = wanted
			return nil
		})
		if err != nil {
			return err
		}
	}
	if !slices.Equal(before.Roles, after.Roles) {
		roles, err := in.roleIDs(ctx, after.Roles)
		if err == nil {
			err = in.Admin.SetClientRoles(ctx, in.By, after.ID, roles, time.Time{})
		}
		if err != nil {
			return err
		}
	}
	add, drop, err := in.secretsToChange(before, after)
	if err != nil {
		return err
	}
	for _, name := range drop {
		if err := in.Admin.RemoveSecret(ctx, in.By, after.ID, name); err != nil {
			return fmt.Errorf("secrets[%s]: %w", name, err)
		}
	}
	for _, s := range add {
		text, err := in.secret(s.Secret)
		if err == nil {
			err = in.Admin.AddGivenSecret(ctx, in.By, after.ID, s.Name, text, s.ExpiresAt)
		}
		if err != nil {
			return fmt.Errorf("secrets[%s]: %w", s.Name, err)
		}
	}
	return nil
}

// roleIDs finds roles by their names. In a dry run those are left out that are not made.
func (in Instance) roleIDs(ctx context.Context, names []string) (ids []string, err error) {
	found, _, err := in.Admin.Roles(ctx, store.RoleListing{Listing: store.Listing{Limit: all}})
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		i := slices.IndexFunc(found, func(r store.Role) bool { return r.Name == name })
		if i < 0 && !in.isDry {
			return nil, fmt.Errorf("roles: there is no role %s any more", name)
		}
		if i >= 0 {
			ids = append(ids, found[i].ID)
		}
	}
	return ids, nil
}
