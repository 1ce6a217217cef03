package storetest

import (
	"testing"
	"time"

	"idp/store"
)

func testDeliveries(t *testing.T, f *fixture) {
	ada := random()
	var mails []store.NewChallenge
	for i, to := range []store.Hash{ada, random(), ada, random()} {
		time.Sleep(2 * time.Millisecond) // ids order the list
		n := f.begin("ada@example.com")
		n.Mail.Address, n.Mail.Recipient = to, []byte{byte(i)}
		mails = append(mails, f.begun(n))
	}
	f.no(f.db.SettleMail(f.ctx(), []store.Settled{
		{ID: mails[1].Mail.ID, State: store.MailSent, Sender: "smtp", Provider: "p1"},
		{ID: mails[2].Mail.ID, State: store.MailFailed, Sender: "smtp", Error: "refused"},
	}))
	f.exec(`UPDATE mail SET decoy = 1 WHERE id = $1`, mails[3].Mail.ID[:])
	list := func(filter store.DeliveryFilter) (got []byte) {
		t.Helper()
		filter.Limit = max(filter.Limit, 2)
		for {
			page, err := f.db.Deliveries(f.ctx(), filter)
			f.no(err)
			for _, d := range page {
				got = append(got, '0'+d.Recipient[0])
			}
			if len(page) < filter.Limit {
				return got
			}
			filter.Before = page[len(page)-1].ID
		}
	}
	for _, c := range []struct {
		filter store.DeliveryFilter
		want   string
	}{
		{store.DeliveryFilter{}, "3210"},
		{store.DeliveryFilter{Addresses: []store.Hash{random(), ada}}, "20"},
		{store.DeliveryFilter{State: store.MailQueued}, "0"}, // a decoy is in no state
		{store.DeliveryFilter{Withheld: true}, "3"},
		{store.DeliveryFilter{Sender: "smtp"}, "21"},
		{store.DeliveryFilter{Sender: "smtp", State: store.MailSent}, "1"},
		{store.DeliveryFilter{Usage: store.UsageSignIn, Addresses: []store.Hash{ada}, State: store.MailFailed}, "2"},
		{store.DeliveryFilter{Usage: store.UsageRecovered}, ""},
	} {
		if got := string(list(c.filter)); got != c.want {
			t.Errorf("%+v: mails %q, want %q", c.filter, got, c.want)
		}
	}
	for newest, want := range map[int]string{1: "", 2: "2", 3: "21", 9: "21"} { // of the newest only
		filter := store.DeliveryFilter{Sender: "smtp", Newest: newest, Limit: 5}
		page, err := f.db.Deliveries(f.ctx(), filter)
		f.no(err)
		got := ""
		for _, d := range page {
			got += string('0' + rune(d.Recipient[0]))
		}
		end, err := f.db.DeliveriesReach(f.ctx(), filter)
		f.no(err)
		if got != want || newest <= len(mails) && end != mails[len(mails)-newest].Mail.ID || newest > len(mails) && !end.IsZero() {
			t.Errorf("of the newest %d: %q up to %s, want %q", newest, got, end, want)
		}
	}
	second := f.delivery(mails[1].Mail.ID).CreatedAt
	if got := string(list(store.DeliveryFilter{Since: second, Until: second.Add(time.Microsecond)})); got != "1" {
		t.Errorf("of one instant: %q", got)
	}
	d := f.delivery(mails[2].Mail.ID)
	if d.Challenge != mails[2].ID || d.Usage != store.UsageSignIn || d.State != store.MailFailed || d.Error != "refused" || d.Sender != "smtp" ||
		d.CreatedAt.IsZero() || d.ExpiresAt.IsZero() || d.SettledAt.IsZero() || !d.BouncedAt.IsZero() || d.Address != ada {
		t.Errorf("%+v", d)
	}
	if d := f.delivery(mails[3].Mail.ID); !d.Decoy {
		t.Errorf("%+v", d)
	}
	_, err := f.db.Delivery(f.ctx(), store.NewID(time.Now()))
	f.want(err, store.NotFound)
}

