package storetest

import (
	"testing"
	"time"

	"idp/store"
)

func testClientsLike(t *testing.T, f *fixture) {
	machine := client("nightly")
	machine.Type, machine.Name = store.Machine, "Nightly job"
	f.no(f.db.CreateClient(f.ctx(), machine))
	f.role("robot", store.MachineRole)
	for _, c := range []struct {
		l    store.ClientListing
		want string
	}{
		{store.ClientListing{Listing: store.Listing{Search: "NIGHT"}}, "nightly"},
		{store.ClientListing{Listing: store.Listing{Search: "book"}}, "bookstore"},
		{store.ClientListing{Types: []store.ClientType{store.Machine}}, "nightly"},
		{store.ClientListing{Types: []store.ClientType{store.SPA, store.Traditional}}, "bookstore"},
		{store.ClientListing{Types: []store.ClientType{store.SPA}}, ""},
		{store.ClientListing{Listing: store.Listing{Search: "_"}}, ""},
	} {
		c.l.Limit = 10
		list, n, err := f.db.ClientsLike(f.ctx(), c.l)
		f.no(err)
		if n != len(list) || len(list) > 1 || c.want == "" && n > 0 || c.want != "" && (n != 1 || list[0].ID != c.want) {
			t.Errorf("%+v: %d %v", c.l, n, list)
		}
	}
	f.no(f.db.SetClientRoles(f.ctx(), "nightly", []string{"robot"}, time.Time{}))
	if list, n, err := f.db.ClientsLike(f.ctx(), store.ClientListing{Listing: store.Listing{Limit: 10}, NotRole: "robot"}); err != nil || n != 1 || list[0].ID != "bookstore" {
		t.Error(list, n, err)
	}
}

func testNamedSecrets(t *testing.T, f *fixture) {
	secret := func(name string) store.ClientSecret {
		return store.ClientSecret{ID: store.NewID(time.Now()), Hash: random(), Prefix: "abcd", Name: name, ExpiresAt: time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)}
	}
	one := secret("one")
	f.no(f.db.AddNamedSecret(f.ctx(), "bookstore", one, 3))
	f.want(f.db.AddNamedSecret(f.ctx(), "bookstore", secret("one"), 3), store.Conflict)
	two := secret("two")
	f.no(f.db.AddNamedSecret(f.ctx(), "bookstore", two, 3))
	f.want(f.db.AddNamedSecret(f.ctx(), "bookstore", secret("three"), 3), store.Invalid) // with the one that it was made with
	f.want(f.db.AddNamedSecret(f.ctx(), "nothing", secret("one"), 3), store.NotFound)
	f.want(f.db.RenameSecret(f.ctx(), "bookstore", two.ID, "one"), store.Conflict)
	f.no(f.db.RenameSecret(f.ctx(), "bookstore", two.ID, "2"))
	f.want(f.db.RenameSecret(f.ctx(), "nothing", two.ID, "2"), store.NotFound)
	c, err := f.db.FreshClient(f.ctx(), "bookstore")
	f.no(err)
	names := map[string]time.Time{}
	for _, s := range c.Secrets {
		names[s.Name] = s.ExpiresAt
	}
	if len(names) != 3 || !names["one"].Equal(one.ExpiresAt) || names["2"].IsZero() {
		t.Errorf("%+v", c.Secrets)
	}
	f.no(f.db.RemoveSecret(f.ctx(), "bookstore", one.ID))
	f.want(f.db.RemoveSecret(f.ctx(), "bookstore", one.ID), store.NotFound)
	f.want(f.db.RemoveSecret(f.ctx(), "nothing", two.ID), store.NotFound)
}
