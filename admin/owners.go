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
	return s.addOwner(ctx, by, to)
}

// RemoveOwner makes an owner one no more. Errors: [store.NotFound]; [store.InUse] if no
// other one can sign in.
func (s *Service) RemoveOwner(ctx context.Context, by audit.Actor, email string) error {
	const op = "remove owner"
	from, err := address.Parse(email)
	if err != nil { // nobody has it
		return &store.Error{Code: store.NotFound, Op: op, Err: errors.New("not an email address")}
	}
	entry, err := s.ownerEntry(ctx, by, "owner.removed", from)
	if err != nil {
		return err
	}
	return s.store.RemoveOwner(ctx, from, entry)
}

// NeedOwners makes owners of those addresses that are none.
func (s *Service) NeedOwners(ctx context.Context, by audit.Actor, emails []store.Email) error {
	for _, e := range emails {
		if err := s.addOwner(ctx, by, e); err != nil && store.CodeOf(err) != store.Conflict {
			return fmt.Errorf("make the owners of the settings: %w", err)
		}
	}
	return nil
}

func (s *Service) addOwner(ctx context.Context, by audit.Actor, email store.Email) error {
	entry, err := s.ownerEntry(ctx, by, "owner.added", email)
	if err != nil {
		return err
	}
	return s.store.AddOwner(ctx, email, entry)
}

func (s *Service) ownerEntry(ctx context.Context, by audit.Actor, kind string, email store.Email) (store.Event, error) {
	user, err := s.accountOf(ctx, email)
	return s.book.Entry(by, audit.Record{Kind: kind, User: user, Personal: map[string]any{"email": string(email)}}), err
}
