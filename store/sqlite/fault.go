package sqlite

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"idp/store"
)

func unavailable(op string, err error) error {
	return &store.Error{Code: store.Unavailable, Op: op, Err: err}
}

// translate gives SQLite's errors the store's codes. A caller's cancellation is
// passed through; what is neither is a bug, and stays what it is.
func translate(op string, err error) error {
	var known *store.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", op, err)
	}
	switch code := codeOf(err); code {
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY, lib.SQLITE_CONSTRAINT_ROWID:
		return &store.Error{Code: store.Conflict, Op: op, Err: err}
	default:
		switch code & 0xff { // the primary code
		case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_FULL, lib.SQLITE_READONLY, lib.SQLITE_IOERR, lib.SQLITE_CANTOPEN,
			lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB, lib.SQLITE_NOMEM, lib.SQLITE_PERM, lib.SQLITE_PROTOCOL:
			return unavailable(op, err)
		}
	}
	return fmt.Errorf("%s: %w", op, err)
}

// isBusy tells whether another process holds the file.
func isBusy(err error) bool {
	code := codeOf(err) & 0xff
	return code == lib.SQLITE_BUSY || code == lib.SQLITE_LOCKED
}

// codeOf is the extended result code of SQLite; 0 for other errors.
func codeOf(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}
