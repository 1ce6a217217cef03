package storetest

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

// sentMail is a mail to an address that a connector took under the name provider.
func (f *fixture) sentMail(email store.Email, address store.Hash, provider string) store.NewChallenge {
	f.t.Helper()
	n := f.begin(email)
	n.Mail.Address, n.Mail.Recipient, n.Mail.Locale = address, []byte("sealed address"), "ja"
	f.begun(n)
	f.no(f.db.SettleMail(f.ctx(), []store.Settled{{ID: n.Mail.ID, State: store.MailSent, Sender: "aws-ses-mail", Provider: provider}}))
	return n
}

func (f *fixture) feedback(kind store.FeedbackKind, provider string) store.Feedback {
	return store.Feedback{Notification: random(), Until: f.db.Now().Add(time.Hour), Provider: provider, Sender: "aws-ses-mail", Kind: kind,
		At: f.db.Now(), Detail: string(kind) + " in the provider's words"}
}

func (f *fixture) delivery(id store.ID) store.Delivery {
	f.t.Helper()
	d, err := f.db.Delivery(f.ctx(), id)
	f.no(err)
	return d
}

func testFeedback(t *testing.T, f *fixture) {
	address := random()
	n := f.sentMail("ada@example.com", address, "p1")
	f.want(f.db.RecordFeedback(f.ctx(), f.feedback(store.FeedbackBounce, "nobody's")), store.NotFound)
	f.want(f.db.RecordFeedback(f.ctx(), f.feedback(store.FeedbackBounce, "")), store.NotFound)
	foreign := f.feedback(store.FeedbackBounce, "p1")
	foreign.Sender = "smtp"
	f.want(f.db.RecordFeedback(f.ctx(), foreign), store.NotFound)
	if rows := f.count(`SELECT COUNT(*) FROM notification`); rows != 0 {
		t.Errorf("%d notifications about no mail are remembered", rows)
	}

	soft := f.feedback(store.FeedbackBounce, "p1")
	f.no(f.db.RecordFeedback(f.ctx(), soft))
	if d := f.delivery(n.Mail.ID); d.State != store.MailBounced || d.Feedback != soft.Detail || d.BouncedAt.IsZero() || d.Locale != "ja" {
		t.Errorf("after a bounce: %+v", d)
	}
	if list, err := f.db.Suppressions(f.ctx(), store.SuppressionFilter{Limit: 10}); err != nil || len(list) != 0 {
		t.Errorf("a transient bounce suppresses: %+v, %v", list, err)
	}
	f.want(f.db.RecordFeedback(f.ctx(), soft), store.Used)

	hard := f.feedback(store.FeedbackBounce, "p1")
	hard.Permanent = true
	f.no(f.db.RecordFeedback(f.ctx(), hard))
	list, err := f.db.Suppressions(f.ctx(), store.SuppressionFilter{Limit: 10})
	f.no(err)
	if len(list) != 1 || list[0].Address != address || string(list[0].Recipient) != "sealed address" || list[0].Reason != store.ReasonBounce ||
		list[0].Detail != hard.Detail || list[0].Sender != "aws-ses-mail" || list[0].Mail != n.Mail.ID || list[0].CreatedAt.IsZero() {
		t.Fatalf("%+v", list)
	}
	st, err := f.db.ChallengeState(f.ctx(), n.ID, n.Browser)
	f.no(err)
	if st.Mail != store.MailSuppressed {
		t.Errorf("the page is told %d", st.Mail)
	}
	// The page of a decoy to the same address is told the same.
	nobody := f.sentMail("ada@example.com", address, "")
	f.exec(`UPDATE mail SET decoy = 1, state = 2 WHERE id = $1`, nobody.Mail.ID[:])
	if st, err = f.db.ChallengeState(f.ctx(), nobody.ID, nobody.Browser); err != nil || st.Mail != store.MailSuppressed {
		t.Errorf("the page of a decoy is told %d, %v", st.Mail, err)
	}

	// Lifted, and replayed: nothing comes back.
	f.no(f.db.Lift(f.ctx(), []store.Hash{address}))
	f.want(f.db.RecordFeedback(f.ctx(), hard), store.Used)
	if list, _ = f.db.Suppressions(f.ctx(), store.SuppressionFilter{Limit: 10}); len(list) != 0 {
		t.Error("a replay suppresses")
	}

	late := f.feedback(store.FeedbackComplaint, "p1")
	late.At = f.db.Now().Add(24 * time.Hour) // a clock that is ahead of ours
	f.no(f.db.RecordFeedback(f.ctx(), late))
	if d := f.delivery(n.Mail.ID); d.State != store.MailComplained || d.ComplainedAt.After(f.db.Now()) {
		t.Errorf("after a complaint: %+v", d)
	}
	if list, _ = f.db.Suppressions(f.ctx(), store.SuppressionFilter{Addresses: []store.Hash{random(), address}, Limit: 10}); len(list) != 1 || list[0].Reason != store.ReasonComplaint {
		t.Errorf("%+v", list)
	}

	// A decoy reached nobody, and a mail of an earlier version has no address.
	decoy := f.sentMail("bob@example.com", random(), "p2")
	f.exec(`UPDATE mail SET decoy = 1 WHERE id = $1`, decoy.Mail.ID[:])
	f.want(f.db.RecordFeedback(f.ctx(), f.feedback(store.FeedbackComplaint, "p2")), store.NotFound)
	old := f.sentMail("eve@example.com", random(), "p3")
	f.exec(`UPDATE mail SET address = NULL, recipient = NULL, locale = NULL WHERE id = $1`, old.Mail.ID[:])
	f.no(f.db.RecordFeedback(f.ctx(), f.feedback(store.FeedbackComplaint, "p3")))
	if d := f.delivery(old.Mail.ID); d.State != store.MailComplained || !d.Address.IsZero() || d.Recipient != nil {
		t.Errorf("%+v", d)
	}
	if rows := f.count(`SELECT COUNT(*) FROM suppression`); rows != 1 {
		t.Errorf("%d addresses are suppressed, want 1", rows)
	}
}

