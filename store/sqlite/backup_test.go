package sqlite_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"idp/store/sqlite"
)

// A backup gets its name, and takes nobody else's, on file systems with links and without.
func TestBackupIsPlaced(t *testing.T) {
	t.Parallel()
	none := func(from, to string) error { return &os.LinkError{Op: "link", Old: from, New: to, Err: syscall.EPERM} } // as FAT has it
	for name, link := range map[string]func(from, to string) error{"links": os.Link, "no links": none} {
		dir := t.TempDir()
		part, to := filepath.Join(dir, "part"), filepath.Join(dir, "backup.db")
		write := func(path, text string) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		has := func(path, text string) {
			t.Helper()
			if got, err := os.ReadFile(path); err != nil || string(got) != text {
				t.Errorf("%s: %s has %q, %v", name, filepath.Base(path), got, err)
			}
		}
		write(part, "first")
		if err := sqlite.PlaceForTest(part, to, link); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		has(to, "first")
		_ = os.Remove(part) // which is another name of the backup, or gone
		write(part, "second")
		if err := sqlite.PlaceForTest(part, to, link); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: over another file: %v", name, err)
		}
		has(to, "first")
		// What cannot be placed leaves no empty file that looks like a backup.
		gone := filepath.Join(dir, "other.db")
		if err := sqlite.PlaceForTest(filepath.Join(dir, "nothing"), gone, link); err == nil {
			t.Errorf("%s: nothing was placed", name)
		}
		if _, err := os.Stat(gone); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
