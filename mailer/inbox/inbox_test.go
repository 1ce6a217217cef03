package inbox_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"idp/keyring"
	"idp/mailer"
	"idp/mailer/inbox"
	"idp/store"
	"idp/store/sqlite"
	"idp/store/sqlitetest"
	"idp/store/sqlstore"
)

func setup(t *testing.T) (*inbox.Inbox, *sqlstore.DB) {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), sqlitetest.File(t), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	db := sqlstore.New(engine)
	if err := db.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	ring, err := keyring.New(make([]byte, keyring.SecretSize))
	if err != nil {
		t.Fatal(err)
	}
	return inbox.New(db, ring), db
}

func send(t *testing.T, in *inbox.Inbox, to, code string) mailer.Rendered {
	t.Helper()
	m := mailer.Rendered{ID: store.NewID(time.Now()).String(), From: "Bookstore", To: to, Subject: "Sign in to Bookstore",
		Text: "Your code is " + code, HTML: "<p>" + code, Usage: store.UsageSignIn, Code: code}
	if _, err := in.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond) // ids order by the millisecond
	return m
}

func TestMailboxShowsTheNewestFirst(t *testing.T) {
	t.Parallel()
	in, db := setup(t)
	if items, err := in.List(t.Context(), "", 0); err != nil || items == nil || len(items) != 0 {
		t.Errorf("empty: %v, %v", items, err)
	}
	send(t, in, "ada@example.com", "111111")
	send(t, in, "bob@example.com", "222222")
	m := send(t, in, "ada@example.com", "333333")
	if _, err := in.Send(t.Context(), m); err != nil { // a second attempt
		t.Fatal(err)
	}
	items, err := in.List(t.Context(), "ADA@Example.com", 0)
	if err != nil || len(items) != 2 || items[0].Code != "333333" || items[1].Code != "111111" {
		t.Fatalf("%v, %v", items, err)
	}
	var keys map[string]any
	b, _ := json.Marshal(items[0])
	json.Unmarshal(b, &keys)
	for _, key := range []string{"id", "to", "from", "subject", "text", "html", "usageType", "code", "createdAt"} {
		if keys[key] == nil || keys[key] == "" {
			t.Errorf("%q is missing in %s", key, b)
		}
		delete(keys, key)
	}
	if len(keys) != 0 {
		t.Errorf("more keys: %v", keys)
	}
	if items[0].CreatedAt.IsZero() {
		t.Error("no time")
	}
	if items, _ := in.List(t.Context(), "", 1); len(items) != 1 || items[0].Code != "333333" {
		t.Errorf("limit 1 gives %v", items)
	}
	rows, err := db.Inbox(t.Context(), 10)
	if err != nil || len(rows) != 3 || bytes.Contains(rows[0].Sealed, []byte("333333")) {
		t.Errorf("%d rows, %v; sealed?", len(rows), err)
	}
	if err := in.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if items, _ := in.List(t.Context(), "", 0); len(items) != 0 {
		t.Errorf("after clearing: %v", items)
	}
}

func TestMailWithoutACode(t *testing.T) {
	t.Parallel()
	in, _ := setup(t)
	send(t, in, "ada@example.com", "")
	items, err := in.List(t.Context(), "", 0)
	if err != nil || len(items) != 1 {
		t.Fatalf("%v, %v", items, err)
	}
	if b, _ := json.Marshal(items[0]); !bytes.Contains(b, []byte(`"code":""`)) {
		t.Errorf("%s", b)
	}
}

func TestConfigurationIsEmpty(t *testing.T) {
	t.Parallel()
	in, _ := setup(t)
	kinds := mailer.Kinds{inbox.ID: in.Factory}
	if err := kinds.Check("inbox", []byte("{}")); err != nil {
		t.Error(err)
	}
	for id, config := range map[string]string{"inbox": `{"region":"eu"}`, "fax": `{}`} {
		if err := kinds.Check(id, []byte(config)); err == nil || !strings.Contains(err.Error(), "inbox") {
			t.Errorf("%s %s gives %v", id, config, err)
		}
	}
}