// Kinds come in any order: the gravest is the state, the first time of each stays, and
// so do the words on a trouble.
func testFeedbackOrder(t *testing.T, f *fixture) {
	n := f.sentMail("ada@example.com", random(), "p1")
	tell := func(kind store.FeedbackKind, want store.MailState, words store.FeedbackKind) store.Delivery {
		t.Helper()
		fb := f.feedback(kind, "p1")
		f.no(f.db.RecordFeedback(f.ctx(), fb))
		d := f.delivery(n.Mail.ID)
		if d.State != want || d.Feedback != string(words)+" in the provider's words" {
			t.Errorf("after %s: state %d, %q", kind, d.State, d.Feedback)
		}
		return d
	}
	tell(store.FeedbackDelay, store.MailDelayed, store.FeedbackDelay)
	first := tell(store.FeedbackDelivery, store.MailDelivered, store.FeedbackDelivery)
	f.db.AdvanceForTest(time.Minute)
	if again := tell(store.FeedbackDelivery, store.MailDelivered, store.FeedbackDelivery); !again.DeliveredAt.Equal(first.DeliveredAt) {
		t.Error("the first time is lost")
	}
	tell(store.FeedbackReject, store.MailRejected, store.FeedbackReject)
	tell(store.FeedbackBounce, store.MailBounced, store.FeedbackBounce)
	tell(store.FeedbackDelay, store.MailBounced, store.FeedbackBounce)
	tell(store.FeedbackDelivery, store.MailBounced, store.FeedbackBounce)
	tell(store.FeedbackComplaint, store.MailComplained, store.FeedbackComplaint)
}

// Of one notification on many replicas, one has a consequence.
func testParallelFeedback(t *testing.T, f *fixture) {
	n := f.sentMail("ada@example.com", random(), "p1")
	fb := f.feedback(store.FeedbackComplaint, "p1")
	var done, used atomic.Int64
	f.parallel(20, []*sqlstore.DB{f.db, f.replica()}, func(_ int, db *sqlstore.DB) {
		switch err := db.RecordFeedback(f.ctx(), fb); {
		case err == nil:
			done.Add(1)
		case store.CodeOf(err) == store.Used:
			used.Add(1)
		default:
			t.Error(err)
		}
	})
	if done.Load() != 1 || used.Load() != 19 {
		t.Errorf("taken %d times, refused %d times", done.Load(), used.Load())
	}
	if d := f.delivery(n.Mail.ID); d.State != store.MailComplained {
		t.Errorf("%+v", d)
	}
}

