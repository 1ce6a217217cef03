package admin

import (
	"context"
	"encoding/json"
	"time"

	"idp/audit"
	"idp/store"
)

type clientStore interface {
	FreshClient(ctx context.Context, id string) (store.Client, error)
	Clients(ctx context.Context, after string, limit int) ([]store.Client, error)
	CreateClient(ctx context.Context, c store.Client, told ...store.Event) error
	UpdateClient(ctx context.Context, c store.Client, seen time.Time, told ...store.Event) (time.Time, error)
	DeleteClient(ctx context.Context, id string, seen time.Time, told ...store.Event) error
}

// Client reads a client, as it is now. The error is [store.NotFound].
func (s *Service) Client(ctx context.Context, id string) (store.Client, error) {
	return s.store.FreshClient(ctx, id)
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
			if err := checkClient(op, after); err != nil {
				return after, err
			}
			entry := s.book.Entry(by, audit.Record{Kind: "client.updated", Client: id, Detail: audit.Changes(clientSeen(before), clientSeen(after))})
			after.UpdatedAt, err = s.store.UpdateClient(ctx, after, version, entry)
			return after, err
		})
}

// DeleteClient removes a client. seen as in [Service.UpdateClient].
func (s *Service) DeleteClient(ctx context.Context, by audit.Actor, id string, seen time.Time) error {
	c, err := s.store.FreshClient(ctx, id)
	if err != nil {
		return err
	}
	return s.store.DeleteClient(ctx, id, seen, s.book.Entry(by, audit.Record{Kind: "client.deleted", Client: id, Detail: audit.Changes(clientSeen(c), nil)}))
}

func checkClient(op string, c store.Client) error {
	return checkText(op, "name", c.Name, 1, 128)
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
