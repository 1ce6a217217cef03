package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

func (f *fixture) hook(id string) store.Hook {
	f.t.Helper()
	h := store.Hook{ID: id, Name: "Hook " + id, Events: []string{"User.Created", "PostSignIn"}, URL: "https://hooks.example/" + id, Sealed: []byte("sealed"), Enabled: true}
	var err error
	h.CreatedAt, err = f.db.CreateHook(f.ctx(), h, store.Event{Kind: "hook.created", Target: "hook:" + id})
	f.no(err)
	h.UpdatedAt = h.CreatedAt
	return h
}

// queueDelivery puts a delivery into the queue as the maker of a batch of events does.
func (f *fixture) queueDelivery(hook string) store.ID {
	now := f.db.Now()
	id := store.NewID(now)
	f.exec(`INSERT INTO hook_delivery (id, hook_id, event, payload, state, attempts, worker, due_at, created_at, status, error)
		VALUES ($1, $2, 'User.Created', $3, 1, 0, $4, $5, $5, 0, '')`, id[:], hook, []byte("sealed"), make([]byte, 16), now.UnixMicro())
	return id
}

func testHooks(t *testing.T, f *fixture) {
	one := f.hook("one")
	time.Sleep(time.Millisecond)
	two := f.hook("two")
	all, err := f.db.Hooks(f.ctx())
	f.no(err)
	if len(all) != 2 || fmt.Sprint(all[0]) != fmt.Sprint(one) || all[1].ID != two.ID {
		t.Fatalf("%+v", all)
	}
	_, err = f.db.CreateHook(f.ctx(), one)
	f.want(err, store.Conflict)

	changed := one
	changed.Name, changed.Events, changed.URL, changed.Sealed, changed.Enabled = "New", []string{"Role.Created"}, "https://other.example", []byte("other"), false
	changed.UpdatedAt, err = f.db.UpdateHook(f.ctx(), changed, one.UpdatedAt, store.Event{Kind: "hook.updated", Target: "hook:one"})
	f.no(err)
	if !changed.UpdatedAt.After(one.UpdatedAt) {
		t.Error("the version stayed")
	}
	if got, err := f.db.FreshHook(f.ctx(), "one"); err != nil || fmt.Sprint(got) != fmt.Sprint(changed) {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = f.db.UpdateHook(f.ctx(), one, one.UpdatedAt)
	f.want(err, store.Changed)
	f.want(f.db.DeleteHook(f.ctx(), "one", one.UpdatedAt), store.Changed)
	f.queueDelivery("two")
	f.no(f.db.DeleteHook(f.ctx(), "two", two.UpdatedAt, store.Event{Kind: "hook.deleted", Target: "hook:two"}))
	if n := f.count(`SELECT COUNT(*) FROM hook_delivery`); n != 0 {
		t.Errorf("%d deliveries wait for a hook that is gone", n)
	}
	f.want(f.db.DeleteHook(f.ctx(), "two", time.Time{}), store.NotFound)
	_, err = f.db.UpdateHook(f.ctx(), two, two.UpdatedAt)
	f.want(err, store.NotFound)
	_, err = f.db.FreshHook(f.ctx(), "two")
	f.want(err, store.NotFound)
	if all, err := f.db.Hooks(f.ctx()); err != nil || len(all) != 1 { // not the cached ones
		t.Errorf("%v, %v", all, err)
	}
	if n := f.count(`SELECT COUNT(*) FROM event WHERE target IN ('hook:one', 'hook:two')`); n != 4 {
		t.Errorf("%d entries, want 4: what failed tells nothing", n)
	}
}

// However many are added at once, there are never more than the most.
func testHooksAreBounded(t *testing.T, f *fixture) {
	for i := range store.MaxHooks - 3 {
		f.hook(fmt.Sprintf("h%d", i))
	}
	var c sync.Map
	f.parallel(8, []*sqlstore.DB{f.db, f.replica()}, func(i int, db *sqlstore.DB) {
		_, err := db.CreateHook(f.ctx(), store.Hook{ID: fmt.Sprintf("p%d", i), Events: []string{"PostSignIn"}, Sealed: []byte("s")})
		if code := store.CodeOf(err); err != nil && code != store.Limited {
			t.Error(err)
		}
		c.Store(i, err == nil)
	})
	if n := f.count(`SELECT COUNT(*) FROM hook`); n != store.MaxHooks {
		t.Errorf("%d hooks", n)
	}
}

func (f *fixture) claimHook(hook string, limit int) []store.HookDelivery {
	f.t.Helper()
	got, err := f.db.ClaimHookDeliveries(f.ctx(), hook, time.Minute, limit)
	f.no(err)
	return got
}

func (f *fixture) dueHooks() (ids []string) {
	f.t.Helper()
	due, err := f.db.DueHooks(f.ctx())
	f.no(err)
	for _, h := range due {
		ids = append(ids, h.ID)
	}
	return ids
}

func testHookDeliveries(t *testing.T, f *fixture) {
	f.hook("one")
	off := f.hook("off")
	off.Enabled = false
	_, err := f.db.UpdateHook(f.ctx(), off, off.UpdatedAt)
	f.no(err)
	f.hook("idle")
	first := f.queueDelivery("one")
	time.Sleep(2 * time.Millisecond) // ids order the list
	second := f.queueDelivery("one")
	f.queueDelivery("off")
	if got := f.dueHooks(); !slices.Equal(got, []string{"one"}) {
		t.Errorf("due: %v", got)
	}
	if n, err := f.db.HookBacklog(f.ctx(), "one", 10); err != nil || n != 2 {
		t.Errorf("backlog %d, %v", n, err)
	}
	if n, err := f.db.HookBacklog(f.ctx(), "one", 1); err != nil || n != 1 {
		t.Errorf("backlog %d, %v", n, err)
	}
	got := f.claimHook("one", 1)
	if len(got) != 1 || got[0].ID != first || got[0].Attempts != 1 || got[0].Event != "User.Created" || string(got[0].Payload) != "sealed" || got[0].Hook != "one" {
		t.Fatalf("%+v", got)
	}
	rest := f.claimHook("one", 9)
	if len(rest) != 1 || rest[0].ID != second || len(f.claimHook("one", 9)) != 0 || len(f.dueHooks()) != 0 {
		t.Fatalf("%+v", rest)
	}
	// Back to the queue: a try that counts, and one that was none.
	f.no(f.db.SettleHookDeliveries(f.ctx(), got[0].Worker, []store.HookResult{{ID: first, State: store.HookWaiting, Retry: time.Minute, Status: 503, Error: "answered 503"}}))
	f.no(f.db.SettleHookDeliveries(f.ctx(), rest[0].Worker, []store.HookResult{{ID: second, State: store.HookWaiting, Untried: true}}))
	again := f.claimHook("one", 9)
	if len(again) != 1 || again[0].ID != second || again[0].Attempts != 1 {
		t.Fatalf("%+v", again)
	}
	f.no(f.db.SettleHookDeliveries(f.ctx(), again[0].Worker, []store.HookResult{{ID: second, State: store.HookDelivered, Status: 204}}))
	f.db.AdvanceForTest(65 * time.Second)
	lost := f.claimHook("one", 9)
	if len(lost) != 1 || lost[0].ID != first || lost[0].Attempts != 2 || lost[0].Status != 503 {
		t.Fatalf("%+v", lost)
	}
	// A lease that ended: somebody else has it, and the late result counts for nothing.
	f.db.AdvanceForTest(65 * time.Second)
	taken := f.claimHook("one", 9)
	f.no(f.db.SettleHookDeliveries(f.ctx(), lost[0].Worker, []store.HookResult{{ID: first, State: store.HookDelivered, Status: 200}}))
	f.no(f.db.SettleHookDeliveries(f.ctx(), taken[0].Worker, []store.HookResult{{ID: first, State: store.HookGivenUp, Status: 500, Error: "answered 500"}}))

	log, total, err := f.db.HookLog(f.ctx(), store.HookLogFilter{Hook: "one"}, 0, 10, 100)
	f.no(err)
	if total != 2 || len(log) != 2 || log[0].ID != second || log[0].State != store.HookDelivered || log[0].Status != 204 || log[0].Payload != nil ||
		log[1].State != store.HookGivenUp || log[1].Attempts != 3 || log[1].Error != "answered 500" || log[1].SettledAt.IsZero() || log[1].Payload != nil {
		t.Errorf("%d: %+v", total, log)
	}
	if _, total, err := f.db.HookLog(f.ctx(), store.HookLogFilter{Hook: "off"}, 0, 10, 100); err != nil || total != 0 {
		t.Errorf("what was never tried is in the log: %d, %v", total, err)
	}
	for _, c := range []struct {
		filter store.HookLogFilter
		want   int
	}{
		{store.HookLogFilter{Hook: "one", Event: "PostSignIn"}, 0},
		{store.HookLogFilter{Hook: "one", Event: "User.Created"}, 2},
		{store.HookLogFilter{Hook: "one", State: store.HookDelivered}, 1},
		{store.HookLogFilter{Hook: "one", State: store.HookWaiting}, 0},
		{store.HookLogFilter{Hook: "one", Event: "User.Created", Newest: 1}, 1},
		{store.HookLogFilter{Hook: "one", State: store.HookGivenUp, Newest: 1}, 0}, // it is not among them
		{store.HookLogFilter{Hook: "one", State: store.HookGivenUp, Newest: 2}, 1},
		{store.HookLogFilter{Hook: "one", From: second.Time()}, 1},
		{store.HookLogFilter{Hook: "one", To: first.Time()}, 1},
		{store.HookLogFilter{Hook: "one", From: first.Time(), To: second.Time()}, 2},
	} {
		if _, total, err := f.db.HookLog(f.ctx(), c.filter, 0, 10, 100); err != nil || total != c.want {
			t.Errorf("%+v: %d, %v", c.filter, total, err)
		}
	}
	if page, total, err := f.db.HookLog(f.ctx(), store.HookLogFilter{Hook: "one"}, 1, 1, 100); err != nil || total != 2 || len(page) != 1 || page[0].ID != first {
		t.Errorf("%+v, %d, %v", page, total, err)
	}
	if c, err := f.db.HookCounts(f.ctx(), "one", first.Time(), 100); err != nil || c.Requests != 4 || c.Successes != 1 || c.GivenUp != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	if d, err := f.db.HookDelivery(f.ctx(), "one", first); err != nil || d.Error != "answered 500" || d.Hook != "one" {
		t.Errorf("%+v, %v", d, err)
	}
	_, err = f.db.HookDelivery(f.ctx(), "off", first)
	f.want(err, store.NotFound)
	f.db.AdvanceForTest(31 * 24 * time.Hour)
	for range 200 {
		_, err := f.db.Purge(f.ctx(), 500)
		f.no(err)
	}
	if n := f.count(`SELECT COUNT(*) FROM hook_delivery`); n != 0 {
		t.Errorf("%d stay for ever", n)
	}
}

// Two replicas claim at once, again and again: each delivery is had once.
func testHookDeliveriesAreClaimedOnce(t *testing.T, f *fixture) {
	f.hook("one")
	const all = 60
	for range all {
		f.queueDelivery("one")
	}
	var mu sync.Mutex
	had := map[store.ID]int{}
	f.parallel(40, []*sqlstore.DB{f.db, f.replica()}, func(_ int, db *sqlstore.DB) {
		got, err := db.ClaimHookDeliveries(f.ctx(), "one", time.Minute, 3)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, d := range got {
			had[d.ID]++
		}
	})
	for _, d := range f.claimHook("one", all) { // what a claim passed because another one held it
		had[d.ID]++
	}
	for id, n := range had {
		if n != 1 {
			t.Errorf("%s was had %d times", id, n)
		}
	}
	if len(had) != all {
		t.Errorf("%d were had, want %d", len(had), all)
	}
}

// Whatever puts an address on the list is told in the audit log, once.
func testSuppressionTold(t *testing.T, f *fixture) {
	told := func(target string, want int) {
		t.Helper()
		if n := f.count(`SELECT COUNT(*) FROM event WHERE kind = 'suppression.added' AND target = $1`, target); n != want {
			t.Errorf("%s: %d entries, want %d", target, n, want)
		}
	}
	bounced := f.sentMail("ada@example.com", random(), "p1")
	soft := f.feedback(store.FeedbackBounce, "p1")
	f.no(f.db.RecordFeedback(f.ctx(), soft))
	told(store.MailTarget(bounced.Mail.ID), 0)
	hard, complaint := f.feedback(store.FeedbackBounce, "p1"), f.feedback(store.FeedbackComplaint, "p1")
	hard.Permanent = true
	f.no(f.db.RecordFeedback(f.ctx(), hard))
	f.want(f.db.RecordFeedback(f.ctx(), hard), store.Used)
	f.no(f.db.RecordFeedback(f.ctx(), complaint)) // it is on the list
	told(store.MailTarget(bounced.Mail.ID), 1)

	refused := f.begin("bob@example.com")
	refused.Mail.Address, refused.Mail.Recipient = random(), []byte("sealed")
	f.begun(refused)
	f.no(f.db.SettleMail(f.ctx(), []store.Settled{{ID: refused.Mail.ID, State: store.MailFailed, Sender: "smtp", Refused: true}}))
	told(store.MailTarget(refused.Mail.ID), 1)

	manual := store.Suppression{Address: random(), Recipient: []byte("sealed"), Reason: store.ReasonManual}
	f.no(f.db.Suppress(f.ctx(), manual, store.Hash{}))
	if !f.twice {
		f.want(f.db.Suppress(f.ctx(), manual, store.Hash{}), store.Conflict)
	}
	told(store.SuppressionTarget(manual.Address), 1)
}
