package storetest

import (
	"slices"
	"testing"
	"time"

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
	f.no(f.db.DeleteConnector(f.ctx(), "c", time.Time{}))
	f.want(f.db.DeleteConnector(f.ctx(), "c", time.Time{}), store.NotFound)
	now("b", "a")
	f.no(f.db.SetConnector(f.ctx(), store.Connector{ID: "c", Sealed: []byte("again")}))
	now("c", "b", "a")
	n, err := f.db.SuppressedCount(f.ctx())
	f.no(err)
	if n != 0 {
		t.Errorf("%d addresses are suppressed", n)
	}
}

// Of two who change a connector at once one is told, and nothing of his is kept: not in
// the audit log either.
func testChangeOfConnectors(t *testing.T, f *fixture) {
	f.no(f.db.SetConnector(f.ctx(), store.Connector{ID: "a", Sealed: []byte("1")}))
	f.no(f.db.SetConnector(f.ctx(), store.Connector{ID: "b", Sealed: []byte("1")}))
	read := func() store.Connector {
		t.Helper()
		list, err := f.replica().FreshConnectors(f.ctx())
		f.no(err)
		if len(list) != 2 || list[0].ID != "b" || list[1].ID != "a" {
			t.Fatalf("%+v", list)
		}
		return list[1]
	}
	first := read()
	updated, err := f.db.UpdateConnector(f.ctx(), store.Connector{ID: "a", Sealed: []byte("2")}, first.UpdatedAt)
	f.no(err)
	if now := read(); string(now.Sealed) != "2" || !now.UpdatedAt.Equal(updated) || !updated.After(first.UpdatedAt) {
		t.Errorf("%+v, was %+v", now, first)
	}
	told := store.Event{ID: store.NewID(f.db.Now()), Kind: "connector.updated", Target: "a"}
	_, err = f.db.UpdateConnector(f.ctx(), store.Connector{ID: "a", Sealed: []byte("3")}, first.UpdatedAt, told)
	f.want(err, store.Changed)
	f.want(f.db.DeleteConnector(f.ctx(), "a", first.UpdatedAt, told), store.Changed)
	f.want(f.db.OrderConnectors(f.ctx(), []string{"d"}, told), store.NotFound)
	_, err = f.db.UpdateConnector(f.ctx(), store.Connector{ID: "d", Sealed: []byte("3")}, first.UpdatedAt, told)
	f.want(err, store.NotFound)
	if now := read(); string(now.Sealed) != "2" {
		t.Errorf("%+v", now)
	}
	f.no(f.db.SetConnector(f.ctx(), store.Connector{ID: "b", Sealed: []byte("2")}))
	if n := f.count(`SELECT COUNT(*) FROM event WHERE kind = 'connector.updated'`); n != 0 {
		t.Errorf("%d entries tell of what did not happen", n)
	}
	f.no(f.db.DeleteConnector(f.ctx(), "a", updated, told))
	if n := f.count(`SELECT COUNT(*) FROM event WHERE kind = 'connector.updated' AND target = 'a'`); n != 1 {
		t.Errorf("%d entries", n)
	}
}
