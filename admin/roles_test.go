package admin_test

import (
	"testing"
	"time"

	"idp/audit"
	"idp/store"
)

// Scopes that a role has need nobody's leave, those that are new do; and who has seen the
// role before somebody else changed it changes nothing.
func TestSetRoleScopes(t *testing.T) {
	t.Parallel()
	s, _ := setup(t)
	ctx, owner := t.Context(), audit.Command()
	clerk := audit.Actor{ID: "user:clerk", Scopes: []string{"roles:write", "users:read"}}
	read, write := "management-api-users-read", "management-api-users-write"
	role, err := s.CreateRole(ctx, owner, store.Role{Name: "Robot", Type: store.MachineRole}, []string{write})
	must(t, err)
	must(t, s.SetRoleScopes(ctx, clerk, role.ID, role.UpdatedAt, []string{write, read})) // write was there
	want := func(err error, code store.Code) {
		t.Helper()
		if store.CodeOf(err) != code {
			t.Errorf("%v, want %s", err, code)
		}
	}
	want(s.SetRoleScopes(ctx, clerk, role.ID, role.UpdatedAt, nil), store.Changed)
	must(t, s.SetRoleScopes(ctx, clerk, role.ID, time.Time{}, []string{read}))
	want(s.SetRoleScopes(ctx, clerk, role.ID, time.Time{}, []string{read, write}), store.Forbidden)
	want(s.SetRoleScopes(ctx, owner, role.ID, time.Time{}, []string{"nothing"}), store.Invalid)
	want(s.SetRoleScopes(ctx, owner, store.ManagementRole, time.Time{}, nil), store.InUse)
	want(s.SetRoleScopes(ctx, owner, "nothing", time.Time{}, nil), store.NotFound)
	if has, n, err := s.RoleScopes(ctx, role.ID, store.Listing{Limit: 9}); err != nil || n != 1 || has[0].ID != read {
		t.Error(has, n, err)
	}
	if n, err := s.RoleTally(ctx, role.ID, 9); err != nil || n.Scopes != 1 {
		t.Error(n, err)
	}
	ada, err := s.CreateUser(ctx, owner, store.User{Email: "ada@example.com"})
	must(t, err)
	people, err := s.CreateRole(ctx, owner, store.Role{Name: "People"}, nil)
	must(t, err)
	must(t, s.AddUserRoles(ctx, owner, []string{ada.ID}, []string{people.ID}))
	if has, n, err := s.RolePeople(ctx, people.ID, store.Listing{Limit: 9}); err != nil || n != 1 || has[0].Email != "ada@example.com" {
		t.Error(has, n, err)
	}
}
