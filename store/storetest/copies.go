package storetest

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

// atPerson is an engine that calls halt when rows of people are written.
type atPerson struct {
	sqlstore.Engine
	halt func() error
}

// Run implements [sqlstore.Engine].
func (e atPerson) Run(ctx context.Context, s *sqlstore.Script) error {
	if strings.HasPrefix(s.Steps[len(s.Steps)-1].SQL, "INSERT INTO users ") {
		if err := e.halt(); err != nil {
			return err
		}
	}
	return e.Engine.Run(ctx, s)
}

// Of several copies into one database at once, from two databases, one does it; what is there
// afterwards is that one's alone.
func testCopies(t *testing.T, f *fixture) {
	source := func(email store.Email) sqlstore.Engine {
		g := setup(t, f.fresh(), false)
		g.signUp(email)
		return g.open()
	}
	sources := []sqlstore.Engine{source("ada@example.com"), source("bob@example.com")}
	quiet := func(string, int64) {}
	into := func(e sqlstore.Engine, from int) error {
		_, err := sqlstore.Copy(f.ctx(), sources[from], e, quiet)
		return err
	}
	empty := func() *fixture { return &fixture{t: t, open: f.fresh()} }

	for range 3 {
		to := empty()
		var done atomic.Int64
		f.parallel(4, []*sqlstore.DB{nil}, func(i int, _ *sqlstore.DB) {
			switch err := into(to.open(), i%2); store.CodeOf(err) {
			case "":
				if err != nil {
					t.Error(err)
				}
				done.Add(1)
			case store.InUse, store.Conflict: // it goes on, or is done
			default:
				t.Error(err)
			}
		})
		if people := to.count(`SELECT COUNT(*) FROM users`); done.Load() != 1 || people != 1 {
			t.Fatalf("%d copies were made, with %d people", done.Load(), people)
		}
	}

	// One that goes on keeps others out, which leave it alone.
	to := empty()
	halted := atPerson{to.open(), func() error {
		f.want(into(to.open(), 1), store.InUse)
		return nil
	}}
	f.no(into(halted, 0))
	if to.count(`SELECT COUNT(*) FROM users WHERE email = 'ada@example.com'`) != 1 {
		t.Error("the copy that went on is not whole")
	}

	// One that failed is begun anew at once; one that was killed, in a minute, and if it was only
	// slow, it writes no more.
	to = empty()
	failed := errors.New("no more")
	if err := into(atPerson{to.open(), func() error { return failed }}, 0); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	slow := atPerson{to.open(), func() error {
		to.exec(`UPDATE instance SET high_water = high_water - $1`, (2 * time.Minute).Microseconds())
		f.no(into(to.open(), 1))
		return nil
	}}
	f.want(into(slow, 0), store.InUse)
	if ada, bob := to.count(`SELECT COUNT(*) FROM users WHERE email = 'ada@example.com'`), to.count(`SELECT COUNT(*) FROM users`); ada != 0 || bob != 1 {
		t.Errorf("%d people of the slow copy are there, of %d", ada, bob)
	}
}
