package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"idp/audit"
	"idp/store"
)

type clientStore interface {
	FreshClient(ctx context.Context, id string) (store.Client, error)
	ClientsLike(ctx context.Context, l store.ClientListing) ([]store.Client, int, error)
	CreateClient(ctx context.Context, c store.Client, told ...store.Event) error
	CreateMachine(ctx context.Context, c store.Client, roles []string, told ...store.Event) error
	UpdateClient(ctx context.Context, c store.Client, seen time.Time, told ...store.Event) (time.Time, error)
	DeleteClient(ctx context.Context, id string, seen time.Time, told ...store.Event) error
}

// maxURIs bounds how many redirect URIs a client has of each kind.
const maxURIs = 100

// Clients lists clients, oldest first and without their secrets, and counts them.
func (s *Service) Clients(ctx context.Context, l store.ClientListing) ([]store.Client, int, error) {
	return s.store.ClientsLike(ctx, l)
}

// Client reads a client, as it is now. The error is [store.NotFound].
func (s *Service) Client(ctx context.Context, id string) (store.Client, error) {
	return s.store.FreshClient(ctx, id)
}

// CreateClient adds a client with its secrets and, if it is a machine, roles by their ids.
// Its id is made here unless it has one; no algorithm is ES256.
func (s *Service) CreateClient(ctx context.Context, by audit.Actor, c store.Client, roles []string) (store.Client, error) {
	const op = "create client"
	if c.ID == "" {
		c.ID = newClientID()
	}
	if c.IDTokenAlg == "" {
		c.IDTokenAlg = "ES256"
	}
	if len(c.ID) < 8 || checkID(op, c.ID) != nil {
		return c, store.InvalidField(op, "id", "is not 8 to 64 characters of 0-9, A-Z and a-z")
	}
	if err := checkClient(op, &c); err != nil {
		return c, err
	}
	for i, one := range c.Secrets {
		if err := checkText(op, fmt.Sprintf("secrets[%d].name", i), one.Name, 1, 128); err != nil {
			return c, err
		}
	}
	if len(c.Secrets) > maxSecrets {
		return c, store.InvalidField(op, "secrets", fmt.Sprintf("has %d entries; it may have %d", len(c.Secrets), maxSecrets))
	}
	if len(roles) > 0 && c.Type != store.Machine {
		return c, store.InvalidField(op, "roleIds", "are for machine-to-machine applications only: people have roles in the others")
	}
	if err := s.fetchPictures(ctx, op, [3]string{"branding.logoUrl", "", c.Experience.LogoURL}, [3]string{"branding.darkLogoUrl", "", c.Experience.DarkLogoURL}); err != nil {
		return c, err
	}
	if err := s.mayGiveRoles(ctx, op, by, roles); err != nil {
		return c, err
	}
	detail := audit.Changes(nil, clientSeen(c))
	if len(roles) > 0 {
		detail["roleIds"] = roles
	}
	entry := s.book.Entry(by, audit.Record{Kind: "client.created", Client: c.ID, Detail: detail})
	var err error
	if c.Type == store.Machine {
		err = s.store.CreateMachine(ctx, c, roles, entry)
	} else {
		err = s.store.CreateClient(ctx, c, entry)
	}
	if err != nil {
		return c, taken(err, op, "there is an application with the id "+c.ID)
	}
	return s.store.FreshClient(ctx, c.ID)
}

// UpdateClient changes a client by change, which may be called more than once. seen is the
// version that the caller has seen, zero for any.
func (s *Service) UpdateClient(ctx context.Context, by audit.Actor, id string, seen time.Time, change func(*store.Client) error) (store.Client, error) {
	const op = "update client"
	return edit(op, seen,
		func() (store.Client, time.Time, error) {
			c, err := s.store.FreshClient(ctx, id)
			return c, c.UpdatedAt, err
		},
		func(before store.Client, version time.Time) (after store.Client, err error) {
			after = before
			if err := change(&after); err != nil {
				return after, err
			}
			if after.Type != before.Type {
				return after, store.InvalidField(op, "type", "cannot be changed")
			}
			if err := checkClient(op, &after); err != nil {
				return after, err
			}
			if after.JWKS != before.JWKS { // who holds such a key is the client
				if err := s.mayBecome(ctx, op, by, id); err != nil {
					return after, err
				}
			}
			b, a := before.Experience, after.Experience
			if err := s.fetchPictures(ctx, op, [3]string{"branding.logoUrl", b.LogoURL, a.LogoURL}, [3]string{"branding.darkLogoUrl", b.DarkLogoURL, a.DarkLogoURL}); err != nil {
				return after, err
			}
			entry := s.book.Entry(by, audit.Record{Kind: "client.updated", Client: id, Detail: audit.Changes(clientSeen(before), clientSeen(after))})
			after.UpdatedAt, err = s.store.UpdateClient(ctx, after, version, entry)
			return after, err
		})
}

// DeleteClient removes a client; its codes, grants and tokens are worth nothing from then
// on. seen as in [Service.UpdateClient].
func (s *Service) DeleteClient(ctx context.Context, by audit.Actor, id string, seen time.Time) error {
	c, err := s.store.FreshClient(ctx, id)
	if err != nil {
		return err
	}
	return s.store.DeleteClient(ctx, id, seen, s.book.Entry(by, audit.Record{Kind: "client.deleted", Client: id, Detail: audit.Changes(clientSeen(c), nil)}))
}

