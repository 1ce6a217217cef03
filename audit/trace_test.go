package audit_test

import (
	"context"
	"net/netip"
	"testing"

	"idp/store"
)

func TestTrace(t *testing.T) {
	t.Parallel()
	f := setup(t)
	id := store.NewID(f.db.Now())
	if personal, request := f.book.Trace(context.Background(), id, ""); personal != nil || request != "" {
		t.Errorf("of nothing: %q %q", personal, request)
	}
	ctx := store.WithOrigin(context.Background(), &store.Origin{IP: netip.MustParseAddr("192.0.2.7"), Agent: "curl/8", Request: "r"})
	personal, request := f.book.Trace(ctx, id, "ada@example.com")
	o := f.book.Open(store.KeyedEvent{Event: store.Event{ID: id, Personal: personal}})
	if request != "r" || string(o.Known) != `{"ip":"192.0.2.7","agent":"curl/8","email":"ada@example.com"}` || o.Erased() {
		t.Errorf("%q %s", request, o.Known)
	}
	other := store.Event{ID: store.NewID(f.db.Now()), Personal: personal}
	if o := f.book.Open(store.KeyedEvent{Event: other}); o.Known != nil || !o.Erased() {
		t.Errorf("it opens for another entry: %s", o.Known)
	}
}

// What is under somebody's key opens with it, and with nothing else, and not at all when it
// is gone.
func TestOpenUnderThePersonsKey(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.person("ada")
	f.person("bob")
	e := f.write("user.updated", "ada")
	f.write("user.updated", "bob")
	f.seal()
	read := func() store.KeyedEvent {
		k, err := f.db.Event(t.Context(), e.ID)
		f.must(err)
		return k
	}
	if o := f.book.Open(read()); string(o.Known) != `{"ip":"192.0.2.7"}` || o.Erased() {
		t.Errorf("%s", o.Known)
	}
	f.exec(`UPDATE user_key SET sealed = (SELECT sealed FROM user_key WHERE user_id = 'bob') WHERE user_id = 'ada'`)
	if o := f.book.Open(read()); o.Known != nil {
		t.Errorf("somebody else's key opens it: %s", o.Known)
	}
	f.exec(`DELETE FROM user_key WHERE user_id = 'ada'`)
	if o := f.book.Open(read()); o.Known != nil || !o.Erased() {
		t.Errorf("without the key: %s", o.Known)
	}
}

func BenchmarkTrace(b *testing.B) {
	book, id := benchBook(b), store.NewID(testTime)
	ctx := store.WithOrigin(b.Context(), &store.Origin{IP: netip.MustParseAddr("192.0.2.7"), Agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", Request: "r"})
	for b.Loop() {
		book.Trace(ctx, id, "ada@example.com")
	}
}
