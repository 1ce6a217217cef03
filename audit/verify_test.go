package audit_test

import (
	"strings"
	"testing"
	"time"

	"idp/audit"
	"idp/keyring"
	"idp/store"
)

// chained writes five batches of four entries each.
func (f *fixture) chained() (events []store.Event) {
	f.Helper()
	f.person("ada")
	for range 5 {
		for range 2 {
			events = append(events, f.write("client.created", ""), f.write("user.updated", "ada"))
		}
		f.seal()
	}
	return events
}

func (f *fixture) verify(from int64, point *audit.Checkpoint) audit.Report {
	f.Helper()
	r, err := audit.NewVerifier(f.db, f.ring).Verify(f.Context(), from, point)
	f.must(err)
	return r
}

func TestVerify(t *testing.T) {
	t.Parallel()
	f := setup(t)
	if r := f.verify(0, nil); r.Break != nil || r.Events != 0 || r.Head.Batch != 0 {
		t.Errorf("an empty log: %+v", r)
	}
	f.chained()
	r := f.verify(0, nil)
	if r.Break != nil || r.From != 1 || r.To != 5 || r.Events != 20 || r.Head.Batch != 5 {
		t.Errorf("%+v", r)
	}
	if r := f.verify(3, nil); r.Break != nil || r.From != 3 || r.To != 5 || r.Events != 12 {
		t.Errorf("from the third: %+v", r)
	}
	point, err := audit.ParseCheckpoint(r.Head.String())
	f.must(err)
	f.write("client.created", "")
	f.seal()
	if r := f.verify(0, &point); r.Break != nil || r.To != 6 {
		t.Errorf("with a checkpoint: %+v", r)
	}
	f.exec(`DELETE FROM user_key`) // the person is deleted: what was sealed stays what it is
	if r := f.verify(0, nil); r.Break != nil {
		t.Errorf("without the key: %+v", r.Break)
	}
}

func TestVerifyFindsTheBreak(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		harm  func(f *fixture, e []store.Event) store.ID // gives the event that is to be named
		batch int64
		fault audit.Fault
	}{
		"an entry is edited": {func(f *fixture, e []store.Event) store.ID {
			f.exec(`UPDATE event SET actor = 'client:other' WHERE id = $1`, e[9].ID[:])
			return e[9].ID
		}, 3, audit.FaultEdited},
		"its time is edited": {func(f *fixture, e []store.Event) store.ID {
			f.exec(`UPDATE event SET at = at - 1 WHERE id = $1`, e[9].ID[:])
			return e[9].ID
		}, 3, audit.FaultEdited},
		"what is personal is taken away": {func(f *fixture, e []store.Event) store.ID {
			f.exec(`UPDATE event SET personal = NULL WHERE user_id = 'ada' AND id = $1`, e[9].ID[:])
			return e[9].ID
		}, 3, audit.FaultEdited},
		"an entry is cut": {func(f *fixture, e []store.Event) store.ID {
			f.exec(`DELETE FROM event WHERE id = $1`, e[5].ID[:])
			return e[5].ID
		}, 2, audit.FaultCut},
		"an entry is moved to another batch": {func(f *fixture, e []store.Event) store.ID {
			f.exec(`UPDATE event SET batch = 4 WHERE id = $1`, e[5].ID[:])
			return e[5].ID
		}, 2, audit.FaultCut},
		"an entry is put in": {func(f *fixture, e []store.Event) store.ID {
			id := e[5].ID
			id[15] ^= 1
			f.exec(`INSERT INTO event (id, at, kind, user_id, client_id, batch) VALUES ($1, 1, 'x', '', '', 2)`, id[:])
			return id
		}, 2, audit.FaultInserted},
		"two entries change places": {func(f *fixture, e []store.Event) store.ID {
			other := e[4].ID
			other[15] ^= 1
			f.exec(`UPDATE event SET id = $1 WHERE id = $2`, other[:], e[4].ID[:])
			f.exec(`UPDATE event SET id = $1 WHERE id = $2`, e[4].ID[:], e[5].ID[:])
			f.exec(`UPDATE event SET id = $1 WHERE id = $2`, e[5].ID[:], other[:])
			if string(e[4].ID[:]) < string(e[5].ID[:]) {
				return e[4].ID
			}
			return e[5].ID
		}, 2, audit.FaultEdited},
		"a batch is cut": {func(f *fixture, _ []store.Event) (none store.ID) {
			f.exec(`DELETE FROM event_batch WHERE no = 3`)
			f.exec(`DELETE FROM event WHERE batch = 3`)
			return none
		}, 3, audit.FaultCut},
		"the first batch is cut": {func(f *fixture, _ []store.Event) (none store.ID) {
			f.exec(`DELETE FROM event_batch WHERE no = 1`)
			f.exec(`DELETE FROM event WHERE batch = 1`)
			return none
		}, 1, audit.FaultCut},
		"an anchor is made up": {func(f *fixture, _ []store.Event) (none store.ID) {
			f.exec(`INSERT INTO event_anchor (id, no, hash, mac, cut_at) SELECT 1, no, hash, mac, 1 FROM event_batch WHERE no = 2`)
			f.exec(`DELETE FROM event_batch WHERE no <= 2`)
			f.exec(`DELETE FROM event WHERE batch <= 2`)
			return none
		}, 2, audit.FaultCut},
		"the end is cut carelessly": {func(f *fixture, _ []store.Event) (none store.ID) {
			f.exec(`DELETE FROM event_batch WHERE no = 5`)
			return none
		}, 5, audit.FaultCut},
		"a batch's record is edited": {func(f *fixture, _ []store.Event) (none store.ID) {
			f.exec(`UPDATE event_batch SET created_at = created_at + 1 WHERE no = 2`)
			return none
		}, 2, audit.FaultEdited},
		"the MACs at the end are made up": {func(f *fixture, _ []store.Event) (none store.ID) {
			f.exec(`UPDATE event_batch SET mac = hash WHERE no >= 4`)
			return none
		}, 4, audit.FaultRewritten},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			event := c.harm(f, f.chained())
			r := f.verify(0, nil)
			if r.Break == nil || r.Break.Batch != c.batch || r.Break.Event != event || r.Break.Fault != c.fault {
				t.Errorf("%+v, want batch %d, event %s, %s", r.Break, c.batch, event, c.fault)
			}
		})
	}
}