// CheckClient tells whether a client can be set, and brings it into the form that it is kept in.
func (s *Service) CheckClient(c *store.Client) error { return checkClient("check client", c) }

// checkClient checks a client, and makes its colours #rrggbb.
func checkClient(op string, c *store.Client) error {
	public := !c.Type.Confidential()
	switch {
	case c.Type != store.Traditional && c.Type != store.SPA && c.Type != store.Native && c.Type != store.Machine:
		return store.InvalidField(op, "type", "is none that there is")
	case c.IDTokenAlg != "ES256" && c.IDTokenAlg != "RS256" && c.IDTokenAlg != "ES384" && c.IDTokenAlg != "EdDSA":
		return store.InvalidField(op, "idTokenAlg", "is not ES256, RS256, ES384 or EdDSA")
	case public && !c.PKCE:
		return store.InvalidField(op, "pkce", "cannot be left out by an app without a secret (RFC 9700 section 2.1.1)")
	case public && (len(c.Secrets) > 0 || c.JWKS != ""):
		return store.InvalidField(op, "type", "is of apps whose code everybody can read: they have no secret and no key")
	case c.Type == store.Machine && len(c.RedirectURIs)+len(c.PostLogoutRedirectURIs) > 0:
		return store.InvalidField(op, "oidcClientMetadata.redirectUris", "are for apps that people sign in to")
	case len(c.CustomData) > maxCustomData:
		return store.InvalidField(op, "customData", fmt.Sprintf("is longer than %d bytes", maxCustomData))
	case len(c.Metadata) > maxCustomData:
		return store.InvalidField(op, "metadata", fmt.Sprintf("is longer than %d bytes", maxCustomData))
	case len(c.CustomData) > 0 && !isObject(c.CustomData):
		return store.InvalidField(op, "customData", "is no JSON object")
	}
	if err := checkText(op, "name", c.Name, 1, 128); err != nil {
		return err
	}
	if err := checkText(op, "description", c.Description, 0, 256); err != nil {
		return err
	}
	if err := checkURIs(op, "oidcClientMetadata.redirectUris", c.RedirectURIs, c.Type.CheckRedirectURI); err != nil {
		return err
	}
	if err := checkURIs(op, "oidcClientMetadata.postLogoutRedirectUris", c.PostLogoutRedirectURIs, c.Type.CheckPostLogoutURI); err != nil {
		return err
	}
	return checkClientExperience(op, &c.Experience)
}

func checkURIs(op, field string, uris []string, check func(string) error) error {
	if len(uris) > maxURIs {
		return store.InvalidField(op, field, fmt.Sprintf("has %d entries; it may have %d", len(uris), maxURIs))
	}
	for i, u := range uris {
		if err := check(u); err != nil {
			return store.InvalidField(op, fmt.Sprintf("%s[%d]", field, i), err.Error())
		}
	}
	return nil
}

func checkClientExperience(op string, x *store.ClientExperience) error {
	for field, c := range map[string]*string{"color.primaryColor": &x.PrimaryColor, "color.darkPrimaryColor": &x.DarkPrimaryColor} {
		if *c == "" {
			continue
		}
		if err := checkColor(op, field, c); err != nil {
			return err
		}
	}
	return errors.Join(
		checkText(op, "displayName", x.DisplayName, 0, 128),
		checkURL(op, "branding.logoUrl", x.LogoURL), checkURL(op, "branding.darkLogoUrl", x.DarkLogoURL),
		checkURL(op, "termsOfUseUrl", x.TermsOfUseURL), checkURL(op, "privacyPolicyUrl", x.PrivacyPolicyURL))
}

// newClientID gives 21 characters of [0-9a-z], 5.17 bits each.
func newClientID() string {
	id := ""
	for len(id) < 21 {
		id += strings.Map(func(r rune) rune {
			if r >= 'A' && r <= 'Z' {
				return -1 // dropping keeps the rest uniform
			}
			return r
		}, store.RandomText(32))
	}
	return id[:21]
}

// clientSeen is what the audit log tells of a client: no secret is in it.
func clientSeen(c store.Client) any {
	return struct {
		Name                   string           `json:"name"`
		Description            string           `json:"description"`
		Type                   store.ClientType `json:"type"`
		RedirectURIs           []string         `json:"redirectUris"`
		PostLogoutRedirectURIs []string         `json:"postLogoutRedirectUris"`
		IDTokenAlg             string           `json:"idTokenAlg"`
		PKCE                   bool             `json:"pkce"`
		AlwaysRefresh          bool             `json:"alwaysIssueRefreshToken"`
		JWKS                   string           `json:"jwks"`
		CustomData             json.RawMessage  `json:"customData,omitempty"`

		store.ClientExperience
	}{c.Name, c.Description, c.Type, c.RedirectURIs, c.PostLogoutRedirectURIs, c.IDTokenAlg, c.PKCE, c.AlwaysRefresh, c.JWKS, c.CustomData, c.Experience}
}
