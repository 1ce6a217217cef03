package storetest

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

// batchOf is a batch after last with placeholders for what package audit computes.
func batchOf(f *fixture, last store.EventBatch, waiting []store.Unchained) (store.EventBatch, []store.Event) {
	events := make([]store.Event, len(waiting))
	for i, u := range waiting {
		events[i] = u.Event
	}
	return store.EventBatch{No: last.No + 1, First: events[0].ID, Last: events[len(events)-1].ID, Size: int64(len(events)),
		Root: random(), Hash: random(), MAC: random(), Leaves: []byte("leaves"), CreatedAt: f.db.Now()}, events
}

func testChain(t *testing.T, f *fixture) {
	n, user := f.signUp("ada@example.com")
	f.no(f.db.CreateClient(f.ctx(), store.Client{ID: "shop", Name: "Shop", Type: store.SPA, IDTokenAlg: "ES256"},
		store.Event{Kind: "client.created", Actor: "command", Client: "shop", Target: "t", Request: "r", Detail: []byte(`{"a":  1}`), Personal: []byte("sealed")}))
	last, err := f.db.LastBatch(f.ctx())
	f.no(err)
	if last.No != 0 || !last.Hash.IsZero() {
		t.Fatalf("an empty chain ends in %+v", last)
	}
	waiting, err := f.db.Unchained(f.ctx(), time.Time{}, 100)
	f.no(err)
	if len(waiting) != 2 || waiting[0].ID != n.ID || !waiting[0].Known || waiting[0].Key != nil || waiting[1].Known {
		t.Fatalf("%+v", waiting)
	}
	if e := waiting[1]; e.Kind != "client.created" || e.Actor != "command" || e.Client != "shop" || e.Target != "t" || e.Request != "r" ||
		string(e.Detail) != `{"a":  1}` || string(e.Personal) != "sealed" || e.KeyID != "" || e.Batch != 0 || e.At.IsZero() {
		t.Errorf("%+v", e)
	}
	if n, since, err := f.db.UnchainedSince(f.ctx(), 1); err != nil || n != 1 || !since.Equal(waiting[0].At) {
		t.Error(n, since, err)
	}
	f.no(f.db.MakeUserKeys(f.ctx(), []store.UserKey{{User: user, Sealed: []byte("one")}, {User: "nobody", Sealed: []byte("none")}}))
	f.no(f.db.MakeUserKeys(f.ctx(), []store.UserKey{{User: user, Sealed: []byte("two")}}))
	if rows := f.count(`SELECT COUNT(*) FROM user_key`); rows != 1 {
		t.Errorf("%d keys", rows)
	}
	waiting, err = f.db.Unchained(f.ctx(), time.Time{}, 100)
	f.no(err)
	if string(waiting[0].Key) != "one" {
		t.Errorf("key %q", waiting[0].Key)
	}
	for since, want := range map[time.Time]int{waiting[0].ID.Time(): 2, f.db.Now().Add(time.Minute): 0} {
		if some, err := f.db.Unchained(f.ctx(), since, 100); err != nil || len(some) != want {
			t.Errorf("%d since %s, want %d, %v", len(some), since, want, err)
		}
	}
	b, events := batchOf(f, last, waiting)
	events[0].Personal, events[0].KeyID = []byte("resealed"), user
	d := store.HookDelivery{ID: store.NewID(f.db.Now()), Hook: "h", Event: "PostSignIn", Payload: []byte("p"), State: store.HookWaiting, DueAt: f.db.Now(), CreatedAt: f.db.Now()}
	made, err := f.db.ChainEvents(f.ctx(), b, events, []store.HookDelivery{d})
	f.no(err)
	if !made {
		t.Error("the batch was not made")
	}
	other := b
	other.Root = random()
	late := d
	late.ID = store.NewID(f.db.Now())
	if made, err := f.db.ChainEvents(f.ctx(), other, events, []store.HookDelivery{late}); err != nil || made {
		t.Errorf("made twice: %v %v", made, err)
	}
	if rows := f.count(`SELECT COUNT(*) FROM hook_delivery`); rows != 1 {
		t.Errorf("%d deliveries", rows)
	}
	if last, err = f.db.LastBatch(f.ctx()); err != nil || !reflect.DeepEqual(last, b) {
		t.Errorf("%+v, %v, want %+v", last, err, b)
	}
	if waiting, err = f.db.Unchained(f.ctx(), time.Time{}, 100); err != nil || len(waiting) != 0 {
		t.Errorf("%+v %v", waiting, err)
	}
	if n, since, err := f.db.UnchainedSince(f.ctx(), 10); err != nil || n != 0 || !since.IsZero() {
		t.Error(n, since, err)
	}
	chained, err := f.db.ChainedEvents(f.ctx(), 1, 1)
	f.no(err)
	if len(chained) != 2 || string(chained[0].Personal) != "resealed" || chained[0].KeyID != user || chained[0].Batch != 1 || string(chained[1].Personal) != "sealed" {
		t.Errorf("%+v", chained)
	}
	if batches, err := f.db.EventBatches(f.ctx(), 1, 10); err != nil || len(batches) != 1 || !reflect.DeepEqual(batches[0], b) {
		t.Errorf("%+v %v", batches, err)
	}
}

