package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"idp/audit"
	"idp/store"
)

type roleStore interface {
	Roles(ctx context.Context, l store.RoleListing) ([]store.Role, int, error)
	Role(ctx context.Context, id string) (store.Role, error)
	RoleHolders(ctx context.Context, id string) (store.RoleHolders, error)
	RoleTally(ctx context.Context, id string, most int) (store.RoleTally, error)
	CreateRole(ctx context.Context, r store.Role, scopes []string, told ...store.Event) error
	UpdateRole(ctx context.Context, r store.Role, seen time.Time, told ...store.Event) (time.Time, error)
	DeleteRole(ctx context.Context, id string, seen time.Time, told ...store.Event) error
	RoleScopes(ctx context.Context, role string, l store.Listing) ([]store.Scope, int, error)
	AddRoleScopes(ctx context.Context, role string, scopes []string, told ...store.Event) error
	SetRoleScopes(ctx context.Context, role string, scopes []string, seen time.Time, told ...store.Event) error
	RemoveRoleScope(ctx context.Context, role, scope string, told ...store.Event) error
}

// Roles lists roles, oldest first, and counts them.
func (s *Service) Roles(ctx context.Context, l store.RoleListing) ([]store.Role, int, error) {
	return s.store.Roles(ctx, l)
}

// Role reads a role.
func (s *Service) Role(ctx context.Context, id string) (store.Role, error) {
	return s.store.Role(ctx, id)
}

// RoleHolders tells how many have a role, and some of them.
func (s *Service) RoleHolders(ctx context.Context, id string) (store.RoleHolders, error) {
	return s.store.RoleHolders(ctx, id)
}

// RoleTally counts who has a role, and its scopes, each up to most.
func (s *Service) RoleTally(ctx context.Context, id string, most int) (store.RoleTally, error) {
	return s.store.RoleTally(ctx, id, most)
}

// CreateRole adds a role with scopes, by their ids. Its id is made here unless it has one; no
// type is that of people.
func (s *Service) CreateRole(ctx context.Context, by audit.Actor, r store.Role, scopes []string) (store.Role, error) {
	const op = "create role"
	if r.ID == "" {
		r.ID = newID()
	}
	if r.Type == "" {
		r.Type = store.UserRole
	}
	if err := errors.Join(checkID(op, r.ID), checkRole(op, r)); err != nil {
		return r, err
	}
	given, err := s.givable(ctx, op, r, scopes)
	if err == nil {
		err = mayGive(op, by, given)
	}
	if err != nil {
		return r, err
	}
	entry := s.book.Entry(by, audit.Record{Kind: "role.created", Target: "role:" + r.ID, Detail: audit.Changes(nil, roleSeen(r, given))})
	if err := s.store.CreateRole(ctx, r, scopes, entry); err != nil {
		return r, taken(err, op, "another role has the name "+r.Name+", or the id")
	}
	return s.store.Role(ctx, r.ID)
}

// givable reads scopes that somebody wants a role to have, and tells whether a role of its
// type can.
func (s *Service) givable(ctx context.Context, op string, r store.Role, ids []string) ([]store.Scope, error) {
	scopes := make([]store.Scope, 0, len(ids))
	for i, id := range ids {
		field := fmt.Sprintf("scopeIds[%d]", i)
		c, err := s.store.Scope(ctx, id)
		switch {
		case store.CodeOf(err) == store.NotFound:
			return nil, store.InvalidField(op, field, "is no scope that there is")
		case err != nil:
			return nil, err
		case c.Resource == store.ManagementResource && r.Type != store.MachineRole:
			return nil, store.InvalidField(op, field, "is a scope of the management API, which roles of the type "+string(store.MachineRole)+" can have only")
		}
		scopes = append(scopes, c)
	}
	return scopes, nil
}

// UpdateRole changes name, description and whether it is given by default, by change. seen
// as in [Service.UpdateClient].
func (s *Service) UpdateRole(ctx context.Context, by audit.Actor, id string, seen time.Time, change func(*store.Role)) (store.Role, error) {
	const op = "update role"
	if err := notBuiltInRole(op, id); err != nil {
		return store.Role{}, err
	}
	return edit(op, seen,
		func() (store.Role, time.Time, error) {
			r, err := s.store.Role(ctx, id)
			return r, r.UpdatedAt, err
		},
		func(before store.Role, version time.Time) (after store.Role, err error) {
			after = before
			change(&after)
			if after.Type != before.Type {
				return after, store.InvalidField(op, "type", "cannot be changed")
			}
			if err := checkRole(op, after); err != nil {
				return after, err
			}
			entry := s.book.Entry(by, audit.Record{Kind: "role.updated", Target: "role:" + id, Detail: audit.Changes(roleSeen(before, nil), roleSeen(after, nil))})
			after.UpdatedAt, err = s.store.UpdateRole(ctx, after, version, entry)
			return after, taken(err, op, "another role has the name "+after.Name)
		})
}

