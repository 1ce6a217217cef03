package api_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"idp/admin"
	"idp/audit"
	"idp/mailer"
	"idp/store"
	"idp/store/sqlstore"
)

// scope makes a resource with a scope, whose id it gives.
func (f *fixture) scope(name string) string {
	f.Helper()
	made := f.expect(f.call("POST", "/api/resources", map[string]any{"name": name, "indicator": "https://" + name + ".example"}), 201)
	return f.expect(f.call("POST", "/api/resources/"+made.id()+"/scopes", map[string]any{"name": "read:" + name}), 201).id()
}

// machine makes a machine-to-machine client.
func (f *fixture) machine(id string) {
	f.Helper()
	f.must(f.db.CreateClient(f.Context(), store.Client{ID: id, Name: "Machine " + id, Type: store.Machine, IDTokenAlg: "ES256", PKCE: true}))
}

func TestRoles(t *testing.T) {
	t.Parallel()
	f := setup(t)
	read, write := f.scope("orders"), f.scope("stock")
	made := f.expect(f.call("POST", "/api/roles", map[string]any{"name": "Clerk", "description": "Sells", "scopeIds": []string{read}, "isDefault": true}), 200)
	if made.at("type") != "User" || made.at("isDefault") != true || made.at("tenantId") != "default" {
		t.Error(made.text)
	}
	path := "/api/roles/" + made.id()
	f.expect(f.call("POST", "/api/roles", map[string]any{"name": "Clerk", "description": "x"}), 422, "entity.unique_integrity_violation")
	f.expect(f.call("POST", "/api/roles", map[string]any{"name": "x", "description": "x", "type": "Robot"}), 400)
	f.expect(f.call("POST", "/api/roles", map[string]any{"name": "x", "type": "MachineToMachine", "isDefault": true}), 422)
	if got := f.expect(f.call("POST", "/api/roles", map[string]any{"name": "x", "scopeIds": []string{read, "nothing"}}), 422); !strings.Contains(got.text, "body.scopeIds[1]") {
		t.Error(got.text)
	}
	f.expect(f.call("POST", "/api/roles", map[string]any{"name": "x", "scopeIds": []string{store.ManagementScope}}), 422) // people never

	scopes := f.expect(f.call("POST", path+"/scopes", map[string]any{"scopeIds": []string{write}}), 201)
	if list, ok := scopes.body.([]any); !ok || len(list) != 2 {
		t.Error(scopes.text)
	}
	listed := f.expect(f.call("GET", path+"/scopes", nil), 200)
	if listed.header.Get("Total-Number") != "2" || !strings.Contains(listed.text, `"indicator":"https://orders.example"`) {
		t.Error(listed.text)
	}
	f.expect(f.call("DELETE", path+"/scopes/"+write, nil), 204)
	f.expect(f.call("DELETE", path+"/scopes/"+write, nil), 404)
	inUse := f.expect(f.call("GET", path+"/scopes", nil), 200)
	resource := inUse.body.([]any)[0].(map[string]any)["resourceId"].(string)
	for _, path := range []string{"/api/resources/" + resource, "/api/resources/" + resource + "/scopes/" + read} {
		if got := f.expect(f.call("DELETE", path, nil), 409, "entity.in_use"); !strings.Contains(got.text, "Clerk") {
			t.Error(got.text)
		}
	}
	tag := f.expect(f.call("GET", path, nil), 200).header.Get("ETag")
	f.expect(f.call("PATCH", path, map[string]any{"name": "Desk"}, "If-Match", tag), 200)
	f.expect(f.call("PATCH", path, map[string]any{"name": "x"}, "If-Match", tag), 412)
	f.expect(f.call("PATCH", path, map[string]any{"type": "MachineToMachine"}), 400)
	if got := f.expect(f.call("GET", "/api/roles?type=User&search=%25des%25", nil), 200); got.header.Get("Total-Number") != "1" || !strings.Contains(got.text, `"usersCount":0`) {
		t.Error(got.text)
	}
	f.expect(f.call("DELETE", path, nil), 204)
	f.expect(f.call("DELETE", path, nil), 404)
}