// Whoever holds database and all its rows can cut the end off without a trace in it; a
// checkpoint kept elsewhere shows it.
func TestCheckpoint(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.chained()
	point := f.verify(0, nil).Head
	f.exec(`DELETE FROM event_batch WHERE no = 5`)
	f.exec(`DELETE FROM event WHERE batch = 5`)
	if r := f.verify(0, nil); r.Break != nil {
		t.Errorf("%+v", r.Break)
	}
	if r := f.verify(0, &point); r.Break == nil || r.Break.Batch != 5 || r.Break.Fault != audit.FaultCut {
		t.Errorf("%+v", r.Break)
	}
	f.sealer = audit.NewSealer(f.deps())
	f.write("client.created", "")
	f.seal()
	if r := f.verify(0, &point); r.Break == nil || r.Break.Batch != 5 || r.Break.Fault != audit.FaultRewritten {
		t.Errorf("%+v", r.Break)
	}
	for _, bad := range []string{"", "5", "5:", "x:" + strings.Repeat("0", 64), "0:" + strings.Repeat("0", 64), "5:00"} {
		if _, err := audit.ParseCheckpoint(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.chained()
	deps := f.deps()
	if n, err := f.sealer.Cut(t.Context(), 10); n != 0 || err != nil {
		t.Fatal("kept for ever:", n, err)
	}
	deps.Keep = time.Hour
	f.sealer = audit.NewSealer(deps)
	if n, err := f.sealer.Cut(t.Context(), 10); n != 0 || err != nil {
		t.Fatal("nothing is old:", n, err)
	}
	f.db.AdvanceForTest(2 * time.Hour)
	f.write("client.created", "")
	f.seal()
	if n, err := f.sealer.Cut(t.Context(), 3); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	if r := f.verify(0, nil); r.Break != nil || r.From != 4 || r.To != 6 || r.Events != 9 || r.Cut != 3 {
		t.Errorf("%+v %+v", r, r.Break)
	}
	if n, err := f.sealer.Cut(t.Context(), 10); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if r := f.verify(0, nil); r.Break != nil || r.From != 6 || r.Events != 1 || r.Cut != 5 {
		t.Errorf("%+v %+v", r, r.Break)
	}
}

// When the secret is changed, what was chained before is vouched for by what comes after.
func TestVerifyAfterARotation(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.chained()
	fresh, former := []byte("fedcba9876543210fedcba9876543210"), []byte("0123456789abcdef0123456789abcdef")
	var err error
	f.ring, err = keyring.New(fresh, former)
	f.must(err)
	f.sealer = audit.NewSealer(f.deps())
	f.write("client.created", "")
	f.seal()
	if r := f.verify(0, nil); r.Break != nil || r.Former != 0 {
		t.Errorf("%+v %+v", r, r.Break)
	}
	f.ring, err = keyring.New(fresh)
	f.must(err)
	if r := f.verify(0, nil); r.Break != nil || r.Former != 5 {
		t.Errorf("%+v %+v", r, r.Break)
	}
	f.exec(`DELETE FROM event_batch WHERE no = 6`)
	f.exec(`DELETE FROM event WHERE batch = 6`)
	if r := f.verify(0, nil); r.Break == nil || r.Break.Batch != 1 || r.Break.Fault != audit.FaultRewritten {
		t.Errorf("%+v %+v", r, r.Break)
	}
}
