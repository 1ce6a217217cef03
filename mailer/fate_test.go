package mailer_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"idp/keyring"
	"idp/mailer"
	"idp/store"
)

func TestDeliveryLog(t *testing.T) {
	t.Parallel()
	w := setup(t)
	q := w.queue(nil, quick())
	w.run(q)
	sent := w.order(q, "ada@example.com", nil)
	sent.handTo(q)
	w.becomes(store.MailSent, sent)
	time.Sleep(2 * time.Millisecond)
	limited := func(n *store.NewChallenge) {
		n.Unknown = store.Limit{Name: "unknown_sends", Key: store.Hash{1}, Windows: [2]store.Window{{Count: 1, Period: time.Hour}}}
	}
	w.order(q, "nobody@example.com", limited)
	time.Sleep(2 * time.Millisecond)
	decoy := w.order(q, "nobody@example.com", limited)
	if !decoy.begun.Decoy {
		t.Fatal("no decoy")
	}

	log := mailer.NewDeliveries(w.db, w.ring)
	list, err := log.List(t.Context(), mailer.Query{To: "ada@example.com", Limit: 10})
	if err != nil || len(list) != 1 || list[0].To != "a…@example.com" || list[0].State != "sent" || list[0].Connector != "post" || list[0].Times.Sent == nil {
		t.Errorf("%+v, %v", list, err)
	}
	one, err := log.Show(t.Context(), list[0].ID)
	if err != nil || one.To != "ada@example.com" || one.UsageType != store.UsageSignIn {
		t.Errorf("%+v, %v", one, err)
	}
	list, err = log.List(t.Context(), mailer.Query{State: "withheld", Limit: 10})
	if err != nil || len(list) != 1 || list[0].ID != decoy.mail.ID.String() || !strings.Contains(list[0].Error, "no account") {
		t.Errorf("%+v, %v", list, err)
	}
	for _, state := range mailer.StateNames() {
		if _, err := log.List(t.Context(), mailer.Query{State: state, Limit: 1}); err != nil {
			t.Errorf("%s: %v", state, err)
		}
	}
	page, err := log.List(t.Context(), mailer.Query{Limit: 1})
	if err != nil || len(page) != 1 || page[0].ID != decoy.mail.ID.String() {
		t.Fatalf("%+v, %v", page, err)
	}
	if next, err := log.List(t.Context(), mailer.Query{Before: page[0].ID, Limit: 1}); err != nil || len(next) != 1 || next[0].ID == page[0].ID {
		t.Errorf("%+v, %v", next, err)
	}
	for name, q := range map[string]mailer.Query{"state": {State: "eaten"}, "before": {Before: "x"}} {
		if _, err := log.List(t.Context(), q); store.CodeOf(err) != store.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := log.Show(t.Context(), "x"); store.CodeOf(err) != store.NotFound {
		t.Error(err)
	}
}

func TestSuppressionListOverRotation(t *testing.T) {
	t.Parallel()
	w := setup(t)
	former := mailer.NewSuppressions(w.db, w.ring)
	if err := former.Add(t.Context(), "ada@example.com", "asked\nby phone"); err != nil {
		t.Fatal(err)
	}
	secret := slices.Repeat([]byte{8}, keyring.SecretSize)
	both, err := keyring.New(secret, slices.Repeat([]byte{7}, keyring.SecretSize))
	if err != nil {
		t.Fatal(err)
	}
	list := mailer.NewSuppressions(w.db, both)
	if err := list.Add(t.Context(), "ada@example.com", ""); store.CodeOf(err) != store.Conflict {
		t.Errorf("a second time: %v", err)
	}
	if one, err := list.Show(t.Context(), "ada@example.com"); err != nil || one.Address != "ada@example.com" || one.Detail != "asked by phone" {
		t.Errorf("%+v, %v", one, err)
	}
	masked, err := list.List(t.Context(), "", 10, false)
	if err != nil || len(masked) != 1 || masked[0].Address != "a…@example.com" {
		t.Fatalf("%+v, %v", masked, err)
	}
	if rest, err := list.List(t.Context(), masked[0].Cursor, 10, true); err != nil || len(rest) != 0 {
		t.Errorf("%+v, %v", rest, err)
	}
	for _, cursor := range []string{"x", "AAAA", strings.Repeat("_", 54)} {
		if _, err := list.List(t.Context(), cursor, 10, true); store.CodeOf(err) != store.Invalid {
			t.Errorf("cursor %s: %v", cursor, err)
		}
	}
	// Without the secret that sealed it, the row is there and names nobody.
	stranger, err := keyring.New(secret)
	if err != nil {
		t.Fatal(err)
	}
	if dark, err := mailer.NewSuppressions(w.db, stranger).List(t.Context(), "", 10, true); err != nil || len(dark) != 1 || dark[0].Address != "" {
		t.Errorf("%+v, %v", dark, err)
	}
	if err := list.Lift(t.Context(), "ada@example.com"); err != nil {
		t.Error(err)
	}
	if err := list.Lift(t.Context(), "ada@example.com"); store.CodeOf(err) != store.NotFound {
		t.Error(err)
	}
}
