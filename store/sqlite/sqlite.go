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
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"idp/migrations"
	"idp/store"
	"idp/store/sqlstore"
)

// Options is reserved for settings of the engine.
type Options struct{}

// Engine runs scripts on one SQLite file. It implements [sqlstore.Engine].
type Engine struct {
	path    string
	writer  *sql.DB // one connection
	readers *sql.DB

	jobs   chan *job
	closed chan struct{} // closed by Close: no new jobs
	done   chan struct{} // closed when the writer goroutine has ended
	once   sync.Once

	mu    sync.RWMutex
	reads map[string]*sql.Stmt
}

var _ sqlstore.Engine = (*Engine)(nil)

// busyTimeout is how long a connection waits for another process's write.
const busyTimeout = 5 * time.Second

// Open opens or makes the file at path (mode 0600, its folder 0700). It fails if
// SQLite cannot keep a write-ahead log there, as on some network file systems.
func Open(ctx context.Context, path string, _ Options) (*Engine, error) {
	if err := prepareFile(path); err != nil {
		return nil, unavailable("open "+path, err)
	}
	e := &Engine{path: path, jobs: make(chan *job, 4*groupSize), closed: make(chan struct{}), done: make(chan struct{}),
		reads: map[string]*sql.Stmt{}}
	var err error
	if e.writer, err = open(path, "&_txlock=immediate"); err != nil {
		return nil, err
	}
	e.writer.SetMaxOpenConns(1)
	conn, err := e.writer.Conn(ctx)
	if err != nil {
		_ = e.writer.Close()
		return nil, unavailable("open "+path, err)
	}
	if err := needWAL(ctx, conn); err != nil {
		_ = conn.Close()
		_ = e.writer.Close()
		return nil, unavailable("open "+path, err)
	}
	if e.readers, err = open(path, "&_pragma=query_only(1)"); err != nil {
		_ = conn.Close()
		_ = e.writer.Close()
		return nil, err
	}
	n := max(4, runtime.GOMAXPROCS(0)*2)
	e.readers.SetMaxOpenConns(n)
	e.readers.SetMaxIdleConns(n)
	go (&writer{conn: conn, stmts: map[string]*sql.Stmt{}}).run(e.jobs, e.closed, e.done)
	return e, nil
}

func open(path, extra string) (*sql.DB, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		fmt.Sprintf("?_pragma=busy_timeout(%d)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)", busyTimeout.Milliseconds()) + extra
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, unavailable("open "+path, err)
	}
	return db, nil
}

// needWAL switches the file to a write-ahead log and fails where SQLite cannot.
func needWAL(ctx context.Context, conn *sql.Conn) error {
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode=WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("the file system cannot keep a write-ahead log (journal_mode is %q): use a local disk", mode)
	}
	return nil
}

// prepareFile makes the folder and the file for this user only.
func prepareFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// Migrate applies pending migrations. Processes that start at once wait for each
// other on a file lock.
func (e *Engine) Migrate(ctx context.Context) error {
	release, err := waitLock(ctx, e.path+".migrate.lock")
	if err != nil {
		return unavailable("migrate", err)
	}
	defer release()
	db, err := open(e.path, "&_txlock=immediate")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return migrations.Up(ctx, db, migrations.SQLite)
}

// MigrationStatus lists the migrations.
func (e *Engine) MigrationStatus(ctx context.Context) ([]migrations.Status, error) {
	db, err := open(e.path, "")
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	return migrations.List(ctx, db, migrations.SQLite)
}

// SkipLocked is empty: there is one writer.
func (e *Engine) SkipLocked() string { return "" }

// Clock is this machine's clock, which is the database's.
func (e *Engine) Clock() string { return "CAST(unixepoch('subsec') * 1000000 AS BIGINT)" }

// Read runs a query on a connection of its own, which sees the last commit.
func (e *Engine) Read(ctx context.Context, query string, args []any, row func(scan func(...any) error) error) error {
	stmt, err := e.readStmt(ctx, query)
	if err != nil {
		return translate("read", err)
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return translate("read", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return translate("read", rows.Err())
}

func (e *Engine) readStmt(ctx context.Context, query string) (*sql.Stmt, error) {
	e.mu.RLock()
	stmt := e.reads[query]
	e.mu.RUnlock()
	if stmt != nil {
		return stmt, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if stmt := e.reads[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := e.readers.PrepareContext(context.WithoutCancel(ctx), query)
	if err == nil {
		e.reads[query] = stmt
	}
	return stmt, err
}

// Close lets the waiting scripts commit and closes the file.
func (e *Engine) Close() error {
	var err error
	e.once.Do(func() {
		close(e.closed)
		<-e.done
		err = errors.Join(e.readers.Close(), e.writer.Close())
	})
	return err
}

func unavailable(op string, err error) error {
	return &store.Error{Code: store.Unavailable, Op: op, Err: err}
}

// translate gives SQLite's errors the store's codes.
func translate(op string, err error) error {
	var se *driver.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &se):
		switch code := se.Code(); {
		case code == lib.SQLITE_CONSTRAINT_UNIQUE, code == lib.SQLITE_CONSTRAINT_PRIMARYKEY, code == lib.SQLITE_CONSTRAINT_ROWID:
			return &store.Error{Code: store.Conflict, Op: op, Err: err}
		case code&0xff == lib.SQLITE_BUSY, code&0xff == lib.SQLITE_LOCKED, code&0xff == lib.SQLITE_FULL, code&0xff == lib.SQLITE_READONLY,
			code&0xff == lib.SQLITE_IOERR, code&0xff == lib.SQLITE_CANTOPEN, code&0xff == lib.SQLITE_CORRUPT, code&0xff == lib.SQLITE_NOTADB:
			return unavailable(op, err)
		}
	case errors.Is(err, sql.ErrConnDone):
		return unavailable(op, err)
	}
	return fmt.Errorf("%s: %w", op, err)
}

// isBusy tells whether another process holds the file.
func isBusy(err error) bool {
	var se *driver.Error
	return errors.As(err, &se) && (se.Code()&0xff == lib.SQLITE_BUSY || se.Code()&0xff == lib.SQLITE_LOCKED)
}
