package admin

import (
	"context"
	"slices"
	"time"

	"idp/audit"
	"idp/store"
)

type holderStore interface {
	RoleUsers(ctx context.Context, role string, l store.Listing) ([]string, int, error)
	RoleClients(ctx context.Context, role string, l store.Listing) ([]store.Client, int, error)
	UserRoles(ctx context.Context, user string, l store.Listing) ([]store.Role, int, error)
	ClientRoles(ctx context.Context, client string, l store.Listing) ([]store.Role, int, error)
	AddUserRoles(ctx context.Context, users, roles []string, told ...store.Event) error
	SetUserRoles(ctx context.Context, user string, roles []string, told ...store.Event) error
	RemoveUserRole(ctx context.Context, user, role string, told ...store.Event) error
	AddClientRoles(ctx context.Context, clients, roles []string, told ...store.Event) error
	SetClientRoles(ctx context.Context, client string, roles []string, seen time.Time, told ...store.Event) error
	RemoveClientRole(ctx context.Context, client, role string, told ...store.Event) error
}

// RoleUsers lists the ids of the people who have a role, and counts them.
func (s *Service) RoleUsers(ctx context.Context, role string, l store.Listing) ([]string, int, error) {
	if _, err := s.store.Role(ctx, role); err != nil {
		return nil, 0, err
	}
	return s.store.RoleUsers(ctx, role, l)
}

// RolePeople is [Service.RoleUsers] with who they are; when they signed in last is not told.
func (s *Service) RolePeople(ctx context.Context, role string, l store.Listing) ([]store.User, int, error) {
	ids, total, err := s.RoleUsers(ctx, role, l)
	if err != nil {
		return nil, 0, err
	}
	people, err := s.store.UsersByID(ctx, ids)
	return people, total, err
}

// RoleClients lists the clients that have a role, and counts them.
func (s *Service) RoleClients(ctx context.Context, role string, l store.Listing) ([]store.Client, int, error) {
	if _, err := s.store.Role(ctx, role); err != nil {
		return nil, 0, err
	}
	return s.store.RoleClients(ctx, role, l)
}

// UserRoles lists the roles of a person, and counts them.
func (s *Service) UserRoles(ctx context.Context, user string, l store.Listing) ([]store.Role, int, error) {
	return s.store.UserRoles(ctx, user, l)
}

// ClientRoles lists the roles of a client, and counts them.
func (s *Service) ClientRoles(ctx context.Context, client string, l store.Listing) ([]store.Role, int, error) {
	if _, err := s.store.FreshClient(ctx, client); err != nil {
		return nil, 0, err
	}
	return s.store.ClientRoles(ctx, client, l)
}

// AddUserRoles gives each of these people each of these roles.
func (s *Service) AddUserRoles(ctx context.Context, by audit.Actor, users, roles []string) error {
	return s.store.AddUserRoles(ctx, users, roles, s.given(by, users, roles, userEntry)...)
}

// SetUserRoles gives a person exactly these roles.
func (s *Service) SetUserRoles(ctx context.Context, by audit.Actor, user string, roles []string) error {
	had, err := s.userRoles(ctx, user)
	if err != nil {
		return err
	}
	return s.store.SetUserRoles(ctx, user, roles, s.book.Entry(by, userEntry(user, rolesChanged(ids(had), roles))))
}

// RemoveUserRole takes a role from a person.
func (s *Service) RemoveUserRole(ctx context.Context, by audit.Actor, user, role string) error {
	return s.store.RemoveUserRole(ctx, user, role, s.book.Entry(by, userEntry(user, rolesChanged([]string{role}, nil))))
}

// AddClientRoles gives each of these machines each of these roles.
func (s *Service) AddClientRoles(ctx context.Context, by audit.Actor, clients, roles []string) error {
	if err := s.mayGiveRoles(ctx, "give roles to clients", by, roles); err != nil {
		return err
	}
	return s.store.AddClientRoles(ctx, clients, roles, s.given(by, clients, roles, clientEntry)...)
}

// SetClientRoles gives a machine exactly these roles. Those that it has need nobody's
// leave: so they are written only if it still has them. seen as in [Service.UpdateClient].
func (s *Service) SetClientRoles(ctx context.Context, by audit.Actor, client string, roles []string, seen time.Time) error {
	const op = "set roles of client"
	_, err := edit(op, seen,
		func() (store.Client, time.Time, error) {
			c, err := s.store.FreshClient(ctx, client)
			return c, c.UpdatedAt, err
		},
		func(c store.Client, version time.Time) (store.Client, error) {
			had, err := s.clientRoles(ctx, client)
			if err != nil {
				return c, err
			}
			added := slices.DeleteFunc(slices.Clone(roles), func(id string) bool { return slices.Contains(ids(had), id) })
			if err := s.mayGiveRoles(ctx, op, by, added); err != nil {
				return c, err
			}
			return c, s.store.SetClientRoles(ctx, client, roles, version, s.book.Entry(by, clientEntry(client, rolesChanged(ids(had), roles))))
		})
	return err
}

// RemoveClientRole takes a role from a machine.
func (s *Service) RemoveClientRole(ctx context.Context, by audit.Actor, client, role string) error {
	return s.store.RemoveClientRole(ctx, client, role, s.book.Entry(by, clientEntry(client, rolesChanged([]string{role}, nil))))
}

// given are the entries for roles that each of several has got.
func (s *Service) given(by audit.Actor, to, roles []string, record func(string, map[string]any) audit.Record) (told []store.Event) {
	for _, id := range to {
		told = append(told, s.book.Entry(by, record(id, rolesChanged(nil, roles))))
	}
	return told
}

func userEntry(user string, detail map[string]any) audit.Record {
	return audit.Record{Kind: "user.roles_changed", User: user, Detail: detail}
}

func clientEntry(client string, detail map[string]any) audit.Record {
	return audit.Record{Kind: "client.roles_changed", Client: client, Detail: detail}
}

func rolesChanged(before, after []string) map[string]any {
	type roles struct {
		Roles []string `json:"roleIds,omitempty"`
	}
	return audit.Changes(roles{before}, roles{after})
}
