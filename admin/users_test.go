package admin_test

import (
	"context"
	"testing"
	"time"

	"idp/admin"
	"idp/audit"
	"idp/keyring"
	"idp/mailer"
	"idp/store"
	"idp/store/sqlite"
	"idp/store/sqlitetest"
	"idp/store/sqlstore"
)

// watched is the real store, with something that happens after an account was read, and a
// note of the traces that went with the last one.
type watched struct {
	*sqlstore.DB
	afterUser func()
	traces    store.Traces
}

func (w *watched) User(ctx context.Context, id string) (store.User, error) {
	u, err := w.DB.User(ctx, id)
	if then := w.afterUser; then != nil {
		w.afterUser = nil
		then()
	}
	return u, err
}

func (w *watched) DeleteUser(ctx context.Context, id string, seen time.Time, traces store.Traces, told ...store.Event) error {
	w.traces = traces
	return w.DB.DeleteUser(ctx, id, seen, traces, told...)
}

// hashes are the addresses themselves.
type hashes struct{}

func (hashes) Address(of store.Email) (now, former store.Hash) {
	return store.HashOf([]byte(of)), store.Hash{}
}

func setup(t *testing.T) (*admin.Service, *watched) {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), sqlitetest.File(t), sqlite.Options{})
	must(t, err)
	must(t, engine.Migrate(t.Context()))
	w := &watched{DB: sqlstore.New(engine)}
	must(t, w.Start(t.Context()))
	t.Cleanup(func() { _ = w.Close() })
	ring, err := keyring.New([]byte("0123456789abcdef0123456789abcdef"))
	must(t, err)
	s, err := admin.New(admin.Deps{Store: w, Book: audit.New(ring, w.Now), Ring: ring, Senders: mailer.Kinds{}, Codes: hashes{}, Mails: hashes{}})
	must(t, err)
	return s, w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What is kept under an address goes with the account that has it when it goes, whatever
// address it had when the deletion began.
func TestDeletedUnderAnotherAddress(t *testing.T) {
	t.Parallel()
	s, w := setup(t)
	u, err := s.CreateUser(t.Context(), audit.Command(), store.User{Email: "old@example.com"})
	must(t, err)
	w.afterUser = func() {
		_, err := s.UpdateUser(t.Context(), audit.Command(), u.ID, time.Time{}, func(u *store.User) error { u.Email = "new@example.com"; return nil })
		must(t, err)
	}
	must(t, s.DeleteUser(t.Context(), audit.Command(), u.ID, time.Time{}))
	if want := store.HashOf([]byte("new@example.com")); w.traces.Codes[0] != want || w.traces.Mails[0] != want {
		t.Error("what was kept under the address is still there")
	}
}
