package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// logPages is how many pages the log takes, at 4 KiB, before they are copied into the
// file: each once then, however often it was written.
const logPages = 4000

// maxLogPages is when the writer copies them itself, between two commits: should the checkpointer
// not keep up, or fail.
const maxLogPages = 4 * logPages

// The checkpointer copies the log into the file beside the writer, which goes on
// meanwhile: within a commit, as SQLite does it by itself, everybody who signs in
// would wait for the copying and for the sync of the file. But a log is begun anew
// only once all of it is copied, and it grows meanwhile. So the writer copies the few
// pages that are left, between two commits.
type checkpointer struct {
	pages   int           // that make a checkpoint due
	most    int           // that the writer lets come together; 0: it always leaves them to the checkpointer
	written int           // since the last one was due, about; the writer's
	log     int           // since the log was begun, about, or the writer copied it; the writer's
	due     chan struct{} // the checkpointer is to copy
	rest    chan struct{} // the writer is to copy what is left
	stop    chan struct{}
	stopped chan struct{}
	shared  *shared // the file, once it was synced
	sync    func(*os.File) error
}

func newCheckpointer(pages, most int) checkpointer {
	return checkpointer{pages: pages, most: most, due: make(chan struct{}, 1), rest: make(chan struct{}, 1),
		stop: make(chan struct{}), stopped: make(chan struct{}), sync: (*os.File).Sync}
}

// rounds bounds how often the checkpointer copies what came while it copied, until
// little is left for the writer.
const rounds = 3

// run is the checkpointer's goroutine.
func (c *checkpointer) run(path string) {
	defer close(c.stopped)
	var own *conn // opened when it is needed: the command line seldom writes as much
	defer func() {
		if own != nil {
			_ = own.close()
		}
	}()
	for {
		select {
		case <-c.stop:
			return
		case <-c.due:
		}
		if own == nil {
			var err error
			if own, err = dial(dsn(path, "")); err != nil {
				continue // the writer does it by itself at maxLogPages
			}
		}
		// Opened before anything is copied: a failure is told to those handles only that were open then.
		f, err := c.file(path)
		if err != nil {
			continue
		}
		for range rounds {
			if _, _, err := checkpoint(own, "PASSIVE"); err != nil {
				break
			}
			// It knows of the pages only that were there when it began.
			if _, left, err := checkpoint(own, "NOOP"); err != nil || left < c.pages/10 {
				break
			}
		}
		// SQLite syncs the file at the end of the log only, which is where the writer will be.
		if err := c.sync(f); err != nil {
			giveUp(err)
		}
		select {
		case c.rest <- struct{}{}:
		default:
		}
	}
}

// giveUp ends the process where the disk did not keep what was copied into the file. The
// system tells of that once, and takes the next sync for good; SQLite counts the pages as
// copied, and would begin the log anew that still has them. It stops counting once no process
// has the file open: so the next start, like one after a power cut, has the whole log copied anew.
// Closing the file would not do, for that is another checkpoint.
func giveUp(err error) {
	slog.Error("the disk failed to keep what was written: look at it. The write-ahead log beside the database's file still has everything, so leave it there; "+
		"once every process that has the file open has ended, the next start copies all of it anew", "error", err)
	os.Exit(1)
}

// checkpoint copies the log. PASSIVE waits for nobody, and so may leave pages; RESTART
// waits for readers, and then has the log begun anew, if it is not too busy; NOOP does
// nothing. left is how many pages are not copied, as it sees the log.
func checkpoint(c *conn, mode string) (busy bool, left int, err error) {
	a, err := c.run("PRAGMA wal_checkpoint("+mode+")", nil, true)
	if codeOf(err) == lib.SQLITE_IOERR_FSYNC {
		giveUp(err)
	}
	if err != nil {
		return false, 0, err
	}
	var gaveUp, all, copied int
	err = scan(a.row, []any{&gaveUp, &all, &copied})
	return gaveUp != 0, all - copied, err
}

// patience is how long the writer waits for those who read in the log: a read takes far
// less, other than a backup's or an export's.
const patience = 10 * time.Millisecond

// finish copies what is left and has the log begun anew. If that cannot be done, for
// somebody reads, there is another try some pages later.
func (c *checkpointer) finish(w *conn) {
	// Not by run: a prepared statement would set it when it is prepared, and never again.
	wait := func(d time.Duration) error {
		_, err := w.only.ExecContext(context.Background(), fmt.Sprintf("PRAGMA busy_timeout=%d", d.Milliseconds()))
		return err
	}
	c.written = c.pages - c.pages/8
	if wait(patience) != nil {
		return
	}
	if busy, _, err := checkpoint(w, "RESTART"); err == nil && !busy {
		c.written, c.log = 0, 0
	}
	_ = wait(busyTimeout)
}

// wrote has the checkpointer begin once the writer has written enough pages.
func (c *checkpointer) wrote(w *conn) {
	n := w.written()
	if c.log += n; c.most > 0 && c.log >= c.most {
		_, _, _ = checkpoint(w, "PASSIVE") // as SQLite's own would; who reads keeps some of it
		c.log = 0
	}
	if c.written += n; c.written < c.pages {
		return
	}
	c.written = 0
	select {
	case c.due <- struct{}{}:
	default: // it is to begin anyhow
	}
}

// written tells how many pages the connection has written since it was asked last.
func (c *conn) written() int {
	n := 0
	_ = c.only.Raw(func(driver any) error { // fails for an unknown counter only
		var err error
		n, _, err = driver.(sqlite.DBStatus).Status(sqlite.DBStatusCacheWrite, true)
		return err
	})
	return n
}

// file is the database's file, for syncing it.
func (c *checkpointer) file(path string) (*os.File, error) {
	if c.shared == nil {
		s, err := share(path)
		if err != nil {
			return nil, err
		}
		c.shared = s
	}
	return c.shared.file, nil
}

// shared is a handle of a database's file beside SQLite's. Whoever closes any handle of a
// file loses all POSIX locks that the process holds on it, also those of SQLite's
// connections: so the engines of a process on one file share one, and the last to close
// closes it.
type shared struct {
	file *os.File
	path string
	used int
}

var (
	sharing     sync.Mutex
	sharedFiles = map[string]*shared{}
)

func share(path string) (*shared, error) {
	sharing.Lock()
	defer sharing.Unlock()
	s := sharedFiles[path]
	if s == nil {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		s = &shared{file: f, path: path}
		sharedFiles[path] = s
	}
	s.used++
	return s, nil
}

// release is called when the engine has no connection any more.
func (s *shared) release() {
	if s == nil {
		return
	}
	sharing.Lock()
	defer sharing.Unlock()
	if s.used--; s.used == 0 {
		delete(sharedFiles, s.path)
		_ = s.file.Close() // nothing was written by it
	}
}
