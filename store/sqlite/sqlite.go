// Package sqlite is the engine for one machine: modernc.org/sqlite, write-ahead
// log, full sync, one writer.
//
// All scripts go through one goroutine that commits what is waiting together, up
// to 64 scripts, each in a savepoint: one sync of the disk serves them all.
// Reads have connections of their own and never wait for it. Another process,
// such as the command line beside a running server, takes its turn by SQLite's
// own file lock.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"

	"idp/migrations"
	"idp/store/sqlstore"
)

// Options is reserved for settings of the engine.
type Options struct{}

// Engine runs scripts on one SQLite file. It implements [sqlstore.Engine].
type Engine struct {
	path    string
	jobs    chan *job     // unbuffered: what the writer has received is picked up
	written chan struct{} // closed when the writer has ended
	readers chan *conn    // free ones; nil stands for one that is not open yet

	checkpoints checkpointer

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup // calls of Run and Read

	waiting          atomic.Int64 // scripts that were not answered yet
	commits, scripts atomic.Uint64
}

var _ sqlstore.Engine = (*Engine)(nil)

// writing is what the writer has beyond the readers: room for the pages that sign-ins touch
// (16 MB, and only as many as there are; SQLite's 2 MB were read and copied again and again), and
// a log that is left to the checkpointer: SQLite would not tell that its own checkpoint failed. Where the log once was
// much longer than usual its end is cut off: it holds what is deleted by now.
var writing = fmt.Sprintf("&_pragma=cache_size(-16000)&_pragma=wal_autocheckpoint(0)&_pragma=journal_size_limit(%d)", 3*logPages/2*4096)

// busyTimeout is how long a connection waits for another process's write.
const busyTimeout = 5 * time.Second

var errClosed = errors.New("the database is closed")

// Open opens or makes the file at path (mode 0600, its folder 0700). It fails if
// SQLite cannot keep a write-ahead log there, as on some network file systems.
func Open(ctx context.Context, path string, _ Options) (*Engine, error) {
	return open(ctx, path, logPages, maxLogPages)
}

func open(ctx context.Context, path string, pages, most int) (*Engine, error) {
	op := "open " + path
	path, err := filepath.Abs(path) // also keeps SQLite from reading ":memory:" in it
	if err != nil {
		return nil, unavailable(op, err)
	}
	if err := prepareFile(path); err != nil {
		return nil, unavailable(op, err)
	}
	// A commit needs the file's data and size on the disk, not its timestamps:
	// fdatasync is as durable and cheaper. It is what SQLite uses where its own
	// build finds it; not every system has it.
	_, _ = sqlite.Fdatasync(true)
	first, err := dial(dsn(path, writing))
	if err != nil {
		return nil, unavailable(op, err)
	}
	if err := needWAL(ctx, first); err != nil {
		return nil, unavailable(op, errors.Join(err, first.close()))
	}
	e := &Engine{path: path, jobs: make(chan *job), written: make(chan struct{}), checkpoints: newCheckpointer(pages, most),
		readers: make(chan *conn, max(4, 2*runtime.GOMAXPROCS(0)))}
	for range cap(e.readers) {
		e.readers <- nil
	}
	go e.write(&writer{conn: first})
	go e.checkpoints.run(path)
	return e, nil
}

// needWAL switches the file to a write-ahead log and fails where SQLite cannot.
// SQLite does not wait here for another process that is doing the same.
func needWAL(ctx context.Context, c *conn) error {
	for end := time.Now().Add(busyTimeout); ; {
		a, err := c.run(`PRAGMA journal_mode=WAL`, nil, true)
		switch {
		case err == nil && len(a.row) == 1 && a.row[0] == "wal":
			return nil
		case err == nil:
			return fmt.Errorf("the file system cannot keep a write-ahead log (journal_mode is %v): use a local disk", a.row)
		case !isBusy(err) || time.Now().After(end):
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Migrate applies pending migrations. Processes that start at once wait for each
// other on a file lock.
func (e *Engine) Migrate(ctx context.Context) error {
	release, err := waitLock(ctx, e.path+".migrate.lock")
	if err != nil {
		return translate("migrate", err)
	}
	defer release()
	db, err := openSQL(e.path)
	if err != nil {
		return unavailable("migrate", err)
	}
	defer func() { _ = db.Close() }()
	return translate("migrate", migrations.Up(ctx, db, migrations.SQLite))
}

// MigrationStatus lists the migrations and changes nothing.
func (e *Engine) MigrationStatus(ctx context.Context) ([]migrations.Status, error) {
	db, err := openSQL(e.path)
	if err != nil {
		return nil, unavailable("read migrations", err)
	}
	defer func() { _ = db.Close() }()
	list, err := migrations.List(ctx, db, migrations.SQLite)
	return list, translate("read migrations", err)
}

// SkipLocked is empty: there is one writer.
func (e *Engine) SkipLocked() string { return "" }

// Columns lists tables and columns.
func (e *Engine) Columns() string {
	return `SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid`
}

// KeepOut is empty: there is one writer.
func (e *Engine) KeepOut(string) string { return "" }

// enter counts a call, so that Close can wait for it.
func (e *Engine) enter() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.running.Add(1)
	return true
}

// Hurry does nothing: what was picked up is soon done, without a network.
func (e *Engine) Hurry() {}

// Close lets the waiting scripts commit and closes the file.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	e.mu.Unlock()
	e.running.Wait()
	close(e.jobs)
	<-e.written
	close(e.checkpoints.stop)
	<-e.checkpoints.stopped
	var errs []error
	for range cap(e.readers) {
		if c := <-e.readers; c != nil {
			errs = append(errs, c.close())
		}
	}
	e.checkpoints.shared.release()
	return errors.Join(errs...)
}

// Stats is what the writer has done, and what waits for it.
type Stats struct {
	Waiting int    // scripts whose commit has not ended
	Commits uint64 // groups that were tried
	Scripts uint64 // that were in them
}

// Stats tells how busy the writer is.
func (e *Engine) Stats() Stats {
	return Stats{Waiting: int(e.waiting.Load()), Commits: e.commits.Load(), Scripts: e.scripts.Load()}
}
