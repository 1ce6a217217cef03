package storetest

import (
	"slices"
	"testing"
	"time"

	"idp/store"
)

// What a machine may do is known from the cache, which follows the roles.
func testMachinePermissions(t *testing.T, f *fixture) {
	r := f.resource("orders")
	f.resource("stock")
	f.scope("orders", "read")
	f.scope("orders", "write")
	f.scope("stock", "count")
	f.role("robot", store.MachineRole, "read", "count")
	f.role("writer", store.MachineRole, "write", "read")
	machine := client("machine")
	machine.Type, machine.RedirectURIs = store.Machine, nil
	f.no(f.db.CreateMachine(f.ctx(), machine, []string{"robot"}))
	may := func(want ...string) {
		t.Helper()
		if got, err := f.db.MachineScopes(f.ctx(), "machine", "orders"); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v %v, want %v", got, err, want)
		}
	}
	may("do:read")
	got, err := f.db.MachineScopes(f.ctx(), "machine", "orders")
	f.no(err)
	got[0] = "changed by the caller"
	may("do:read")
	f.no(f.db.AddClientRoles(f.ctx(), []string{"machine"}, []string{"writer"}))
	may("do:read", "do:write")
	f.no(f.db.RemoveRoleScope(f.ctx(), "writer", "write"))
	may("do:read")
	f.no(f.db.SetClientRoles(f.ctx(), "machine", nil, time.Time{}))
	may()

	if found, err := f.db.ResourceAt(f.ctx(), r.Indicator); err != nil || found.ID != "orders" || found.AccessTTL != time.Hour {
		t.Error(found, err)
	}
	if scopes, err := f.db.ScopesOf(f.ctx(), "orders"); err != nil || !slices.Equal(scopes, []string{"do:read", "do:write"}) {
		t.Error(scopes, err)
	}
	f.no(f.db.SetRoleScopes(f.ctx(), "robot", nil, time.Time{}))
	f.no(f.db.SetRoleScopes(f.ctx(), "writer", nil, time.Time{}))
	f.no(f.db.DeleteResource(f.ctx(), "orders", time.Time{}))
	_, err = f.db.ResourceAt(f.ctx(), r.Indicator)
	f.want(err, store.NotFound)
}

// What a person may do is read with each token, and asked for by the request alone.
func testPersonPermissions(t *testing.T, f *fixture) {
	orders := f.resource("orders")
	f.resource("stock")
	f.scope("orders", "read")
	f.scope("orders", "write")
	f.scope("stock", "count")
	f.role("clerk", store.UserRole, "read", "count")
	f.role("reader", store.UserRole, "read")
	f.role("chief", store.UserRole, "write")
	f.exec(`UPDATE role SET is_default = 1 WHERE id IN ('clerk', 'reader')`)

	n := f.begun(f.begin("ada@example.com"))
	c := completion(n)
	c.Code.Offline, c.Code.Scopes, c.Code.Resources = true, []string{"openid", "roles", "do:read"}, []string{orders.Indicator}
	in, err := f.db.CompleteChallenge(f.ctx(), guess(n, 1), c)
	f.no(err)
	if asked, err := f.db.CodeResources(f.ctx(), c.Code.Hash, "bookstore"); err != nil || !slices.Equal(asked, []string{orders.Indicator}) {
		t.Error(asked, err)
	}
	_, err = f.db.CodeResources(f.ctx(), c.Code.Hash, "other")
	f.want(err, store.NotFound)

	red := redemption(n)
	red.Resource, red.Refresh = "orders", store.NewRefresh{Hash: random(), Idle: 14 * day, Absolute: 90 * day}
	g, err := f.db.RedeemCode(f.ctx(), red)
	f.no(err)
	if !slices.Equal(g.Roles, []string{"CLERK", "READER"}) || !slices.Equal(g.Allowed, []string{"do:read"}) {
		t.Errorf("%+v", g)
	}
	scopes, asked, err := f.db.GrantAsked(f.ctx(), g.ID, "bookstore")
	if f.no(err); !slices.Equal(scopes, c.Code.Scopes) || !slices.Equal(asked, []string{orders.Indicator}) {
		t.Error(scopes, asked)
	}
	f.no(f.db.SetUserRoles(f.ctx(), in.User, []string{"chief"}))
	ask := store.Refresh{Grant: g.ID, Client: "bookstore", Presented: red.Refresh.Hash, Genuine: true, Next: []store.Hash{random()},
		Rotate: day, Grace: 10 * time.Second, Idle: 14 * day, Resource: "orders"}
	for range 3 { // the access token of before keeps its place
		out, err := f.db.RefreshGrant(f.ctx(), ask)
		f.no(err)
		if !slices.Equal(out.Roles, []string{"CHIEF"}) || !slices.Equal(out.Allowed, []string{"do:write"}) || out.Next != -1 {
			t.Errorf("%+v", out)
		}
	}
	token, err := f.db.AccessToken(f.ctx(), g.ID, red.Access)
	if f.no(err); !slices.Equal(token.Roles, []string{"CHIEF"}) {
		t.Errorf("%+v", token)
	}
	ask.Resource, ask.Rotate = "stock", 0
	if out, err := f.db.RefreshGrant(f.ctx(), ask); err != nil || out.Allowed != nil || out.Next != 0 {
		t.Errorf("%+v %v", out, err)
	}
	for _, who := range []string{"bookstore", "other"} {
		if lives, err := f.db.GrantLives(f.ctx(), g.ID, who); err != nil || lives != (who == "bookstore") {
			t.Error(who, lives, err)
		}
	}
	f.exec(`UPDATE oidc_grant SET revoked_at = 1`)
	if lives, err := f.db.GrantLives(f.ctx(), g.ID, "bookstore"); err != nil || lives {
		t.Error(lives, err)
	}
}
