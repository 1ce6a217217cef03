package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

func (f *fixture) role(id string, kind store.RoleType, scopes ...string) {
	f.t.Helper()
	f.no(f.db.CreateRole(f.ctx(), store.Role{ID: id, Name: strings.ToUpper(id), Description: "Role " + id, Type: kind}, scopes))
}

func testRoles(t *testing.T, f *fixture) {
	f.resource("orders")
	f.scope("orders", "read")
	f.scope("orders", "write")
	f.role("clerk", store.UserRole, "read", "write")
	f.want(f.db.CreateRole(f.ctx(), store.Role{ID: "c2", Name: "CLERK", Type: store.UserRole}, nil), store.Conflict)
	f.want(f.db.CreateRole(f.ctx(), store.Role{ID: "c3", Name: "C3", Type: store.UserRole}, []string{"read", "nothing"}), store.Invalid)
	_, err := f.db.Role(f.ctx(), "c3")
	f.want(err, store.NotFound) // nothing of it is there
	f.role("robot", store.MachineRole)
	roles := func(l store.RoleListing) string {
		t.Helper()
		l.Limit = 10
		list, n, err := f.db.Roles(f.ctx(), l)
		f.no(err)
		var ids []string
		for _, r := range list {
			ids = append(ids, r.ID)
		}
		if n != len(ids) {
			t.Errorf("%d of %d", n, len(ids))
		}
		return strings.Join(ids, " ")
	}
	if got := roles(store.RoleListing{}); got != "management-api clerk robot" {
		t.Error(got)
	}
	if got := roles(store.RoleListing{Type: store.MachineRole}); got != "management-api robot" {
		t.Error(got)
	}
	if got := roles(store.RoleListing{Listing: store.Listing{Search: "ler"}}); got != "clerk" {
		t.Error(got)
	}
	if list, n, err := f.db.RoleScopes(f.ctx(), "clerk", store.Listing{Limit: 1, Skip: 1}); err != nil || n != 2 || len(list) != 1 || list[0].ID != "write" {
		t.Fatal(list, n, err)
	}
	read, err := f.db.Role(f.ctx(), "clerk")
	f.no(err)
	f.no(f.db.SetRoleScopes(f.ctx(), "clerk", []string{"write"}, read.UpdatedAt))
	f.want(f.db.SetRoleScopes(f.ctx(), "clerk", nil, read.UpdatedAt), store.Changed)
	f.want(f.db.SetRoleScopes(f.ctx(), "nothing", nil, time.Time{}), store.NotFound)
	if n, err := f.db.RoleTally(f.ctx(), "clerk", 10); err != nil || n != (store.RoleTally{Scopes: 1}) {
		t.Error(n, err)
	}
	read.Name, read.Default = "Desk", true
	_, err = f.db.UpdateRole(f.ctx(), read, read.UpdatedAt)
	f.want(err, store.Changed) // its scopes are part of it
	now, err := f.db.Role(f.ctx(), "clerk")
	f.no(err)
	_, err = f.db.UpdateRole(f.ctx(), read, now.UpdatedAt)
	f.no(err)
	if now, err = f.db.Role(f.ctx(), "clerk"); err != nil || now.Name != "Desk" || !now.Default || now.Type != store.UserRole {
		t.Fatalf("%+v %v", now, err)
	}
	f.want(f.db.AddRoleScopes(f.ctx(), "nothing", []string{"read"}), store.NotFound)
	f.want(f.db.AddRoleScopes(f.ctx(), "clerk", []string{"nothing"}), store.Invalid)
	f.no(f.db.AddRoleScopes(f.ctx(), "clerk", []string{"read", "write"}))
	f.no(f.db.DeleteRole(f.ctx(), "clerk", time.Time{}))
	f.want(f.db.DeleteRole(f.ctx(), "clerk", time.Time{}), store.NotFound)
	if n := f.count(`SELECT COUNT(*) FROM role_scope WHERE role_id = 'clerk'`); n != 0 {
		t.Errorf("%d scopes are left", n)
	}
}

