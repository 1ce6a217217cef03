package sqlite

import (
	"context"
	"fmt"
	"os"
)

// PreparedForTest prepares n different statements on a connection, and tells how many it keeps.
func PreparedForTest(path string, n int) (int, error) {
	c, err := dial(dsn(path, ""))
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.close() }()
	for i := range n {
		if err := c.query(fmt.Sprintf("SELECT %d", i), nil, func([]any) error { return nil }); err != nil {
			return 0, err
		}
	}
	return len(c.stmts), nil
}

// PlaceForTest gives a file another name.
var PlaceForTest = place

// OpenForTest opens an engine whose checkpoints are due after so many pages, and that
// never has the writer make one by itself.
func OpenForTest(ctx context.Context, path string, pages int) (*Engine, error) {
	return open(ctx, path, pages, 0)
}

// OpenAloneForTest opens an engine whose writer copies the log, of so many pages, by itself.
func OpenAloneForTest(ctx context.Context, path string, most int) (*Engine, error) {
	return open(ctx, path, 1_000_000, most)
}

// SyncForTest has another function sync the file. It is for an engine that has written nothing yet.
func (e *Engine) SyncForTest(sync func(*os.File) error) { e.checkpoints.sync = sync }

// CopyForTest has a checkpointer copy the log of the file once, without a writer's help.
func CopyForTest(path string) {
	c := newCheckpointer(logPages, 0)
	go c.run(path)
	c.due <- struct{}{}
	<-c.rest
	close(c.stop)
	<-c.stopped
	c.shared.release()
}

// LogForTest is how many pages are in the log of the file, and how many of them are not copied.
func LogForTest(path string) (pages, left int, err error) {
	c, err := dial(dsn(path, ""))
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = c.close() }()
	a, err := c.run("PRAGMA wal_checkpoint(NOOP)", nil, true)
	if err != nil {
		return 0, 0, err
	}
	pages = int(a.row[1].(int64))
	return pages, pages - int(a.row[2].(int64)), nil
}