func testMailCounts(t *testing.T, f *fixture) {
	f.sentMail("a@example.com", random(), "p1")
	f.db.AdvanceForTest(25 * time.Hour) // that one is too old
	f.sentMail("a@example.com", random(), "p2")
	f.sentMail("a@example.com", random(), "p3")
	f.no(f.db.RecordFeedback(f.ctx(), f.feedback(store.FeedbackDelivery, "p3")))
	f.begun(f.begin("b@example.com"))
	decoy := f.begun(f.begin("c@example.com"))
	f.exec(`UPDATE mail SET decoy = 1 WHERE id = $1`, decoy.Mail.ID[:])
	counts, err := f.db.MailCounts(f.ctx(), f.db.Now().Add(-24*time.Hour), 100)
	f.no(err)
	want := []store.MailCount{
		{State: store.MailQueued, Count: 1}, {Sender: "aws-ses-mail", State: store.MailSent, Count: 1}, {Sender: "aws-ses-mail", State: store.MailDelivered, Count: 1},
	}
	if len(counts) != len(want) {
		t.Fatalf("%+v", counts)
	}
	for i := range want {
		if counts[i] != want[i] {
			t.Errorf("%+v, want %+v", counts[i], want[i])
		}
	}

	if newest, err := f.db.MailCounts(f.ctx(), f.db.Now().Add(-24*time.Hour), 1); err != nil || len(newest) != 1 || newest[0].Count != 1 {
		t.Errorf("%+v, %v", newest, err)
	}

	// Records are kept as long as is asked for; suppressed addresses stay.
	f.no(f.db.Suppress(f.ctx(), store.Suppression{Address: random(), Recipient: []byte("sealed"), Reason: store.ReasonManual}, store.Hash{}))
	f.db.KeepMail = 20 * time.Hour
	for range 100 { // stretches start at random
		_, err := f.db.Purge(f.ctx(), 100)
		f.no(err)
	}
	if rows := f.count(`SELECT COUNT(*) FROM mail`); rows != 4 {
		t.Errorf("%d mails are left, want 4", rows)
	}
	if rows := f.count(`SELECT COUNT(*) FROM suppression`); rows != 1 {
		t.Errorf("%d suppressed addresses are left, want 1", rows)
	}
}

func testKeepDelivery(t *testing.T, f *fixture) {
	kept := store.Delivery{ID: store.NewID(f.db.Now()), Usage: store.UsageGeneric, Locale: "ja", Address: random(), Recipient: []byte("sealed"),
		State: store.MailSent, Sender: "aws-ses-mail", Provider: "p1"}
	f.no(f.db.KeepDelivery(f.ctx(), kept))
	other := kept
	other.Provider = "p2"
	f.no(f.db.KeepDelivery(f.ctx(), other)) // is there
	got, err := f.db.Delivery(f.ctx(), kept.ID)
	f.no(err)
	if got.Usage != kept.Usage || got.Locale != "ja" || got.Address != kept.Address || string(got.Recipient) != "sealed" || got.State != store.MailSent ||
		got.Sender != kept.Sender || got.Provider != "p1" || got.Attempts != 1 || got.SettledAt.IsZero() || got.Decoy {
		t.Errorf("%+v", got)
	}
	if claimed := f.claim(10); len(claimed) != 0 {
		t.Errorf("%+v", claimed)
	}
	// What its provider tells later belongs to it.
	f.no(f.db.RecordFeedback(f.ctx(), f.feedback(store.FeedbackDelivery, "p1")))
	got, err = f.db.Delivery(f.ctx(), kept.ID)
	f.no(err)
	if got.State != store.MailDelivered {
		t.Errorf("%+v", got)
	}
}