func TestRolesOfMachines(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.machine("nightly")
	robot := f.expect(f.call("POST", "/api/roles", map[string]any{"name": "Robot", "type": "MachineToMachine"}), 200).id()
	clerk := f.expect(f.call("POST", "/api/roles", map[string]any{"name": "Clerk"}), 200).id()
	const path = "/api/applications/nightly/roles"
	given := f.expect(f.call("POST", path, map[string]any{"roleIds": []string{robot}}), 201)
	if added, _ := given.at("addedRoleIds").([]any); len(added) != 1 {
		t.Error(given.text)
	}
	if again := f.expect(f.call("POST", path, map[string]any{"roleIds": []string{robot}}), 201); len(again.at("addedRoleIds").([]any)) != 0 {
		t.Error(again.text)
	}
	f.expect(f.call("POST", path, map[string]any{"roleIds": []string{clerk}}), 422)
	f.expect(f.call("POST", "/api/applications/shop/roles", map[string]any{"roleIds": []string{robot}}), 422)
	f.expect(f.call("POST", "/api/applications/nothing/roles", map[string]any{"roleIds": []string{robot}}), 404)
	f.expect(f.call("PUT", "/api/applications/nothing/roles", map[string]any{"roleIds": []string{robot}}), 404)
	f.expect(f.call("POST", "/api/roles/nothing/applications", map[string]any{"applicationIds": []string{"nightly"}}), 404)
	f.expect(f.call("POST", "/api/roles/"+robot+"/applications", map[string]any{"applicationIds": []string{"nightly", "nothing"}}), 422)
	if got := f.expect(f.call("GET", "/api/roles/"+robot+"/applications", nil), 200); !strings.Contains(got.text, "Machine nightly") {
		t.Error(got.text)
	}
	if got := f.expect(f.call("GET", "/api/roles?excludeApplicationId=nightly&type=MachineToMachine", nil), 200); got.header.Get("Total-Number") != "1" {
		t.Error(got.text)
	}
	if got := f.expect(f.call("DELETE", "/api/roles/"+robot, nil), 409, "entity.in_use"); !strings.Contains(got.text, "Machine nightly") {
		t.Error(got.text)
	}
	f.expect(f.call("PUT", path, map[string]any{"roleIds": []string{}}), 200)
	if got := f.expect(f.call("GET", path, nil), 200); got.text != "[]\n" && got.text != "[]" {
		t.Error(got.text)
	}
	f.expect(f.call("DELETE", path+"/"+robot, nil), 404)
}

func TestRolesOfUsers(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ada := f.user("ada@example.com")
	clerk := f.expect(f.call("POST", "/api/roles", map[string]any{"name": "Clerk"}), 200).id()
	chief := f.expect(f.call("POST", "/api/roles", map[string]any{"name": "Chief"}), 200).id()
	path := "/api/users/" + ada + "/roles"
	f.expect(f.call("POST", path, map[string]any{"roleIds": []string{clerk}}), 201)
	f.expect(f.call("PUT", path, map[string]any{"roleIds": []string{chief}}), 200)
	if got := f.expect(f.call("GET", path, nil), 200); got.header.Get("Total-Number") != "1" || !strings.Contains(got.text, "Chief") {
		t.Error(got.text)
	}
	f.expect(f.call("POST", path, map[string]any{"roleIds": []string{store.ManagementRole}}), 422) // for machines only
	f.expect(f.call("POST", "/api/roles/"+clerk+"/users", map[string]any{"userIds": []string{ada}}), 201)
	f.expect(f.call("POST", "/api/roles/"+clerk+"/users", map[string]any{"userIds": []string{"nobody"}}), 422)
	if got := f.expect(f.call("GET", "/api/roles/"+clerk+"/users", nil), 200); got.header.Get("Total-Number") != "1" || !strings.Contains(got.text, "ada@example.com") {
		t.Error(got.text)
	}
	if got := f.expect(f.call("GET", "/api/roles?search=clerk", nil), 200); !strings.Contains(got.text, `"featuredUsers":[{"id":"`+ada) {
		t.Error(got.text)
	}
	f.expect(f.call("GET", "/api/roles/nothing/users", nil), 404)
	f.expect(f.call("DELETE", "/api/roles/"+clerk, nil), 409)
	f.expect(f.call("DELETE", path+"/"+clerk, nil), 204)
	f.expect(f.call("DELETE", "/api/roles/"+chief+"/users/"+ada, nil), 204)
	f.expect(f.call("DELETE", path+"/"+chief, nil), 404)
	for _, got := range []answer{f.call("GET", "/api/users/nobody/roles", nil), f.call("POST", "/api/users/nobody/roles", map[string]any{"roleIds": []string{clerk}}),
		f.call("PUT", "/api/users/nobody/roles", map[string]any{"roleIds": []string{clerk}})} {
		f.expect(got, 404)
	}
}

