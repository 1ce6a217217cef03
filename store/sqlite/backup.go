package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup writes the database at path into a new file, as it is at one moment, whole and on
// the disk, and gives its size in bytes. Servers go on meanwhile. An existing file stays:
// the error is [fs.ErrExist].
func Backup(ctx context.Context, path, to string) (size int64, err error) {
	if _, err := os.Stat(to); err == nil {
		return 0, fmt.Errorf("%s: %w", to, fs.ErrExist)
	}
	dir, err := os.MkdirTemp(filepath.Dir(to), ".backup-*") // mode 0700
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	part := filepath.Join(dir, "idp.db")
	db, err := openSQL(path)
	if err != nil {
		return 0, err
	}
	_, err = db.ExecContext(ctx, `VACUUM INTO $1`, part)
	if err := errors.Join(err, db.Close()); err != nil {
		return 0, err
	}
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	err = errors.Join(f.Chmod(0o600), f.Sync())
	info, statErr := f.Stat()
	if err := errors.Join(err, statErr, f.Close()); err != nil {
		return 0, err
	}
	// A link, unlike a rename, never replaces a file that is there.
	if err := os.Link(part, to); err != nil {
		return 0, err
	}
	return info.Size(), syncFolder(filepath.Dir(to))
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
