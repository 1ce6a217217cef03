package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

// prepareFile makes the folder and the file for this user only. SQLite gives its
// write-ahead log the mode of the file.
//
// The file is made under another name first and never opened under its own: when
// a process closes any handle of a file, it loses all POSIX locks it holds on it,
// also those of a SQLite connection opened meanwhile.
func prepareFile(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	f, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	err = errors.Join(f.Close(), os.Link(f.Name(), path))
	if errors.Is(err, fs.ErrExist) {
		err = nil // another process was faster
	}
	return errors.Join(err, os.Remove(f.Name()))
}

// dsn names the file for the driver, with the settings of every connection.
func dsn(path, extra string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + fmt.Sprintf("?_pragma=busy_timeout(%d)", busyTimeout.Milliseconds()) +
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)" +
		// What is deleted is overwritten: an account, and the key of its entries in the
		// audit log, are not to be read in the file any more.
		"&_pragma=secure_delete(1)" +
		// Savepoints keep undo records beside the log; in a file they cost a quarter
		// of all CPU time.
		"&_pragma=temp_store(memory)" + extra
}

// openSQL is a handle beside the engine's connections, for goose.
func openSQL(path string) (*sql.DB, error) {
	return sql.Open("sqlite", dsn(path, "&_txlock=immediate"))
}
