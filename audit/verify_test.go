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
		"an entry is put before the chain": {func(f *fixture, e []store.Event) (none store.ID) {
			f.exec(`INSERT INTO event (id, at, kind, user_id, client_id, batch) VALUES ($1, 1, 'x', '', '', 0)`, make([]byte, 16))
			return none
		}, 0, audit.FaultInserted},
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
	deps.Keep, deps.Wall = time.Hour, f.db.Now
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
	f.exec(`INSERT INTO event (id, at, kind, user_id, client_id, batch) VALUES ($1, 1, 'x', '', '', 5)`, make([]byte, 16))
	if r := f.verify(0, nil); r.Break == nil || r.Break.Batch != 5 || r.Break.Fault != audit.FaultInserted {
		t.Errorf("an entry in a batch that was removed: %+v", r.Break)
	}
}

// Whoever can write to the database cannot have the server remove what they make look old.
func TestCutTakesNobodysWord(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(f *fixture){
		"made to look old": func(f *fixture) { f.exec(`UPDATE event_batch SET created_at = 1 WHERE no <= 2`) },
		"an anchor is made up": func(f *fixture) {
			f.exec(`INSERT INTO event_anchor (id, no, hash, mac, cut_at) SELECT 1, no, hash, mac, 1 FROM event_batch WHERE no = 2`)
			f.exec(`DELETE FROM event_batch WHERE no <= 2`)
			f.exec(`DELETE FROM event WHERE batch <= 2`)
			f.exec(`UPDATE event_batch SET created_at = 1 WHERE no = 3`)
		},
		"all of it is rewritten": func(f *fixture) { f.forge(1); f.exec(`UPDATE event_batch SET created_at = 1 WHERE no = 1`) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			f.chained()
			harm(f)
			deps := f.deps()
			deps.Keep = time.Hour
			if n, err := audit.NewSealer(deps).Cut(t.Context(), 10); n != 0 || err != nil {
				t.Errorf("%d batches were removed, %v", n, err)
			}
			if !strings.Contains(f.log.String(), "not as it was made") {
				t.Errorf("the log says %q", f.log)
			}
		})
	}
	f := setup(t)
	f.chained()
	deps := f.deps()
	deps.Keep = time.Hour
	f.db.AdvanceForTest(2 * time.Hour) // the clock of the database alone
	if n, err := audit.NewSealer(deps).Cut(t.Context(), 10); n != 0 || err != nil {
		t.Errorf("%d batches were removed, %v", n, err)
	}
}

// forge chains anew what is in the batches from no on, as somebody does who can write to the
// database and has no key.
func (f *fixture) forge(no int64) {
	f.Helper()
	f.exec(`UPDATE event SET batch = NULL WHERE batch >= $1`, no)
	f.exec(`DELETE FROM event_batch WHERE no >= $1`, no)
	ring, err := keyring.New([]byte("not the secret of this instance!"))
	f.must(err)
	deps := f.deps()
	deps.Ring = ring
	forger := audit.NewSealer(deps)
	for range 2 { // the patience of a sealer
		_, err = forger.Seal(f.Context())
		f.must(err)
		f.db.AdvanceForTest(time.Minute)
	}
}

// The server goes on behind a chain that somebody has rewritten, and does not sign it.
func TestServerDoesNotVouchForARewrittenChain(t *testing.T) {
	t.Parallel()
	f := setup(t)
	events := f.chained()
	f.exec(`UPDATE event SET actor = 'client:other' WHERE id = $1`, events[9].ID[:])
	f.forge(3)
	f.sealer = audit.NewSealer(f.deps())
	rewritten := func(when string) {
		t.Helper()
		if r := f.verify(0, nil); r.Break == nil || r.Break.Batch != 3 || r.Break.Fault != audit.FaultRewritten {
			t.Errorf("%s: %+v %+v", when, r, r.Break)
		}
	}
	rewritten("at first")
	f.write("client.created", "")
	f.seal()
	if last, err := f.db.LastBatch(t.Context()); err != nil || last.No != 3 {
		t.Error("it did not wait for another replica", last.No, err)
	}
	f.db.AdvanceForTest(time.Minute)
	f.seal()
	rewritten("when the server has gone on")
	f.write("client.created", "")
	f.seal()
	rewritten("later")
	if r := f.verify(4, nil); r.Break != nil || r.To != 5 {
		t.Errorf("what came later: %+v %+v", r, r.Break)
	}
	if !strings.Contains(f.log.String(), "not made under a secret of this instance") {
		t.Errorf("the log says %q", f.log)
	}
}

// While the secret is changed, a replica that has the old one only leaves the chain to those
// that have both.
func TestRollingRotation(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.chained()
	old := f.sealer
	var err error
	f.ring, err = keyring.New([]byte("fedcba9876543210fedcba9876543210"), []byte("0123456789abcdef0123456789abcdef"))
	f.must(err)
	f.sealer = audit.NewSealer(f.deps())
	for range 3 {
		f.write("client.created", "")
		f.seal()
		f.db.AdvanceForTest(time.Minute)
		if n, err := old.Seal(t.Context()); n != 0 || err != nil {
			t.Error(n, err)
		}
		f.write("client.created", "")
		if n, err := old.Seal(t.Context()); n != 0 || err != nil {
			t.Error("the old one went on", n, err)
		}
	}
	f.seal()
	if r := f.verify(0, nil); r.Break != nil || r.Waiting != 0 {
		t.Errorf("%+v %+v", r, r.Break)
	}
}

func TestVerifyTellsWhatWaits(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.chained()
	f.write("client.created", "")
	f.write("client.created", "")
	if r := f.verify(0, nil); r.Break != nil || r.Waiting != 2 || f.db.Now().Sub(r.Since).Abs() > time.Minute {
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