// DeleteRole removes a role that nobody has.
func (s *Service) DeleteRole(ctx context.Context, by audit.Actor, id string, seen time.Time) error {
	if err := notBuiltInRole("delete role", id); err != nil {
		return err
	}
	r, err := s.store.Role(ctx, id)
	if err != nil {
		return err
	}
	scopes, err := s.allScopes(ctx, id)
	if err != nil {
		return err
	}
	return s.store.DeleteRole(ctx, id, seen, s.book.Entry(by, audit.Record{Kind: "role.deleted", Target: "role:" + id, Detail: audit.Changes(roleSeen(r, scopes), nil)}))
}

// RoleScopes lists the scopes of a role, and counts them.
func (s *Service) RoleScopes(ctx context.Context, role string, l store.Listing) ([]store.Scope, int, error) {
	if _, err := s.store.Role(ctx, role); err != nil {
		return nil, 0, err
	}
	return s.store.RoleScopes(ctx, role, l)
}

// AddRoleScopes gives a role scopes, by their ids.
func (s *Service) AddRoleScopes(ctx context.Context, by audit.Actor, role string, scopes []string) error {
	const op = "add scopes to role"
	r, err := s.store.Role(ctx, role)
	if err != nil {
		return err
	}
	if err := notBuiltInRole(op, role); err != nil {
		return err
	}
	given, err := s.givable(ctx, op, r, scopes)
	if err == nil {
		err = mayGive(op, by, given)
	}
	if err != nil {
		return err
	}
	before, err := s.allScopes(ctx, role)
	if err != nil {
		return err
	}
	return s.store.AddRoleScopes(ctx, role, scopes, s.scopesEntry(by, r, before, append(given, before...)))
}

// SetRoleScopes gives a role exactly these scopes, by their ids. Those that it has need
// nobody's leave: so they are written only if it still has them. seen as in
// [Service.UpdateClient].
func (s *Service) SetRoleScopes(ctx context.Context, by audit.Actor, role string, seen time.Time, scopes []string) error {
	const op = "set scopes of role"
	if err := notBuiltInRole(op, role); err != nil {
		return err
	}
	_, err := edit(op, seen,
		func() (store.Role, time.Time, error) {
			r, err := s.store.Role(ctx, role)
			return r, r.UpdatedAt, err
		},
		func(r store.Role, version time.Time) (store.Role, error) {
			after, err := s.givable(ctx, op, r, scopes)
			if err != nil {
				return r, err
			}
			before, err := s.allScopes(ctx, role)
			if err != nil {
				return r, err
			}
			had := map[string]bool{}
			for _, c := range before {
				had[c.ID] = true
			}
			added := slices.DeleteFunc(slices.Clone(after), func(c store.Scope) bool { return had[c.ID] })
			if err := mayGive(op, by, added); err != nil {
				return r, err
			}
			return r, s.store.SetRoleScopes(ctx, role, scopes, version, s.scopesEntry(by, r, before, after))
		})
	return err
}

func (s *Service) scopesEntry(by audit.Actor, r store.Role, before, after []store.Scope) store.Event {
	return s.book.Entry(by, audit.Record{Kind: "role.updated", Target: "role:" + r.ID, Detail: audit.Changes(roleSeen(r, before), roleSeen(r, after))})
}

// RemoveRoleScope takes a scope from a role.
func (s *Service) RemoveRoleScope(ctx context.Context, by audit.Actor, role, scope string) error {
	const op = "remove scope from role"
	if err := notBuiltInRole(op, role); err != nil {
		return err
	}
	c, err := s.store.Scope(ctx, scope)
	if err != nil {
		return err
	}
	return s.store.RemoveRoleScope(ctx, role, scope, s.book.Entry(by, audit.Record{Kind: "role.updated", Target: "role:" + role,
		Detail: map[string]any{"before": map[string]any{"scopes": []string{c.Resource + " " + c.Name}}}}))
}

// notBuiltInRole keeps the role of the management API as it is.
func notBuiltInRole(op, role string) error {
	if role == store.ManagementRole {
		return &store.Error{Code: store.InUse, Op: op, Err: errors.New("the role of the management API is built in, and stays as it is with its scopes")}
	}
	return nil
}

func checkRole(op string, r store.Role) error {
	switch {
	case r.Type != store.UserRole && r.Type != store.MachineRole:
		return store.InvalidField(op, "type", "is "+string(store.UserRole)+" or "+string(store.MachineRole))
	case r.Default && r.Type != store.UserRole:
		return store.InvalidField(op, "isDefault", "is for roles of people: machines get theirs by name")
	}
	if err := checkText(op, "name", r.Name, 1, 128); err != nil {
		return err
	}
	return checkText(op, "description", r.Description, 0, 256)
}

// roleSeen is what the audit log tells of a role.
func roleSeen(r store.Role, scopes []store.Scope) any {
	names := map[string]bool{}
	for _, c := range scopes {
		names[c.Resource+" "+c.Name] = true
	}
	return struct {
		Name        string         `json:"name"`
		Description string         `json:"description"`
		Type        store.RoleType `json:"type"`
		Default     bool           `json:"isDefault"`
		Scopes      []string       `json:"scopes,omitempty"`
	}{r.Name, r.Description, r.Type, r.Default, sorted(names)}
}