// Who may write roles or applications does not get by it what the token does not have.
func TestNobodyGivesMoreThanTheyHave(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.machine("nightly")
	const users = "management-api-users-read"
	const token = "roles:write+applications:write"
	forbidden := func(got answer) {
		t.Helper()
		f.expect(got, 403, "auth.forbidden")
	}
	role := map[string]any{"name": "Reader", "type": "MachineToMachine", "scopeIds": []string{users}}
	forbidden(f.callAs(token, "POST", "/api/roles", role))
	forbidden(f.callAs(token, "POST", "/api/roles", map[string]any{"name": "All", "type": "MachineToMachine", "scopeIds": []string{store.ManagementScope}}))
	empty := f.expect(f.callAs(token, "POST", "/api/roles", map[string]any{"name": "Empty", "type": "MachineToMachine"}), 200).id()
	forbidden(f.callAs(token, "POST", "/api/roles/"+empty+"/scopes", map[string]any{"scopeIds": []string{users}}))
	reader := f.expect(f.callAs(token+"+users:write", "POST", "/api/roles", role), 200).id() // who may write may read
	forbidden(f.callAs(token, "POST", "/api/applications/nightly/roles", map[string]any{"roleIds": []string{reader}}))
	forbidden(f.callAs(token, "PUT", "/api/applications/nightly/roles", map[string]any{"roleIds": []string{store.ManagementRole}}))
	forbidden(f.callAs(token, "POST", "/api/roles/"+store.ManagementRole+"/applications", map[string]any{"applicationIds": []string{"nightly"}}))
	f.expect(f.callAs(token+"+users:read", "POST", "/api/applications/nightly/roles", map[string]any{"roleIds": []string{reader}}), 201)
	// What it has already, others may leave with it.
	f.expect(f.callAs(token, "PUT", "/api/applications/nightly/roles", map[string]any{"roleIds": []string{reader, empty}}), 200)
}

// slow is a store in which somebody takes a role from a machine whenever its roles have
// just been read.
type slow struct {
	*sqlstore.DB
	take func()
}

// ClientRoles implements admin.Store.
func (s slow) ClientRoles(ctx context.Context, client string, l store.Listing) ([]store.Role, int, error) {
	roles, n, err := s.DB.ClientRoles(ctx, client, l)
	s.take()
	return roles, n, err
}

// A role that is taken from a machine is not given back by who may not give it and had read
// that it is there.
func TestNobodyGivesBackWhatWasTaken(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.machine("nightly")
	f.must(f.db.SetClientRoles(t.Context(), "nightly", []string{store.ManagementRole}, time.Time{}))
	take := func() { _ = f.db.RemoveClientRole(t.Context(), "nightly", store.ManagementRole) } // there once
	racing, err := admin.New(admin.Deps{Store: slow{f.db, take}, Book: audit.New(f.ring, f.db.Now), Ring: f.ring, Senders: mailer.Kinds{}})
	f.must(err)
	err = racing.SetClientRoles(t.Context(), audit.Actor{ID: "client:weak", Scopes: []string{"applications:write"}}, "nightly", []string{store.ManagementRole}, time.Time{})
	if store.CodeOf(err) != store.Forbidden {
		t.Errorf("the error is %v", err)
	}
	if roles, _, err := f.db.ClientRoles(t.Context(), "nightly", store.Listing{Limit: 1}); err != nil || len(roles) > 0 {
		t.Errorf("%v %v", roles, err)
	}
}