func testUsersWithRoles(t *testing.T, f *fixture) {
	_, ada := f.signUp("ada@example.com")
	_, bob := f.signUp("bob@example.com")
	f.role("clerk", store.UserRole)
	f.role("chief", store.UserRole)
	f.role("robot", store.MachineRole)
	f.no(f.db.AddUserRoles(f.ctx(), []string{ada, bob}, []string{"clerk"}, store.Event{Kind: "role.given", User: ada}))
	f.no(f.db.AddUserRoles(f.ctx(), []string{ada}, []string{"clerk", "chief"}))
	f.want(f.db.AddUserRoles(f.ctx(), []string{ada}, []string{"robot"}), store.Invalid)
	f.want(f.db.AddUserRoles(f.ctx(), []string{bob, "nobody"}, []string{"chief"}), store.Invalid)
	if list, n, err := f.db.RoleUsers(f.ctx(), "chief", store.Listing{Limit: 10}); err != nil || n != 1 || list[0] != ada {
		t.Fatal(list, n, err)
	}
	f.want(f.db.SetUserRoles(f.ctx(), "nobody", nil), store.NotFound)
	_, _, err := f.db.UserRoles(f.ctx(), "nobody", store.Listing{Limit: 10})
	f.want(err, store.NotFound)
	f.no(f.db.SetUserRoles(f.ctx(), ada, []string{"chief"}))
	if list, n, err := f.db.UserRoles(f.ctx(), ada, store.Listing{Limit: 10}); err != nil || n != 1 || list[0].ID != "chief" {
		t.Fatal(list, n, err)
	}
	if list, n, err := f.db.Roles(f.ctx(), store.RoleListing{Listing: store.Listing{Limit: 10}, NotUser: ada, Type: store.UserRole}); err != nil || n != 1 || list[0].ID != "clerk" {
		t.Fatal(list, n, err)
	}
	f.no(f.db.AddUserRoles(f.ctx(), []string{ada}, []string{"clerk"}))
	if n, err := f.db.RoleTally(f.ctx(), "clerk", 10); err != nil || n != (store.RoleTally{Users: 2}) {
		t.Error(n, err)
	}
	if n, err := f.db.RoleTally(f.ctx(), "clerk", 1); err != nil || n != (store.RoleTally{Users: 1}) {
		t.Error(n, err)
	}
	if list, err := f.db.UsersByID(f.ctx(), []string{bob, "nobody", ada}); err != nil || len(list) != 2 || list[0].Email != "bob@example.com" || list[1].ID != ada {
		t.Error(list, err)
	}
	f.no(f.db.RemoveUserRole(f.ctx(), ada, "clerk"))
	if h, err := f.db.RoleHolders(f.ctx(), "clerk"); err != nil || h.Users != 1 || h.Clients != 0 || h.SomeUsers[0] != bob {
		t.Fatal(h, err)
	}
	err = f.db.DeleteRole(f.ctx(), "clerk", time.Time{})
	f.want(err, store.InUse)
	if !strings.Contains(err.Error(), bob) {
		t.Errorf("it is not said who has it: %v", err)
	}
	f.no(f.db.RemoveUserRole(f.ctx(), bob, "clerk"))
	f.want(f.db.RemoveUserRole(f.ctx(), bob, "clerk"), store.NotFound)
	f.no(f.db.DeleteRole(f.ctx(), "clerk", time.Time{}))
	if n := f.count(`SELECT COUNT(*) FROM event WHERE kind = 'role.given'`); n != 1 {
		t.Errorf("%d entries", n)
	}
}

// Whoever gets a role, however, while it is deleted has it, or nobody does and it is gone.
func testDeletedRoles(t *testing.T, f *fixture) {
	_, ada := f.signUp("ada@example.com")
	dbs := []*sqlstore.DB{f.db, f.replica()}
	for n := range 40 {
		id := fmt.Sprintf("role%d", n)
		f.role(id, store.UserRole)
		f.parallel(4, dbs, func(i int, db *sqlstore.DB) {
			var err error
			switch i {
			case 0:
				err = db.AddUserRoles(f.ctx(), []string{ada}, []string{id})
			case 1:
				err = db.SetUserRoles(f.ctx(), ada, []string{id})
			case 2:
				err = db.ImportUsers(f.ctx(), []store.Import{{User: store.User{ID: store.RandomText(12), Email: store.Email(id + "@example.com")}, Roles: []string{id}}})
			case 3:
				time.Sleep(time.Duration(n%8) * 250 * time.Microsecond)
				err = db.DeleteRole(f.ctx(), id, time.Time{})
			}
			if code := store.CodeOf(err); code != store.Invalid && code != store.InUse {
				f.no(err)
			}
		})
	}
	if n := f.count(`SELECT COUNT(*) FROM user_role WHERE role_id NOT IN (SELECT id FROM role)`); n != 0 {
		t.Errorf("%d people have a role that there is not", n)
	}
}

func testClientsWithRoles(t *testing.T, f *fixture) {
	machine := client("machine")
	machine.Type, machine.Name = store.Machine, "Nightly job"
	f.role("robot", store.MachineRole)
	f.role("clerk", store.UserRole)
	f.want(f.db.CreateMachine(f.ctx(), machine, []string{"nothing"}), store.Invalid)
	f.no(f.db.CreateMachine(f.ctx(), machine, []string{"robot"}))
	before, err := f.db.FreshClient(f.ctx(), "machine")
	f.no(err)
	f.want(f.db.AddClientRoles(f.ctx(), []string{"bookstore"}, []string{"robot"}), store.Invalid) // people sign in to it
	f.want(f.db.AddClientRoles(f.ctx(), []string{"machine"}, []string{"clerk"}), store.Invalid)
	f.no(f.db.AddClientRoles(f.ctx(), []string{"machine"}, []string{"robot", store.ManagementRole}))
	after, err := f.db.FreshClient(f.ctx(), "machine")
	f.no(err)
	if !after.UpdatedAt.After(before.UpdatedAt) {
		t.Error("its roles are no part of its version")
	}
	if list, n, err := f.db.ClientRoles(f.ctx(), "machine", store.Listing{Limit: 10}); err != nil || n != 2 || list[0].ID != store.ManagementRole {
		t.Fatal(list, n, err)
	}
	if list, n, err := f.db.RoleClients(f.ctx(), "robot", store.Listing{Limit: 10, Search: "night"}); err != nil || n != 1 || list[0].ID != "machine" {
		t.Fatal(list, n, err)
	}
	err = f.db.DeleteRole(f.ctx(), "robot", time.Time{})
	f.want(err, store.InUse)
	if !strings.Contains(err.Error(), "Nightly job") {
		t.Errorf("it is not said who has it: %v", err)
	}
	f.want(f.db.SetClientRoles(f.ctx(), "nothing", nil, time.Time{}), store.NotFound)
	f.no(f.db.SetClientRoles(f.ctx(), "machine", []string{store.ManagementRole}, time.Time{}))
	f.no(f.db.RemoveClientRole(f.ctx(), "machine", store.ManagementRole))
	f.want(f.db.RemoveClientRole(f.ctx(), "machine", store.ManagementRole), store.NotFound)
	f.no(f.db.SetClientRoles(f.ctx(), "machine", []string{"robot"}, time.Time{}))
	f.no(f.db.DeleteClient(f.ctx(), "machine", time.Time{}))
	f.no(f.db.DeleteRole(f.ctx(), "robot", time.Time{}))
}
