package sqlite

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Lock takes the file's server lock (path.lock), which one `idp serve` holds at a
// time: two servers on one file would each believe their caches. The lock goes
// with the process, however it ends.
func Lock(path string) (release func(), err error) {
	// A link to the file leads to the same lock. One that leads nowhere yet is its own.
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		pid, _ := io.ReadAll(io.LimitReader(f, 20))
		_ = f.Close()
		who := "another idp"
		if p := strings.TrimSpace(string(pid)); p != "" {
			who += " (process " + p + ")"
		}
		return nil, fmt.Errorf("%s serves %s already: stop it, or give this one another IDP_DATA_DIR", who, path)
	}
	if err := f.Truncate(0); err == nil {
		_, _ = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return func() { _ = f.Close() }, nil
}

// waitLock takes an exclusive lock on path, waiting for it.
func waitLock(ctx context.Context, path string) (release func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		select {
		case <-ctx.Done():
			_ = f.Close()
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
