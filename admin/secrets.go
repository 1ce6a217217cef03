package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"idp/audit"
	"idp/store"
)

type secretStore interface {
	AddNamedSecret(ctx context.Context, client string, secret store.ClientSecret, most int, told ...store.Event) error
	AddClientSecret(ctx context.Context, client string, secret store.ClientSecret, keep int, told ...store.Event) error
	RenameSecret(ctx context.Context, client string, secret store.ID, name string, told ...store.Event) error
	RemoveSecret(ctx context.Context, client string, secret store.ID, told ...store.Event) error
}

// maxSecrets is how many secrets a client has: some for those who use it, and the next one
// of each.
const maxSecrets = 20

// DefaultSecret is the name of the secret that a client is made with.
const DefaultSecret = "Default secret"

// NewSecret makes a secret of a client that is to be created.
func (s *Service) NewSecret(name string, until time.Time) (string, store.ClientSecret) {
	return store.NewClientSecret(s.store.Now(), name, until)
}

// SecretName is how a secret of a client is called; those that were made without a name are
// called by their id.
func SecretName(c store.ClientSecret) string {
	if c.Name == "" {
		return c.ID.String()
	}
	return c.Name
}

// AddSecret adds a new secret to a client; until is when it ends, zero for never. It answers
// the secret itself, which is not kept.
func (s *Service) AddSecret(ctx context.Context, by audit.Actor, client, name string, until time.Time) (string, store.ClientSecret, error) {
	const op = "add client secret"
	text, secret := s.NewSecret(name, until)
	if err := s.mayAddSecret(ctx, op, by, client); err != nil {
		return "", secret, err
	}
	if err := checkText(op, "name", name, 1, 128); err != nil {
		return "", secret, err
	}
	if !until.IsZero() && !until.After(s.store.Now()) {
		return "", secret, store.InvalidField(op, "expiresAt", "is past")
	}
	err := s.store.AddNamedSecret(ctx, client, secret, maxSecrets, s.book.Entry(by, audit.Record{Kind: "client.secret_created", Client: client, Detail: secretSeen(secret)}))
	if store.CodeOf(err) == store.Invalid {
		err = &store.Error{Code: store.Invalid, Op: op, Err: fmt.Errorf("the application has %d secrets, which is as many as there can be: delete one", maxSecrets)}
	}
	if err != nil {
		return "", secret, taken(err, op, "the application has a secret named "+name)
	}
	secret.CreatedAt = s.store.Now()
	return text, secret, nil
}

// AddGivenSecret adds a secret that a client has from elsewhere; until as in
// [Service.AddSecret], but it may be past.
func (s *Service) AddGivenSecret(ctx context.Context, by audit.Actor, client, name, text string, until time.Time) error {
	const op = "add client secret"
	if err := s.mayAddSecret(ctx, op, by, client); err != nil {
		return err
	}
	if err := checkText(op, "name", name, 1, 128); err != nil {
		return err
	}
	secret := store.GivenClientSecret(s.store.Now(), name, text, until)
	err := s.store.AddNamedSecret(ctx, client, secret, maxSecrets, s.book.Entry(by, audit.Record{Kind: "client.secret_created", Client: client, Detail: secretSeen(secret)}))
	return taken(err, op, "the application has a secret named "+name)
}

// RotateSecret adds a new secret to a client and removes all but the newest of those before.
// It answers the secret itself, which is not kept.
func (s *Service) RotateSecret(ctx context.Context, by audit.Actor, client string) (string, error) {
	const op = "rotate client secret"
	if err := s.mayAddSecret(ctx, op, by, client); err != nil {
		return "", err
	}
	text, secret := s.NewSecret("", time.Time{})
	err := s.store.AddClientSecret(ctx, client, secret, 1, s.book.Entry(by, audit.Record{Kind: "client.secret_rotated", Client: client, Detail: secretSeen(secret)}))
	if err != nil {
		return "", err
	}
	return text, nil
}

// mayAddSecret tells whether a client can have secrets, and whether somebody may know one.
func (s *Service) mayAddSecret(ctx context.Context, op string, by audit.Actor, client string) error {
	c, err := s.store.FreshClient(ctx, client)
	if err != nil {
		return err
	}
	if !c.Type.Confidential() {
		return &store.Error{Code: store.Invalid, Op: op, Err: errors.New("the application is of the type " + string(c.Type) + ", which has no secret")}
	}
	return s.mayBecome(ctx, op, by, client)
}

// secretNamed finds a secret of a client.
func (s *Service) secretNamed(ctx context.Context, op, client, name string) (store.ClientSecret, error) {
	c, err := s.store.FreshClient(ctx, client)
	if err != nil {
		return store.ClientSecret{}, err
	}
	for _, secret := range c.Secrets {
		if SecretName(secret) == name {
			return secret, nil
		}
	}
	return store.ClientSecret{}, &store.Error{Code: store.NotFound, Op: op}
}

// RenameSecret gives a secret of a client another name.
func (s *Service) RenameSecret(ctx context.Context, by audit.Actor, client, name, to string) (store.ClientSecret, error) {
	const op = "rename client secret"
	secret, err := s.secretNamed(ctx, op, client, name)
	if err != nil {
		return secret, err
	}
	if err := checkText(op, "name", to, 1, 128); err != nil {
		return secret, err
	}
	before := secretSeen(secret)
	secret.Name = to
	err = s.store.RenameSecret(ctx, client, secret.ID, to,
		s.book.Entry(by, audit.Record{Kind: "client.secret_updated", Client: client, Detail: audit.Changes(before, secretSeen(secret))}))
	return secret, taken(err, op, "the application has another secret named "+to)
}

// RemoveSecret takes a secret from a client: servers refuse it within 5 s.
func (s *Service) RemoveSecret(ctx context.Context, by audit.Actor, client, name string) error {
	secret, err := s.secretNamed(ctx, "remove client secret", client, name)
	if err != nil {
		return err
	}
	return s.store.RemoveSecret(ctx, client, secret.ID, s.book.Entry(by, audit.Record{Kind: "client.secret_deleted", Client: client, Detail: secretSeen(secret)}))
}

// secretSeen is what the audit log tells of a secret.
func secretSeen(c store.ClientSecret) map[string]any {
	out := map[string]any{"name": SecretName(c)}
	if !c.ExpiresAt.IsZero() {
		out["expiresAt"] = c.ExpiresAt
	}
	return out
}
