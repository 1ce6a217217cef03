package admin

import (
	"context"
	"errors"
	"fmt"

	"idp/audit"
	"idp/store"
	"idp/store/address"
)

type ownerStore interface {
	Owners(ctx context.Context) ([]store.Owner, error)
	AddOwner(ctx context.Context, email store.Email, told ...store.Event) error
	RemoveOwner(ctx context.Context, email store.Email, told ...store.Event) error
}

// Owners lists who may do everything, by address.
func (s *Service) Owners(ctx context.Context) ([]store.Owner, error) { return s.store.Owners(ctx) }

// AddOwner makes whoever has, or will have, the account of an address an owner. Errors:
// [store.Invalid], [store.Conflict] if they are one.
func (s *Service) AddOwner(ctx context.Context, by audit.Actor, email string) error {
	to, err := address.Parse(email)
	if err != nil {
		return store.InvalidField("add owner", "email", "is no email address")
	}
	return s.store.AddOwner(ctx, to, s.ownerEntry(by, "owner.added", to))
}

// RemoveOwner makes an owner one no more. Errors: [store.NotFound]; [store.InUse] if no
// other one can sign in.
func (s *Service) RemoveOwner(ctx context.Context, by audit.Actor, email string) error {
	const op = "remove owner"
	from, err := address.Parse(email)
	if err != nil { // nobody has it
		return &store.Error{Code: store.NotFound, Op: op, Err: errors.New("not an email address")}
	}
	return s.store.RemoveOwner(ctx, from, s.ownerEntry(by, "owner.removed", from))
}

// NeedOwners makes owners of those addresses that are none.
func (s *Service) NeedOwners(ctx context.Context, by audit.Actor, emails []store.Email) error {
	for _, e := range emails {
		if err := s.store.AddOwner(ctx, e, s.ownerEntry(by, "owner.added", e)); err != nil && store.CodeOf(err) != store.Conflict {
			return fmt.Errorf("make the owners of the settings: %w", err)
		}
	}
	return nil
}

func (s *Service) ownerEntry(by audit.Actor, kind string, email store.Email) store.Event {
	return s.book.Entry(by, audit.Record{Kind: kind, Personal: map[string]any{"email": string(email)}})
}
