package audit_test

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"idp/audit"
	"idp/keyring"
	"idp/store"
	"idp/store/sqlite"
	"idp/store/sqlitetest"
	"idp/store/sqlstore"
)

// fixture is the audit log of an instance on a real SQLite.
type fixture struct {
	*testing.T
	engine *sqlite.Engine
	db     *sqlstore.DB
	ring   *keyring.Ring
	book   *audit.Book
	sealer *audit.Sealer
	log    *strings.Builder
}

func setup(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, log: &strings.Builder{}}
	var err error
	f.engine, err = sqlite.Open(t.Context(), sqlitetest.File(t), sqlite.Options{})
	f.must(err)
	f.must(f.engine.Migrate(t.Context()))
	f.db = sqlstore.New(f.engine)
	f.must(f.db.Start(t.Context()))
	t.Cleanup(func() { _ = f.db.Close() })
	f.ring, err = keyring.New([]byte("0123456789abcdef0123456789abcdef"))
	f.must(err)
	f.book = audit.New(f.ring, f.db.Now)
	f.sealer = audit.NewSealer(f.deps())
	return f
}

func (f *fixture) deps() audit.SealerDeps {
	return audit.SealerDeps{Store: f.db, Ring: f.ring, Log: slog.New(slog.NewTextHandler(f.log, nil))}
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// exec changes the database behind the store's back.
func (f *fixture) exec(sql string, args ...any) {
	f.Helper()
	var s sqlstore.Script
	s.Do(sql, args...)
	f.must(f.engine.Run(f.Context(), &s))
}

// person makes an account.
func (f *fixture) person(id string) {
	f.Helper()
	f.exec(`INSERT INTO users (id, email, name, created_at, updated_at) VALUES ($1, $1 || '@example.com', '', 1, 1)`, id)
}

// write writes an entry with an address, about somebody or nobody.
func (f *fixture) write(kind, user string) store.Event {
	f.Helper()
	e := f.book.Entry(audit.Actor{ID: "client:c", IP: netip.MustParseAddr("192.0.2.7")}, audit.Record{Kind: kind, User: user})
	f.must(f.db.CreateClient(f.Context(), store.Client{ID: store.RandomText(9), Name: "x", Type: store.SPA, IDTokenAlg: "ES256"}, e))
	return e
}

// seal makes a batch of what was written.
func (f *fixture) seal() {
	f.Helper()
	_, err := f.sealer.Seal(f.Context())
	f.must(err)
}

var testTime = time.UnixMilli(1_800_000_000_000)

func benchBook(b *testing.B) *audit.Book {
	ring, err := keyring.New([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		b.Fatal(err)
	}
	return audit.New(ring, time.Now)
}
