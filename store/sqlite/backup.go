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
// the disk, and gives its size in bytes. Servers go on meanwhile. An existing file stays,
// also an empty one: the error is [fs.ErrExist].
func Backup(ctx context.Context, path, to string) (size int64, err error) {
	if info, err := os.Stat(to); err == nil {
		if info.Mode().IsRegular() && info.Size() == 0 {
			// Another backup may be about to fill it (see place), so it is not ours to remove.
			return 0, fmt.Errorf("%s: %w, and is empty: if no other backup runs, one was interrupted; remove it", to, fs.ErrExist)
		}
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
	if err := place(part, to, os.Link); err != nil {
		return 0, err
	}
	return info.Size(), syncFolder(filepath.Dir(to))
}

// place gives a file another name, which nothing has. A link, unlike a rename, never replaces what
// is there. Where the file system has no links (FAT, many network shares), the name is taken by an
// empty file first, which only its maker gets, and the rename replaces that. One that is killed between
// the two leaves the empty file, which the next is told of.
func place(part, to string, link func(from, to string) error) error {
	err := link(part, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	taken, openErr := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if openErr != nil {
		if errors.Is(openErr, fs.ErrExist) {
			return openErr
		}
		return err
	}
	if err := errors.Join(taken.Close(), os.Rename(part, to)); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return nil
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
