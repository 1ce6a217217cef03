package sqlite

import (
	"context"
	"time"
)

// Read runs a query on a connection of its own, which sees the last commit. The
// caller's context ends the wait for a connection, and the query between rows.
func (e *Engine) Read(ctx context.Context, query string, args []any, row func(scan func(dest ...any) error) error) error {
	const op = "read"
	if !e.enter() {
		return unavailable(op, errClosed)
	}
	defer e.running.Done()
	if err := ctx.Err(); err != nil {
		return translate(op, err)
	}
	var c *conn
	select {
	case c = <-e.readers:
	case <-ctx.Done():
		return translate(op, ctx.Err())
	}
	defer func() { e.readers <- c }()
	var err error
	if c == nil {
		if c, err = dial(dsn(e.path, "&_pragma=query_only(1)")); err != nil {
			return translate(op, err)
		}
	}
	given := false
	var values []any
	fill := func(dest ...any) error { return scan(values, dest) }
	for try := 1; ; try++ {
		err = c.query(query, args, func(v []any) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			given, values = true, v
			return row(fill)
		})
		// Another process may be making or recovering the log, which SQLite's own
		// wait does not always cover.
		if given || !isBusy(err) || try == maxTries {
			return translate(op, err)
		}
		time.Sleep(time.Duration(try) * 5 * time.Millisecond)
	}
}
