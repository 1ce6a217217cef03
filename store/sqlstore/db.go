// Package sqlstore holds every operation of the store, one file per noun, in SQL
// that both engines run as it stands.
//
// The common subset: $1 placeholders, RETURNING, upserts; CAST only to BIGINT,
// SMALLINT or TEXT; byte arguments are []byte; no booleans, arrays or JSON
// types. Times are int64 microseconds, lists are JSON in text.
//
// Lock order, kept by every script: budgets of the network (waits, then sends or guesses),
// of the address, challenge, user, session, grant, device.
package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"idp/store"
)

// DB runs the store's operations on an engine. Its methods are safe for
// concurrent use. Errors are *[store.Error] or a broken database.
type DB struct {
	// KeepMail is how long the records of mails are kept, 400 days at most; 30 days if
	// it is 0. It is set before the first Purge.
	KeepMail time.Duration
	// Trace, if it is set before the first use, tells the audit log where things come from.
	Trace Trace

	engine     Engine
	cache      cache
	experience atomic.Pointer[store.Experience] // the last one that was read

	born   time.Time            // what our clock counts from, see local
	offset atomic.Int64         // database clock minus ours, µs
	floor  atomic.Int64         // high-water mark: no instant below it is handed out
	slow   atomic.Pointer[slow] // where the database's clock went back; nil: nowhere
	ahead  atomic.Int64         // only tests move it, µs
	stop   context.CancelFunc
	done   sync.WaitGroup
}

// tick is how often the database's clock and configuration epoch are read. It
// bounds how stale a cache can be.
const tick = time.Second

// New wraps an engine. Call [DB.Start] before anything else.
func New(e Engine) *DB { return &DB{engine: e, born: time.Now()} }

// Start reads the database's clock and configuration epoch, and goes on reading
// them each second until Close.
func (db *DB) Start(ctx context.Context) error {
	if err := db.sync(ctx, true); err != nil {
		return err
	}
	ctx, db.stop = context.WithCancel(context.WithoutCancel(ctx))
	db.done.Go(func() { db.keepSynced(ctx) })
	return nil
}

// Hurry says that the process stops: operations whose context has ended, or ends, are
// given up at once, and nobody learns whether they were done.
func (db *DB) Hurry() { db.engine.Hurry() }

// Close stops the clock and closes the engine.
func (db *DB) Close() error {
	db.Hurry()
	if db.stop != nil {
		db.stop()
		db.done.Wait()
	}
	return db.engine.Close()
}

func (db *DB) keepSynced(ctx context.Context) {
	t := time.NewTicker(tick)
	defer t.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		// A failure is not logged here: requests meet the same database and say so.
		if err := db.sync(ctx, n%60 == 0); err != nil {
			db.cache.age()
		}
	}
}

// sync reads clock, epoch and high-water mark; with mark it also writes the mark
// (once a minute: after a clock that stepped back, codes that died at least a
// minute before stay dead).
func (db *DB) sync(ctx context.Context, mark bool) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	before := db.local()
	var now, epoch, high int64
	err := db.engine.Read(ctx, `SELECT `+db.engine.Clock()+`, epoch, high_water FROM instance WHERE id = 1`, nil,
		func(scan func(...any) error) error { return scan(&now, &epoch, &high) })
	if err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	db.offset.Store(now - (before+db.local())/2)
	db.raise(high)
	db.keepGoing()
	db.cache.observe(epoch)
	if !mark {
		return nil
	}
	var s Script
	s.Idempotent = true
	s.Do(`UPDATE instance SET high_water = $1 WHERE id = 1 AND high_water < $1`, db.now())
	return db.engine.Run(ctx, &s)
}

func (db *DB) raise(mark int64) {
	for {
		old := db.floor.Load()
		if mark <= old || db.floor.CompareAndSwap(old, mark) {
			return
		}
	}
}

// slow is a clock that goes at half speed from an instant that was handed out, so that
// the database's clock, which went back to before it, catches up. A clock that stood
// still until then would keep codes alive, limits spent and mails waiting for as long.
type slow struct{ from, since int64 }

func (s *slow) at(local int64) int64 { return s.from + (local-s.since)/2 }

// keepGoing slows the clock down where the database's is behind what was handed out.
func (db *DB) keepGoing() {
	local, before := db.local(), db.slow.Load()
	from := db.floor.Load()
	if before != nil {
		from = max(from, before.at(local))
	}
	if local+db.offset.Load()+db.ahead.Load() >= from {
		db.slow.Store(nil)
		return
	}
	db.slow.Store(&slow{from, local})
}

// local is our own clock, in µs. It counts from the start of the process and not from what the machine
// says the time is: that can be set, and nothing here may follow.
func (db *DB) local() int64 { return time.Since(db.born).Microseconds() }

// Now is the database's time, never below the stored high-water mark and never
// going back within this process. After the database's clock went back it goes at half
// speed until that has caught up.
func (db *DB) Now() time.Time { return time.UnixMicro(db.now()).UTC() }

// AdvanceForTest moves this DB's clock forward, or back, so that tests need not wait.
func (db *DB) AdvanceForTest(d time.Duration) { db.ahead.Add(d.Microseconds()) }

func (db *DB) now() int64 {
	local := db.local()
	t := local + db.offset.Load() + db.ahead.Load()
	if s := db.slow.Load(); s != nil {
		t = max(t, s.at(local))
	}
	if floor := db.floor.Load(); t < floor {
		return floor
	}
	db.raise(t)
	return t
}

// Ping asks the database whether it answers.
func (db *DB) Ping(ctx context.Context) error {
	var one int64
	return db.engine.Read(ctx, `SELECT epoch FROM instance WHERE id = 1`, nil,
		func(scan func(...any) error) error { return scan(&one) })
}

// CheckSecret compares the fingerprint of the instance secret with the one the
// database was made with. current is stored when there is none; all are the live
// ones during a rotation. The error is [store.Conflict].
func (db *DB) CheckSecret(ctx context.Context, current store.Hash, all []store.Hash) error {
	var s Script
	s.Idempotent = true
	var stored store.Hash
	s.Do(`UPDATE instance SET secret_check = COALESCE(secret_check, $1) WHERE id = 1 RETURNING secret_check`, current[:]).
		Into(hashInto(&stored))
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("check the instance secret: %w", err)
	}
	for _, h := range append([]store.Hash{current}, all...) {
		if h.Equal(stored) {
			return nil
		}
	}
	return &store.Error{Code: store.Conflict, Op: "check the instance secret",
		Err: errors.New("the instance secret is not the one this database was made with")}
}

// one reads a single row; NotFound without one.
func (db *DB) one(ctx context.Context, op, query string, args []any, dest ...any) error {
	found := false
	err := db.engine.Read(ctx, query, args, func(scan func(...any) error) error {
		found = true
		return scan(dest...)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if !found {
		return &store.Error{Code: store.NotFound, Op: op}
	}
	return nil
}
