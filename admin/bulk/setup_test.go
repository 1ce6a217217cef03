package bulk_test

import (
	"bytes"
	"strings"
	"testing"

	"idp/admin"
	"idp/admin/bulk"
	"idp/audit"
	"idp/keyring"
	"idp/mailer"
	"idp/store"
	"idp/store/sqlite"
	"idp/store/sqlitetest"
	"idp/store/sqlstore"
)

// fixture is the functions of administrators over a real SQLite.
type fixture struct {
	*testing.T
	db    *sqlstore.DB
	admin *admin.Service
}

func setup(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t}
	engine, err := sqlite.Open(t.Context(), sqlitetest.File(t), sqlite.Options{})
	f.must(err)
	f.must(engine.Migrate(t.Context()))
	f.db = sqlstore.New(engine)
	f.must(f.db.Start(t.Context()))
	t.Cleanup(func() { _ = f.db.Close() })
	ring, err := keyring.New([]byte("0123456789abcdef0123456789abcdef"))
	f.must(err)
	f.admin, err = admin.New(admin.Deps{Store: f.db, Book: audit.New(ring, f.db.Now), Ring: ring, Senders: mailer.Kinds{}})
	f.must(err)
	for _, r := range []store.Role{{ID: "reader", Name: "Reader", Default: true}, {ID: "writer", Name: "Writer; editor"}, {ID: "plain", Name: "Plain"}} {
		r.Type = store.UserRole
		f.must(f.db.CreateRole(t.Context(), r, nil))
	}
	return f
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// run imports a file, and gives the counts and the report.
func (f *fixture) run(format bulk.Format, file string, dry bool) (bulk.Counts, []bulk.Refusal) {
	f.Helper()
	r, err := bulk.NewReader(strings.NewReader(file), format, false)
	f.must(err)
	report := []bulk.Refusal{}
	im := &bulk.Importer{Service: f.admin, By: audit.Command(), DryRun: dry, Step: func(bulk.Counts) {},
		Refuse: func(r bulk.Refusal) error { report = append(report, r); return nil }}
	counts, err := im.Run(f.Context(), r)
	f.must(err)
	return counts, report
}

// people reads everybody back in a form.
func (f *fixture) people(format bulk.Format) string {
	f.Helper()
	var b bytes.Buffer
	w, err := bulk.NewWriter(&b, format)
	f.must(err)
	f.must(f.admin.ExportUsers(f.Context(), audit.Command(), w.Write))
	f.must(w.Close())
	return b.String()
}
