package postgres

import "context"

// Read implements [sqlstore.Engine]. While no row was handed out, a broken
// connection is tried again. A caller that leaves gets no more rows; those that
// are on their way are read and dropped, which keeps the connection, see
// [Engine.outlast].
func (e *Engine) Read(ctx context.Context, query string, args []any, row func(scan func(dest ...any) error) error) error {
	const op = "read"
	for try := 1; ; try++ {
		given, err := e.readOnce(ctx, query, args, row)
		if err == nil {
			return nil
		}
		again := !given && (unsent(err) || lost(err) || rolledBack(err))
		if !again || try == maxTries || ctx.Err() != nil {
			return fault(ctx, op, err)
		}
		if err := pause(ctx, try); err != nil {
			return fault(ctx, op, err)
		}
	}
}

func (e *Engine) readOnce(caller context.Context, query string, args []any, row func(scan func(dest ...any) error) error) (given bool, err error) {
	conn, err := e.acquire(caller)
	if err != nil {
		return false, err
	}
	ctx, end := e.outlast(caller)
	defer end()
	ctx, heard := e.listen(ctx)
	defer func() { err = heard(err); e.part(conn) }()
	rows, err := conn.Query(ctx, query, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := caller.Err(); err != nil {
			return given, err
		}
		given = true
		if err := row(rows.Scan); err != nil {
			return true, err
		}
	}
	return given, rows.Err()
}
