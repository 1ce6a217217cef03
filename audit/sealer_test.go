package audit_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"idp/audit"
	"idp/keyring"
	"idp/store"
	"idp/store/sqlstore"
)

func TestSeal(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.person("ada")
	about, gone, nobody := f.write("user.updated", "ada"), f.write("user.updated", "gone"), f.write("client.created", "")
	deleted := f.write("user.deleted", "gone")
	deps := f.deps()
	var told []audit.Opened
	deps.Deliver = func(_ context.Context, events []audit.Opened) ([]store.HookDelivery, error) {
		told = events
		return []store.HookDelivery{{ID: store.NewID(f.db.Now()), Hook: "h", State: store.HookWaiting}}, nil
	}
	f.sealer = audit.NewSealer(deps)
	if n, err := f.sealer.Seal(t.Context()); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := f.sealer.Seal(t.Context()); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	for _, e := range told {
		if string(e.Known) != `{"ip":"192.0.2.7"}` {
			t.Errorf("webhooks are told %q of %s", e.Known, e.Kind)
		}
	}
	sealed, err := f.db.ChainedEvents(t.Context(), 1, 1)
	f.must(err)
	for _, e := range sealed {
		switch e.ID {
		case about.ID:
			if e.KeyID != "ada" || string(e.Personal) == string(about.Personal) || len(e.Personal) == 0 {
				t.Errorf("not under the key of the person: %+v", e)
			}
		case gone.ID:
			if e.KeyID != "gone" || len(e.Personal) != 0 {
				t.Errorf("of somebody who is gone, something is kept: %+v", e)
			}
		case nobody.ID, deleted.ID: // it is the address of the app that deleted it
			if e.KeyID != "" || string(e.Personal) != string(map[store.ID][]byte{nobody.ID: nobody.Personal, deleted.ID: deleted.Personal}[e.ID]) {
				t.Errorf("%+v", e)
			}
		}
	}
}

// What webhooks are told goes with the chain: while it cannot be made, nothing is chained.
func TestSealWithoutDeliveries(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.write("client.created", "")
	deps := f.deps()
	broken := errors.New("broken")
	deps.Deliver = func(context.Context, []audit.Opened) ([]store.HookDelivery, error) { return nil, broken }
	if _, err := audit.NewSealer(deps).Seal(t.Context()); !errors.Is(err, broken) {
		t.Error(err)
	}
	if last, err := f.db.LastBatch(t.Context()); err != nil || last.No != 0 {
		t.Error(last, err)
	}
}

// A running server notices that the end of the chain was cut off.
func TestSealerNoticesACut(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for range 2 {
		f.write("client.created", "")
		f.seal()
	}
	f.exec(`DELETE FROM event WHERE batch = 2`)
	f.exec(`DELETE FROM event_batch WHERE no = 2`)
	f.seal()
	if !strings.Contains(f.log.String(), "was cut") {
		t.Errorf("the log says %q", f.log)
	}
}

// Where another replica went on, the cut shows as well.
func TestSealerNoticesACutBehindAnothersBack(t *testing.T) {
	t.Parallel()
	f := setup(t)
	other := audit.NewSealer(f.deps())
	for range 2 {
		f.write("client.created", "")
		f.seal()
	}
	f.exec(`DELETE FROM event WHERE batch = 2`)
	f.exec(`DELETE FROM event_batch WHERE no = 2`)
	for range 2 {
		f.write("client.created", "")
		if _, err := other.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	f.seal()
	if !strings.Contains(f.log.String(), "was cut") {
		t.Errorf("the log says %q", f.log)
	}
}

// A key of one person that does not open holds the chain back for a while, and not for ever.
func TestBrokenKeyOfAPerson(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.person("ada")
	f.write("user.updated", "ada")
	f.seal()
	f.exec(`UPDATE user_key SET sealed = $1`, []byte("changed"))
	e := f.write("user.updated", "ada")
	for range 2 {
		if _, err := f.sealer.Seal(t.Context()); !errors.Is(err, keyring.ErrOpen) {
			t.Error(err)
		}
		f.db.AdvanceForTest(20 * time.Second)
	}
	f.seal()
	chained, err := f.db.ChainedEvents(t.Context(), 2, 2)
	f.must(err)
	if len(chained) != 1 || chained[0].ID != e.ID || len(chained[0].Personal) != 0 || chained[0].KeyID != "ada" {
		t.Errorf("%+v", chained)
	}
	if !strings.Contains(f.log.String(), "is dropped") {
		t.Errorf("the log says %q", f.log)
	}
}

// slow is a database that takes no more than some events in the time there is.
type slow struct{ *sqlstore.DB }

func (s slow) ChainEvents(ctx context.Context, b store.EventBatch, events []store.Event, extra []store.HookDelivery) (bool, error) {
	if len(events) > 20 {
		return false, &store.Error{Code: store.Unavailable, Op: "write"}
	}
	return s.DB.ChainEvents(ctx, b, events, extra)
}

func TestSlowDatabase(t *testing.T) {
	t.Parallel()
	f := setup(t)
	deps := f.deps()
	deps.Store = slow{f.db}
	sealer := audit.NewSealer(deps)
	for range 25 {
		f.write("client.created", "")
	}
	for range 20 {
		_, _ = sealer.Seal(t.Context())
	}
	if r := f.verify(0, nil); r.Waiting != 0 || r.Events != 25 {
		t.Errorf("%d of 25 entries are chained", r.Events)
	}
}

// An entry with an old id is chained, too, some time later.
func TestOldID(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.write("client.created", "")
	f.seal()
	f.exec(`INSERT INTO event (id, at, kind, user_id, client_id) VALUES ($1, 1, 'x', '', '')`, make([]byte, 16))
	f.db.AdvanceForTest(2 * time.Minute)
	f.seal()
	if r := f.verify(0, nil); r.Waiting != 0 || r.Events != 2 {
		t.Errorf("%+v", r)
	}
}
