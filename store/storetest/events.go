package storetest

import (
	"slices"
	"testing"
	"time"

	"idp/store"
)

// Lists of events agree with the same filter in Go, forwards, backwards and in pages.
func testEvents(t *testing.T, f *fixture) {
	base := f.db.Now().Add(-time.Hour).Truncate(time.Second)
	users, clients, kinds := []string{"", "ada", "bob"}, []string{"", "shop"}, []string{"user.signed_in", "user.updated", "key.rotated"}
	actors := []string{"", "command"}
	var all []store.Event
	for i := range 36 {
		e := store.Event{ID: store.NewID(base.Add(time.Duration(-i) * time.Minute)), At: base.Add(time.Duration(i/2) * time.Second),
			User: users[i%3], Client: clients[i/3%2], Kind: kinds[i/6%3], Actor: actors[i%2]}
		all = append(all, e)
		f.exec(`INSERT INTO event (id, at, kind, user_id, client_id, actor) VALUES ($1, $2, $3, $4, $5, $6)`, e.ID[:], e.At.UnixMicro(), e.Kind, e.User, e.Client, e.Actor)
	}
	slices.SortFunc(all, func(a, b store.Event) int {
		if !a.At.Equal(b.At) {
			return a.At.Compare(b.At)
		}
		return slices.Compare(a.ID[:], b.ID[:])
	})
	for _, filter := range []store.EventFilter{
		{}, {User: "ada"}, {Client: "shop"}, {Kind: "user.signed_in"}, {Kind: "user.updated"}, {User: "ada", Client: "shop"},
		{Client: "shop", Kind: "key.rotated"}, {Client: "shop", Kind: "user.signed_in"}, {User: "bob", Kind: "user.updated"},
		{Since: base.Add(5 * time.Second)}, {Until: base.Add(5 * time.Second)}, {User: "ada", Since: base.Add(3 * time.Second), Until: base.Add(9 * time.Second)},
		{Kind: "no.such"}, {Actor: "command"}, {Actor: "command", Kind: "user.updated"}, {Actor: "command", User: "bob", Client: "shop"}, {Actor: "user:x"},
	} {
		var want []string
		for _, e := range all {
			if (filter.User == "" || filter.User == e.User) && (filter.Client == "" || filter.Client == e.Client) && (filter.Kind == "" || filter.Kind == e.Kind) && (filter.Actor == "" || filter.Actor == e.Actor) &&
				!e.At.Before(filter.Since) && (filter.Until.IsZero() || e.At.Before(filter.Until)) {
				want = append(want, e.ID.String())
			}
		}
		check := func(what string, got []string) {
			if !slices.Equal(got, want) {
				t.Errorf("%s of %+v: %v, want %v", what, filter, got, want)
			}
		}
		var got []string
		for at := (store.EventPlace{}); ; {
			page, err := f.db.EventsAfter(f.ctx(), filter, at, 5)
			f.no(err)
			for _, e := range page {
				got = append(got, e.ID.String())
				at = e.Place()
			}
			if len(page) < 5 {
				break
			}
		}
		check("after", got)
		slices.Reverse(want)
		got = nil
		for at := (store.EventPlace{}); ; {
			page, err := f.db.EventsBefore(f.ctx(), filter, at, 5)
			f.no(err)
			for _, e := range page {
				got = append(got, e.ID.String())
				at = e.Place()
			}
			if len(page) < 5 {
				break
			}
		}
		check("before", got)
		got = nil
		for offset := 0; offset < 40; offset += 7 {
			page, err := f.db.Events(f.ctx(), filter, offset, 7)
			f.no(err)
			for _, e := range page {
				got = append(got, e.ID.String())
			}
		}
		check("pages", got)
		n, err := f.db.CountEvents(f.ctx(), filter, 20)
		f.no(err)
		if n != min(len(want), 20) {
			t.Errorf("%d of %+v, want %d", n, filter, len(want))
		}
	}
	one, err := f.db.Event(f.ctx(), all[0].ID)
	f.no(err)
	if one.ID != all[0].ID || !one.At.Equal(all[0].At) {
		t.Errorf("%+v", one)
	}
	_, err = f.db.Event(f.ctx(), store.NewID(base))
	f.want(err, store.NotFound)
}
