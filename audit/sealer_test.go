package audit_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"idp/audit"
	"idp/store"
)

func TestSeal(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.person("ada")
	about, gone, nobody := f.write("user.updated", "ada"), f.write("user.deleted", "gone"), f.write("client.created", "")
	deps := f.deps()
	var told []audit.Opened
	deps.Deliver = func(_ context.Context, events []audit.Opened) ([]store.HookDelivery, error) {
		told = events
		return []store.HookDelivery{{ID: store.NewID(f.db.Now()), Hook: "h", State: store.HookWaiting}}, nil
	}
	f.sealer = audit.NewSealer(deps)
	if n, err := f.sealer.Seal(t.Context()); n != 3 || err != nil {
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
		case nobody.ID:
			if e.KeyID != "" || string(e.Personal) != string(nobody.Personal) {
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
