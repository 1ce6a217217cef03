package storetest

import (
	"slices"
	"testing"

	"idp/store"
)

// The order is changed as a whole or not at all, and other replicas learn of it.
func testOrderOfConnectors(t *testing.T, f *fixture) {
	for _, id := range []string{"c", "b", "a"} {
		f.no(f.db.SetConnector(f.ctx(), store.Connector{ID: id, Sealed: []byte(id)}))
	}
	now := func(want ...string) {
		t.Helper()
		list, err := f.db.Connectors(f.ctx())
		f.no(err)
		var got []string
		for _, c := range list {
			got = append(got, c.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("order is %v, want %v", got, want)
		}
	}
	now("a", "b", "c")
	f.no(f.db.OrderConnectors(f.ctx(), []string{"c", "a", "b"}))
	now("c", "a", "b")
	f.no(f.db.OrderConnectors(f.ctx(), []string{"b"}))
	now("b", "c", "a")
	for _, wrong := range [][]string{nil, {"d"}, {"a", "d"}, {"a", "a"}} {
		f.want(f.db.OrderConnectors(f.ctx(), wrong), store.NotFound)
	}
	now("b", "c", "a")
	f.no(f.db.DeleteConnector(f.ctx(), "c"))
	f.want(f.db.DeleteConnector(f.ctx(), "c"), store.NotFound)
	now("b", "a")
	f.no(f.db.SetConnector(f.ctx(), store.Connector{ID: "c", Sealed: []byte("again")}))
	now("c", "b", "a")
	n, err := f.db.SuppressedCount(f.ctx())
	f.no(err)
	if n != 0 {
		t.Errorf("%d addresses are suppressed", n)
	}
}
