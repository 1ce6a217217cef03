package admin

import (
	"context"
	"time"

	"idp/store"
)

// Dry is the service with the writes left out that a configuration is made of: what is
// checked is checked, and what would be written is not.
func (s *Service) Dry() *Service {
	dry := *s
	dry.store = dryStore{s.store}
	dry.fetcher = nil // pictures are fetched when their addresses are set
	return &dry
}

// dryStore writes none of what a configuration is made of (package config).
type dryStore struct{ Store }

func (dryStore) CreateClient(context.Context, store.Client, ...store.Event) error { return nil }

func (dryStore) CreateMachine(context.Context, store.Client, []string, ...store.Event) error {
	return nil
}

func (dryStore) UpdateClient(_ context.Context, c store.Client, _ time.Time, _ ...store.Event) (time.Time, error) {
	return c.UpdatedAt, nil
}

func (dryStore) DeleteClient(context.Context, string, time.Time, ...store.Event) error { return nil }

func (dryStore) AddNamedSecret(context.Context, string, store.ClientSecret, int, ...store.Event) error {
	return nil
}

func (dryStore) RemoveSecret(context.Context, string, store.ID, ...store.Event) error { return nil }

func (dryStore) OrderConnectors(context.Context, []string, ...store.Event) error { return nil }

func (dryStore) SetConnector(context.Context, store.Connector, ...store.Event) error { return nil }

func (dryStore) UpdateConnector(_ context.Context, c store.Connector, _ time.Time, _ ...store.Event) (time.Time, error) {
	return c.UpdatedAt, nil
}

func (dryStore) DeleteConnector(context.Context, string, time.Time, ...store.Event) error { return nil }

func (dryStore) SetMailTemplates(_ context.Context, t []store.MailTemplate, _ ...store.Event) ([]store.MailTemplate, error) {
	return t, nil
}

func (dryStore) AddMailTemplate(_ context.Context, t store.MailTemplate, _ ...store.Event) (store.MailTemplate, error) {
	return t, nil
}

func (dryStore) DeleteMailTemplates(context.Context, []store.MailTemplate, ...store.Event) error {
	return nil
}

func (dryStore) SetExperience(_ context.Context, e store.Experience, _ time.Time, _ ...store.Event) (time.Time, error) {
	return e.UpdatedAt, nil
}

func (dryStore) CreateResource(context.Context, store.Resource, ...store.Event) error { return nil }

func (dryStore) UpdateResource(_ context.Context, r store.Resource, _ time.Time, _ ...store.Event) (time.Time, error) {
	return r.UpdatedAt, nil
}

func (dryStore) DeleteResource(context.Context, string, time.Time, ...store.Event) error { return nil }

func (dryStore) CreateScope(context.Context, store.Scope, ...store.Event) error { return nil }

func (dryStore) UpdateScope(_ context.Context, c store.Scope, _ time.Time, _ ...store.Event) (time.Time, error) {
	return c.UpdatedAt, nil
}

func (dryStore) DeleteScope(context.Context, string, time.Time, ...store.Event) error { return nil }

func (dryStore) CreateRole(context.Context, store.Role, []string, ...store.Event) error { return nil }

func (dryStore) UpdateRole(_ context.Context, r store.Role, _ time.Time, _ ...store.Event) (time.Time, error) {
	return r.UpdatedAt, nil
}

func (dryStore) SetRoleScopes(context.Context, string, []string, time.Time, ...store.Event) error {
	return nil
}

func (dryStore) DeleteRole(context.Context, string, time.Time, ...store.Event) error { return nil }

func (dryStore) SetClientRoles(context.Context, string, []string, time.Time, ...store.Event) error {
	return nil
}

func (dryStore) CreateHook(context.Context, store.Hook, ...store.Event) (time.Time, error) {
	return time.Time{}, nil
}

func (dryStore) UpdateHook(_ context.Context, h store.Hook, _ time.Time, _ ...store.Event) (time.Time, error) {
	return h.UpdatedAt, nil
}

func (dryStore) DeleteHook(context.Context, string, time.Time, ...store.Event) error { return nil }
