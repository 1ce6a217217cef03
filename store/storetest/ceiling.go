package storetest

import (
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

// Units are taken together or one by one, the kept ones only by who may, and what is given back is
// there again. Who starts later sees what was taken before.
func testUnits(t *testing.T, f *fixture) {
	l := limit(store.LimitMails, 10, 24*time.Hour)
	take := func(db *sqlstore.DB, units, kept, want int) {
		t.Helper()
		got, err := db.TakeUnits(f.ctx(), l, units, kept)
		f.no(err)
		if got != want {
			t.Errorf("took %d of %d, want %d", got, units, want)
		}
	}
	whole := func(want time.Duration) {
		t.Helper()
		at, err := f.replica().WholeAgain(f.ctx(), l)
		f.no(err)
		if off := at.Sub(f.db.Now()) - want; off < -time.Minute || off > time.Minute {
			t.Errorf("whole again in %s, want %s", at.Sub(f.db.Now()), want)
		}
	}
	if at, err := f.db.WholeAgain(f.ctx(), l); err != nil || !at.IsZero() {
		t.Errorf("%s, %v of what nobody has touched", at, err)
	}
	take(f.db, 11, 0, 1) // not more than there is, and then one
	take(f.db, 5, 2, 5)
	whole(6 * 144 * time.Minute)
	later := f.replica()
	take(later, 3, 2, 1) // 2 are free, beside the kept ones
	take(later, 1, 2, 1)
	take(later, 1, 2, 0)
	take(f.db, 2, 2, 0)
	whole(8 * 144 * time.Minute)
	take(later, 1, 0, 1) // who may
	f.no(f.db.Refund(f.ctx(), map[store.Limit]int{l: 2}))
	take(later, 1, 2, 1)
	take(later, 1, 2, 0)
	take(f.db, 2, 0, 2)
	take(f.db, 1, 0, 0)
	whole(24 * time.Hour)
	f.db.AdvanceForTest(150 * time.Minute) // one comes back in 144
	take(f.db, 2, 0, 1)
	take(f.db, 1, 10, 0) // all are kept
}

// However many take at once from how many replicas, they are never given more than there is.
func testParallelUnits(t *testing.T, f *fixture) {
	l := limit(store.LimitMails, 100, 24*time.Hour)
	dbs := []*sqlstore.DB{f.db, f.replica(), f.replica()}
	f.slow("budget", 20*time.Millisecond) // or a busy machine runs one after the other
	var taken atomic.Int64
	f.parallel(120, dbs, func(i int, db *sqlstore.DB) {
		n, err := db.TakeUnits(f.ctx(), l, 1+i%4, 10)
		if err != nil {
			t.Error(err)
		}
		taken.Add(int64(n))
	})
	if n := taken.Load(); n != 90 {
		t.Errorf("%d units of 90 were given out", n)
	}
}