// Ids in bodies are ids: Postgres takes no NUL in a text.
func TestIDsInBodies(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.machine("nightly")
	ada := f.user("ada@example.com")
	clerk := f.expect(f.call("POST", "/api/roles", map[string]any{"name": "Clerk"}), 200).id()
	for _, odd := range []string{"\x00", "a\x00b", "../x", strings.Repeat("a", 65)} {
		for field, calls := range map[string][]string{
			"roleIds":        {"POST /api/users/" + ada + "/roles", "PUT /api/users/" + ada + "/roles", "POST /api/applications/nightly/roles", "PUT /api/applications/nightly/roles"},
			"userIds":        {"POST /api/roles/" + clerk + "/users"},
			"applicationIds": {"POST /api/roles/" + clerk + "/applications"},
			"scopeIds":       {"POST /api/roles/" + clerk + "/scopes"},
		} {
			for _, c := range calls {
				method, path, _ := strings.Cut(c, " ")
				if got := f.expect(f.call(method, path, map[string]any{field: []string{odd}}), 400); !strings.Contains(got.text, "body."+field+"[0]") {
					t.Errorf("%s: %s", c, got.text)
				}
			}
		}
		f.expect(f.call("POST", "/api/roles", map[string]any{"name": "Odd", "scopeIds": []string{odd}}), 400)
	}
}

// What has another name, and null in the place of a list, changes nothing.
func TestNullAndOtherNames(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.machine("nightly")
	f.must(f.db.SetClientRoles(t.Context(), "nightly", []string{store.ManagementRole}, time.Time{}))
	f.expect(f.call("PUT", "/api/applications/nightly/roles", map[string]any{"roleIds": nil}), 400, "guard.invalid_input")
	f.expect(f.call("PATCH", "/api/applications/shop", map[string]any{"oidcClientMetadata": map[string]any{"redirectUris": nil}}), 200) // as if it were not there
	if got := f.expect(f.call("PATCH", "/api/applications/shop", map[string]any{"NAME": "x"}), 400); !strings.Contains(got.text, "body.NAME") {
		t.Error(got.text)
	}
	if got := f.expect(f.call("GET", "/api/applications/nightly/roles", nil), 200); got.header.Get("Total-Number") != "1" {
		t.Error(got.text)
	}
	if got := f.expect(f.call("GET", "/api/applications/shop", nil), 200); !strings.Contains(got.text, "https://shop.example/callback") || got.at("name") != "Bookstore" {
		t.Error(got.text)
	}
}

// user makes an account.
func (f *fixture) user(email string) string {
	f.Helper()
	id := store.RandomText(12)
	f.must(f.db.ImportUsers(f.Context(), []store.Import{{User: store.User{ID: id, Email: store.Email(email)}}}))
	return id
}

// Each change is told with who has made it, and what a role had before.
func TestRolesAreTold(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.machine("nightly")
	read, write := f.scope("orders"), f.scope("stock")
	role, err := f.admin.CreateRole(t.Context(), audit.Command(), store.Role{Name: "Robot", Type: store.MachineRole}, []string{read})
	f.must(err)
	f.must(f.admin.SetRoleScopes(t.Context(), audit.Command(), role.ID, time.Time{}, []string{write}))
	f.expect(f.call("POST", "/api/applications/nightly/roles", map[string]any{"roleIds": []string{role.ID}}), 201)
	logs := f.expect(f.call("GET", "/api/logs?page_size=100", nil), 200)
	for _, want := range []string{"role.created", "role.updated", "client.roles_changed", "scope.created", "resource.created", "read:stock", role.ID} {
		if !strings.Contains(logs.text, want) {
			t.Errorf("the log has no %s: %s", want, logs.text)
		}
	}
	scopes, n, err := f.admin.RoleScopes(t.Context(), role.ID, store.Listing{Limit: 10})
	f.must(err)
	if n != 1 || scopes[0].ID != write {
		t.Errorf("%+v", scopes)
	}
	if err := f.admin.SetRoleScopes(t.Context(), audit.Actor{ID: "client:weak"}, role.ID, time.Time{}, []string{store.ManagementScope}); store.CodeOf(err) != store.Forbidden {
		t.Error(err)
	}
}