// Many events go into a batch by statements for several, each with what is its own.
func testWideChain(t *testing.T, f *fixture) {
	const many = 2*16 + 3
	for i := range many {
		f.no(f.db.CreateClient(f.ctx(), store.Client{ID: store.RandomText(8), Name: "x", Type: store.SPA, IDTokenAlg: "ES256"},
			store.Event{Kind: "client.created", Personal: []byte{byte(i)}}))
	}
	waiting, err := f.db.Unchained(f.ctx(), time.Time{}, 2*many)
	f.no(err)
	b, events := batchOf(f, store.EventBatch{}, waiting)
	for i := range events {
		switch events[i].Personal = append(events[i].Personal, 'r'); i % 3 {
		case 0:
			events[i].KeyID = "person" + string(rune('A'+i))
		case 1:
			events[i].Personal = nil
		}
	}
	if made, err := f.db.ChainEvents(f.ctx(), b, events, nil); err != nil || !made {
		t.Fatal(made, err)
	}
	chained, err := f.db.ChainedEvents(f.ctx(), 1, 1)
	f.no(err)
	if len(chained) != many {
		t.Fatalf("%d of %d are in the batch", len(chained), many)
	}
	for i, e := range chained {
		events[i].Batch = 1
		if len(e.Personal) == 0 {
			e.Personal = nil
		}
		if !reflect.DeepEqual(e, events[i]) {
			t.Errorf("%d is %+v, want %+v", i, e, events[i])
		}
	}
}

func testCutEvents(t *testing.T, f *fixture) {
	var all []store.EventBatch
	for range 3 {
		f.no(f.db.CreateClient(f.ctx(), store.Client{ID: store.RandomText(8), Name: "x", Type: store.SPA, IDTokenAlg: "ES256"}, store.Event{Kind: "client.created"}))
		last, err := f.db.LastBatch(f.ctx())
		f.no(err)
		waiting, err := f.db.Unchained(f.ctx(), time.Time{}, 10)
		f.no(err)
		b, events := batchOf(f, last, waiting)
		_, err = f.db.ChainEvents(f.ctx(), b, events, nil)
		f.no(err)
		all = append(all, b)
	}
	cut := func(i int, want bool) {
		a := store.EventAnchor{No: all[i].No, Hash: all[i].Hash, MAC: random(), CutAt: f.db.Now()}
		if done, err := f.db.CutEvents(f.ctx(), a); err != nil || done != want {
			t.Fatalf("cut %d: %v %v", i, done, err)
		}
		if got, err := f.db.EventAnchor(f.ctx()); err != nil || want && got != a {
			t.Errorf("%+v, want %+v, %v", got, a, err)
		}
	}
	cut(1, false) // the oldest first
	cut(0, true)
	if low, high, err := f.db.BatchBounds(f.ctx()); err != nil || low != 2 || high != 3 {
		t.Error(low, high, err)
	}
	cut(1, true)
	cut(2, true)
	if rows := f.count(`SELECT COUNT(*) FROM event`) + f.count(`SELECT COUNT(*) FROM event_batch`); rows != 0 {
		t.Errorf("%d rows are left", rows)
	}
	if last, err := f.db.LastBatch(f.ctx()); err != nil || last.No != 3 || last.Hash != all[2].Hash {
		t.Errorf("the chain ends in %+v, %v", last, err)
	}
	if low, high, err := f.db.BatchBounds(f.ctx()); err != nil || low != 1 || high != 0 {
		t.Error(low, high, err)
	}
}

// Of replicas that make the same batch one does, and every event gets one delivery.
func testParallelChains(t *testing.T, f *fixture) {
	for range 20 {
		f.no(f.db.CreateClient(f.ctx(), store.Client{ID: store.RandomText(8), Name: "x", Type: store.SPA, IDTokenAlg: "ES256"}, store.Event{Kind: "client.created"}))
	}
	var wait sync.WaitGroup
	for range 4 {
		db := f.replica()
		wait.Go(func() {
			for range 10 {
				chainSome(t, f, db)
			}
		})
	}
	wait.Wait()
	if left := f.count(`SELECT COUNT(*) FROM event WHERE batch IS NULL`); left != 0 {
		t.Errorf("%d events are in no batch", left)
	}
	if rows := f.count(`SELECT COUNT(*) FROM hook_delivery`); rows != 20 {
		t.Errorf("%d deliveries of 20 events", rows)
	}
	if wrong := f.count(`SELECT COUNT(*) FROM event_batch WHERE size <> (SELECT COUNT(*) FROM event WHERE batch = no)`); wrong != 0 {
		t.Errorf("%d batches do not hold what they say", wrong)
	}
}

func chainSome(t *testing.T, f *fixture, db *sqlstore.DB) {
	last, err := db.LastBatch(f.ctx())
	if err != nil {
		t.Error(err)
		return
	}
	waiting, err := db.Unchained(f.ctx(), time.Time{}, 3)
	if err != nil || len(waiting) == 0 {
		if err != nil {
			t.Error(err)
		}
		return
	}
	b, events := batchOf(f, last, waiting)
	var extra []store.HookDelivery
	for range events {
		extra = append(extra, store.HookDelivery{ID: store.NewID(db.Now()), Hook: "h", State: store.HookWaiting, DueAt: db.Now(), CreatedAt: db.Now()})
	}
	if _, err := db.ChainEvents(f.ctx(), b, events, extra); err != nil {
		t.Error(err)
	}
}
