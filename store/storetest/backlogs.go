package storetest

import (
	"errors"
	"testing"
	"time"

	"idp/store"
)

func testBacklogs(t *testing.T, f *fixture) {
	none, err := f.db.Backlogs(f.ctx(), 10)
	f.no(err)
	if none != (store.Backlogs{}) {
		t.Fatalf("of nothing there waits %+v", none)
	}
	first := f.db.Now()
	f.waiting("ada@example.com", 9*time.Minute)
	f.db.AdvanceForTest(time.Minute)
	f.waiting("bob@example.com", 9*time.Minute)
	f.no(f.db.CreateClient(f.ctx(), store.Client{ID: "shop", Name: "Shop", Type: store.SPA, IDTokenAlg: "ES256"}, store.Event{Kind: "client.created", Actor: "command"}))
	got, err := f.db.Backlogs(f.ctx(), 10)
	f.no(err)
	if got.Mails.Waiting != 2 || got.Mails.Oldest.Sub(first).Abs() > 30*time.Second || got.Events.Waiting != 1 || got.Events.Oldest.IsZero() || got.Hooks.Waiting != 0 {
		t.Errorf("%+v, and it began at %s", got, first)
	}
	if got, err = f.db.Backlogs(f.ctx(), 1); err != nil || got.Mails.Waiting != 1 {
		t.Errorf("not bounded: %+v %v", got, err)
	}
}

// A limit that refuses says which it is, also to a program.
func testRefusedByName(t *testing.T, f *fixture) {
	n := f.begin("ada@example.com")
	n.IP = store.Limit{Name: "ip_sends", Key: store.HashOf([]byte("ip")), Windows: [2]store.Window{{Count: 1, Period: time.Hour}}}
	f.begun(n)
	again := f.begin("bob@example.com")
	again.IP = n.IP
	_, err := f.db.BeginChallenge(f.ctx(), again)
	var refused *store.Error
	if !errors.As(err, &refused) || refused.Code != store.Limited || refused.Limit != "ip_sends" {
		t.Errorf("refused by %v", err)
	}
	hits, misses := f.db.CacheUse()
	f.no(f.db.CreateClient(f.ctx(), store.Client{ID: "shop", Name: "Shop", Type: store.SPA, IDTokenAlg: "ES256"}, store.Event{Kind: "client.created", Actor: "command"}))
	for range 3 {
		_, err := f.db.Client(f.ctx(), "shop")
		f.no(err)
	}
	// The clock, which is read each second, may have emptied the cache once more.
	if h, m := f.db.CacheUse(); h-hits+m-misses != 3 || m == misses || m > misses+2 {
		t.Errorf("%d hits and %d misses", h-hits, m-misses)
	}
}
