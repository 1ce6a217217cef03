package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"idp/store"
)

// awayError is a database that is away for this request: the pool could not give
// a connection, or no answer came in time. It is not tried again: it took long enough.
type awayError struct{ err error }

func (e *awayError) Error() string { return e.err.Error() }
func (e *awayError) Unwrap() error { return e.err }

// rolledBack is whether the server answered that it undid the script because of
// what others did: serialization failure, deadlock, or an account that a row was to
// belong to and that has just gone: sent again, the script sees that it has.
func rolledBack(err error) bool {
	switch stateOf(err) {
	case "40001", "40P01", "23503":
		return true
	}
	return false
}

// unsent is whether the connection broke before it took any of the script. A
// pool that gives no connection is not that: it has tried for long enough.
func unsent(err error) bool {
	var away *awayError
	return !errors.As(err, &away) && pgconn.SafeToRetry(err)
}

// lost is whether the connection broke while the script was on its way, so that
// nobody knows whether it was committed.
func lost(err error) bool {
	var away *awayError
	if errors.As(err, &away) {
		return false
	}
	if state := stateOf(err); state != "" {
		// 57P01, 57P02: the server was told to shut down, or another process of it crashed.
		return state == "57P01" || state == "57P02" || strings.HasPrefix(state, "08")
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, pgconn.ErrConnClosed)
}

// away is whether an SQLSTATE means that the database cannot answer now
// (appendix A of the Postgres manual).
func away(state string) bool {
	switch state {
	case "57014", // statement_timeout
		"55P03", // lock_timeout
		"25006": // a standby: it was the primary a moment ago
		return true
	}
	for _, class := range []string{
		"08", // connection
		"40", // rolled back, and again each time
		"53", // no disk, no memory, no connection slot left
		"57", // shutdown, crash, still starting
		"58", // I/O error of the server's system
	} {
		if strings.HasPrefix(state, class) {
			return true
		}
	}
	return false
}

func stateOf(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// fault makes the error that leaves the engine. The end of ctx by a cancellation is
// passed through as such; a deadline, whoever set it, means that the database was
// too slow; what is neither is a bug, and stays what it is.
func fault(ctx context.Context, op string, err error) error {
	if ctxErr := ctx.Err(); errors.Is(ctxErr, context.Canceled) {
		return fmt.Errorf("%s: %w", op, ctxErr)
	}
	var known *store.Error
	var pool *awayError
	var connect *pgconn.ConnectError
	state := stateOf(err)
	switch {
	case errors.As(err, &known): // a step that needed a row
		return known
	case state == "23505":
		return &store.Error{Code: store.Conflict, Op: op, Err: err}
	case errors.As(err, &pool), errors.As(err, &connect), away(state), lost(err), pgconn.SafeToRetry(err), pgconn.Timeout(err), errors.Is(err, context.DeadlineExceeded):
		return &store.Error{Code: store.Unavailable, Op: op, Err: err}
	}
	return fmt.Errorf("%s: %w", op, err)
}
