package storetest

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

func (f *fixture) resource(id string) store.Resource {
	f.t.Helper()
	r := store.Resource{ID: id, Name: "Shop " + id, Indicator: "https://" + id + ".example/api", AccessTTL: time.Hour}
	f.no(f.db.CreateResource(f.ctx(), r))
	return r
}

func (f *fixture) scope(resource, id string) store.Scope {
	f.t.Helper()
	c := store.Scope{ID: id, Resource: resource, Name: "do:" + id, Description: "Do " + id}
	f.no(f.db.CreateScope(f.ctx(), c))
	return c
}

func testScopesOfAll(t *testing.T, f *fixture) {
	f.resource("orders")
	f.resource("stock")
	f.scope("stock", "count")
	f.scope("orders", "read")
	f.scope("orders", "write")
	counts, err := f.db.ScopeCounts(f.ctx())
	f.no(err)
	if counts["orders"] != 2 || counts["stock"] != 1 || counts[store.ManagementResource] < 10 || len(counts) != 3 {
		t.Error(counts)
	}
	list, n, err := f.db.AllScopes(f.ctx(), store.Listing{Search: "DO:", Limit: 2})
	f.no(err)
	if n != 3 || len(list) != 2 || list[0].ID != "read" || list[1].Resource != "orders" {
		t.Error(n, list)
	}
}

func testResources(t *testing.T, f *fixture) {
	all := store.Listing{Limit: 100}
	built, err := f.db.Resource(f.ctx(), store.ManagementResource)
	f.no(err)
	if built.Indicator != store.ManagementIndicator || built.AccessTTL != time.Hour {
		t.Errorf("%+v", built)
	}
	made := f.resource("orders")
	f.want(f.db.CreateResource(f.ctx(), store.Resource{ID: "other", Indicator: made.Indicator}), store.Conflict)
	f.resource("stock")
	if list, n, err := f.db.Resources(f.ctx(), all); err != nil || n != 3 || len(list) != 3 || list[0].ID != store.ManagementResource || list[1].ID != "orders" {
		t.Fatal(list, n, err)
	}
	if list, n, err := f.db.Resources(f.ctx(), store.Listing{Skip: 1, Limit: 1}); err != nil || n != 3 || len(list) != 1 || list[0].ID != "orders" {
		t.Fatal(list, n, err)
	}
	if list, n, err := f.db.Resources(f.ctx(), store.Listing{Search: "SHOP o", Limit: 10}); err != nil || n != 1 || len(list) != 1 {
		t.Fatal(list, n, err)
	}
	if list, _, err := f.db.Resources(f.ctx(), store.Listing{Search: "%", Limit: 10}); err != nil || len(list) != 0 { // no pattern of the caller's
		t.Fatal(list, err)
	}

	read, err := f.db.Resource(f.ctx(), "orders")
	f.no(err)
	read.Name, read.AccessTTL = "Orders", time.Minute
	version, err := f.db.UpdateResource(f.ctx(), read, read.UpdatedAt, store.Event{Kind: "resource.updated"})
	f.no(err)
	_, err = f.db.UpdateResource(f.ctx(), read, read.UpdatedAt, store.Event{Kind: "never"})
	f.want(err, store.Changed)
	if now, err := f.db.Resource(f.ctx(), "orders"); err != nil || now.Name != "Orders" || now.AccessTTL != time.Minute || !now.UpdatedAt.Equal(version) {
		t.Fatal(now, err)
	}
	if n := f.count(`SELECT COUNT(*) FROM event WHERE kind IN ('resource.updated', 'never')`); n != 1 {
		t.Errorf("%d entries", n)
	}

	scope := f.scope("orders", "read")
	f.want(f.db.CreateScope(f.ctx(), store.Scope{ID: "x", Resource: "nothing", Name: "x"}), store.NotFound)
	f.want(f.db.CreateScope(f.ctx(), store.Scope{ID: "x", Resource: "orders", Name: scope.Name}), store.Conflict)
	f.no(f.db.CreateScope(f.ctx(), store.Scope{ID: "x", Resource: "stock", Name: scope.Name}))
	read2, err := f.db.Scope(f.ctx(), "read")
	f.no(err)
	read2.Description = "Look"
	_, err = f.db.UpdateScope(f.ctx(), read2, read2.UpdatedAt)
	f.no(err)
	_, err = f.db.UpdateScope(f.ctx(), read2, read2.UpdatedAt)
	f.want(err, store.Changed)
	if list, n, err := f.db.Scopes(f.ctx(), "orders", all); err != nil || n != 1 || list[0].Description != "Look" {
		t.Fatal(list, n, err)
	}
	f.want(f.db.DeleteResource(f.ctx(), "orders", read.UpdatedAt), store.Changed)
	f.no(f.db.DeleteResource(f.ctx(), "orders", version))
	f.want(f.db.DeleteResource(f.ctx(), "orders", time.Time{}), store.NotFound)
	_, err = f.db.Scope(f.ctx(), "read")
	f.want(err, store.NotFound)
	_, err = f.db.UpdateScope(f.ctx(), read2, time.Now())
	f.want(err, store.NotFound)
	_, err = f.db.UpdateResource(f.ctx(), read, time.Now())
	f.want(err, store.NotFound)
}

func testResourceInUse(t *testing.T, f *fixture) {
	f.resource("orders")
	f.scope("orders", "read")
	f.no(f.db.CreateRole(f.ctx(), store.Role{ID: "clerk", Name: "Clerk", Type: store.UserRole}, []string{"read"}))
	for _, err := range []error{f.db.DeleteScope(f.ctx(), "read", time.Time{}), f.db.DeleteResource(f.ctx(), "orders", time.Time{})} {
		f.want(err, store.InUse)
		if !strings.Contains(err.Error(), "Clerk") {
			t.Errorf("it is not said what needs it: %v", err)
		}
	}
	f.no(f.db.RemoveRoleScope(f.ctx(), "clerk", "read"))
	f.want(f.db.RemoveRoleScope(f.ctx(), "clerk", "read"), store.NotFound)
	f.no(f.db.DeleteScope(f.ctx(), "read", time.Time{}))
	f.want(f.db.DeleteScope(f.ctx(), "read", time.Time{}), store.NotFound)
}

// A scope is given to a role while somebody deletes it: one of the two is told no, and no
// role is left with a scope that is not there.
func testScopeGivenWhileDeleted(t *testing.T, f *fixture) {
	f.resource("orders")
	f.no(f.db.CreateRole(f.ctx(), store.Role{ID: "clerk", Name: "Clerk", Type: store.UserRole}, nil))
	replicas := []*sqlstore.DB{f.db, f.replica()}
	for range 20 {
		id := store.RandomText(8)
		f.scope("orders", id)
		var done atomic.Int32
		f.parallel(2, replicas, func(i int, db *sqlstore.DB) {
			var err error
			if i == 0 {
				err = db.DeleteScope(f.ctx(), id, time.Time{})
			} else {
				err = db.AddRoleScopes(f.ctx(), "clerk", []string{id})
			}
			switch store.CodeOf(err) {
			case "":
				done.Add(1)
			case store.InUse, store.Invalid:
			default:
				t.Error(err)
			}
		})
		if done.Load() != 1 {
			t.Errorf("%d of the two have done it", done.Load())
		}
	}
	if n := f.count(`SELECT COUNT(*) FROM role_scope WHERE scope_id NOT IN (SELECT id FROM scope)`); n != 0 {
		t.Errorf("%d scopes of roles are not there", n)
	}
}