func testNotification(t *testing.T, f *fixture) {
	key := random()
	if taken, err := f.db.NotificationTaken(f.ctx(), key); err != nil || taken {
		t.Fatal(taken, err)
	}
	f.no(f.db.TakeNotification(f.ctx(), key, f.db.Now().Add(time.Hour)))
	f.want(f.db.TakeNotification(f.ctx(), key, f.db.Now().Add(time.Hour)), store.Used)
	if taken, err := f.db.NotificationTaken(f.ctx(), key); err != nil || !taken {
		t.Fatal(taken, err)
	}
	f.db.AdvanceForTest(2 * time.Hour)
	for range 50 { // stretches start at random
		_, err := f.db.Purge(f.ctx(), 100)
		f.no(err)
	}
	if rows := f.count(`SELECT COUNT(*) FROM notification`); rows != 0 {
		t.Error("an expired notification is kept")
	}
}

func testSuppression(t *testing.T, f *fixture) {
	address, before := random(), random()
	byHand := store.Suppression{Address: address, Recipient: []byte("sealed"), Reason: store.ReasonManual, Detail: "asked by phone"}
	f.want(f.db.Lift(f.ctx(), []store.Hash{address}), store.NotFound)
	f.no(f.db.Suppress(f.ctx(), byHand, before))
	f.want(f.db.Suppress(f.ctx(), byHand, before), store.Conflict)

	n := f.begin("ada@example.com")
	n.Mail.Address, n.Mail.Recipient = address, []byte("sealed")
	begun, err := f.db.BeginChallenge(f.ctx(), n)
	f.no(err)
	if !begun.Suppressed {
		t.Error("a suppressed address gets mail")
	}
	if d := f.delivery(n.Mail.ID); d.State != store.MailSuppressed || d.SettledAt.IsZero() {
		t.Errorf("%+v", d)
	}

	// After a rotation the row is found, and lifted, by the hash of before.
	f.want(f.db.Suppress(f.ctx(), store.Suppression{Address: random(), Recipient: []byte("sealed"), Reason: store.ReasonManual}, address), store.Conflict)
	f.no(f.db.Lift(f.ctx(), []store.Hash{random(), address}))
	f.want(f.db.Lift(f.ctx(), []store.Hash{address}), store.NotFound)
	again := f.begin("ada@example.com")
	again.Mail.Address = address
	if begun, err = f.db.BeginChallenge(f.ctx(), again); err != nil || begun.Suppressed {
		t.Errorf("lifted, but %+v, %v", begun, err)
	}
	for _, kind := range []string{"suppression.added", "suppression.lifted"} {
		if rows := f.count(`SELECT COUNT(*) FROM event WHERE kind = $1`, kind); rows != 1 {
			t.Errorf("%d events %s, want 1", rows, kind)
		}
	}
}

func testSuppressionPages(t *testing.T, f *fixture) {
	for i := range 7 {
		if i%2 == 0 { // pairs of the same instant
			f.db.AdvanceForTest(time.Second)
		}
		f.no(f.db.Suppress(f.ctx(), store.Suppression{Address: random(), Recipient: []byte{byte(i)}, Reason: store.ReasonManual}, store.Hash{}))
	}
	f.exec(`UPDATE suppression SET created_at = created_at / 1000000`)
	var seen []byte
	for filter := (store.SuppressionFilter{Limit: 2}); ; {
		page, err := f.db.Suppressions(f.ctx(), filter)
		f.no(err)
		if len(page) == 0 {
			break
		}
		for _, one := range page {
			seen = append(seen, one.Recipient...)
		}
		filter.Before = page[len(page)-1]
	}
	slices.Sort(seen)
	if !slices.Equal(seen, []byte{0, 1, 2, 3, 4, 5, 6}) {
		t.Errorf("pages hold %v", seen)
	}
}
