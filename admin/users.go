package admin

import (
	"context"
	"maps"
	"slices"
	"time"

	"idp/audit"
	"idp/store"
)

type userStore interface {
	UsersByID(ctx context.Context, ids []string) ([]store.User, error)
	User(ctx context.Context, id string) (store.User, error)
	UserByEmail(ctx context.Context, email store.Email) (store.User, error)
	Users(ctx context.Context, q store.UserQuery) (store.UserPage, error)
	CreateUser(ctx context.Context, u store.User, told ...store.Event) error
	UpdateUser(ctx context.Context, u store.User, seen time.Time, told ...store.Event) (time.Time, error)
	SuspendUser(ctx context.Context, id string, suspend bool, seen time.Time, told ...store.Event) (time.Time, error)
	DeleteUser(ctx context.Context, id string, seen time.Time, traces store.Traces, told ...store.Event) error
}

// Addresses gives the keyed hashes that something about an address is kept under: now, and
// under the secret before a rotation, or zero.
type Addresses interface {
	Address(of store.Email) (now, former store.Hash)
}

// User reads an account, suspended or not. The error is [store.NotFound].
func (s *Service) User(ctx context.Context, id string) (store.User, error) {
	return s.store.User(ctx, id)
}

// accountOf is the account of an address, "" if there is none: an entry of the audit log that
// names the address is about that account, so that deleting it makes the address unreadable.
func (s *Service) accountOf(ctx context.Context, email store.Email) (string, error) {
	u, err := s.store.UserByEmail(ctx, email)
	if store.CodeOf(err) == store.NotFound {
		return "", nil
	}
	return u.ID, err
}

// UserByEmail is [Service.User] by address.
func (s *Service) UserByEmail(ctx context.Context, email store.Email) (store.User, error) {
	return s.store.UserByEmail(ctx, email)
}

// Users gives a page of people.
func (s *Service) Users(ctx context.Context, q store.UserQuery) (store.UserPage, error) {
	const op = "list users"
	for _, t := range q.Terms {
		field := "search"
		if t.Field != store.AnyUserField {
			field += "." + string(t.Field)
		}
		if err := checkText(op, field, t.Pattern, 0, 256); err != nil {
			return store.UserPage{}, err
		}
	}
	return s.store.Users(ctx, q)
}

// CreateUser makes an account, with an id unless it has one. Its address counts as
// verified: the administrator says that it is theirs.
func (s *Service) CreateUser(ctx context.Context, by audit.Actor, u store.User) (store.User, error) {
	const op = "create user"
	if u.ID == "" {
		u.ID = store.RandomText(userIDSize)
	}
	if err := CheckUser(op, u); err != nil {
		return u, err
	}
	if err := s.store.CreateUser(ctx, u, s.book.Entry(by, audit.Record{Kind: "user.created", User: u.ID, Client: u.Client, Personal: audit.Changes(nil, personSeen(u))})); err != nil {
		return u, err
	}
	return s.store.User(ctx, u.ID)
}

// UpdateUser changes what is known of a person by change, which may be called more than
// once. Another address is theirs from then on: they sign in with it, stay signed in where
// they are, and what was mailed to the former one gives nobody this account. seen as in
// [Service.UpdateClient].
func (s *Service) UpdateUser(ctx context.Context, by audit.Actor, id string, seen time.Time, change func(*store.User) error) (store.User, error) {
	const op = "update user"
	return edit(op, seen, s.reader(ctx, id),
		func(before store.User, version time.Time) (after store.User, err error) {
			after = before
			if err := change(&after); err != nil {
				return after, err
			}
			if err := CheckUser(op, after); err != nil {
				return after, err
			}
			changes := audit.Changes(personSeen(before), personSeen(after))
			after.UpdatedAt, err = s.store.UpdateUser(ctx, after, version, s.book.Entry(by, audit.Record{Kind: "user.updated", User: id, Detail: fieldsOf(changes), Personal: changes}))
			return after, err
		})
}

// SuspendUser keeps a person out of everything at once, or lets them sign in again. An
// operator is [store.Forbidden] to who may not do everything. seen as in
// [Service.UpdateClient].
func (s *Service) SuspendUser(ctx context.Context, by audit.Actor, id string, seen time.Time, suspend bool) (store.User, error) {
	const op = "suspend user"
	if err := s.mayKeepOut(ctx, op, by, id); err != nil {
		return store.User{}, err
	}
	return edit(op, seen, s.reader(ctx, id),
		func(before store.User, version time.Time) (store.User, error) {
			if before.SuspendedAt.IsZero() == !suspend {
				return before, nil
			}
			kind := "user.reinstated"
			if suspend {
				kind = "user.suspended"
			}
			if _, err := s.store.SuspendUser(ctx, id, suspend, version, s.book.Entry(by, audit.Record{Kind: kind, User: id})); err != nil {
				return before, err
			}
			return s.store.User(ctx, id)
		})
}

// DeleteUser removes an account with all that is its own. What the audit log has that is
// personal about it nobody can read any more. An operator's is [store.Forbidden] to who may
// not do everything. seen as in [Service.UpdateClient].
func (s *Service) DeleteUser(ctx context.Context, by audit.Actor, id string, seen time.Time) error {
	const op = "delete user"
	if err := s.mayKeepOut(ctx, op, by, id); err != nil {
		return err
	}
	_, err := edit(op, seen, s.reader(ctx, id),
		func(u store.User, version time.Time) (store.User, error) { // by its version: the traces are of the address that it has
			var traces store.Traces
			if s.codes != nil {
				traces.Codes[0], traces.Codes[1] = s.codes.Address(u.Email)
			}
			if s.mails != nil {
				traces.Mails[0], traces.Mails[1] = s.mails.Address(u.Email)
			}
			return u, s.store.DeleteUser(ctx, id, version, traces, s.book.Entry(by, audit.Record{Kind: "user.deleted", User: id}))
		})
	return err
}

// reader reads an account with its version, for [edit].
func (s *Service) reader(ctx context.Context, id string) func() (store.User, time.Time, error) {
	return func() (store.User, time.Time, error) {
		u, err := s.store.User(ctx, id)
		return u, u.UpdatedAt, err
	}
}

// fieldsOf names what changed, which is not personal.
func fieldsOf(changes map[string]any) map[string]any {
	names := map[string]bool{}
	for _, side := range changes {
		if values, ok := side.(map[string]any); ok {
			for name := range values {
				names[name] = true
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	return map[string]any{"changed": slices.Sorted(maps.Keys(names))}
}
