package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlite"
	"idp/store/sqlstore"
)

// TestMain plays another process on the same file: with a variable set the test
// binary migrates the file and adds to a counter instead of testing, or writes beside a disk that fails.
func TestMain(m *testing.M) {
	if when := os.Getenv("SQLITE_TEST_FAILING_DISK"); when != "" {
		writeBesideFailingDisk(os.Getenv("SQLITE_TEST_FILE"), when == "closing")
		return
	}
	path := os.Getenv("SQLITE_TEST_OTHER")
	if path == "" {
		os.Exit(m.Run())
	}
	n, err := beOther(path)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(n)
}

func beOther(path string) (int, error) {
	ctx := context.Background()
	e, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return 0, err
	}
	if err := e.Migrate(ctx); err != nil {
		return 0, err
	}
	n, err := count(ctx, e)
	if err != nil {
		return n, err
	}
	return n, e.Close()
}

// count raises the epoch, a number that happens to be in the schema, and tells how often: less
// often on a slow disk, where the others, who are not let in between, would wait for too long.
func count(ctx context.Context, e *sqlite.Engine) (n int, err error) {
	for end := time.Now().Add(1500 * time.Millisecond); n < 100 && time.Now().Before(end); n++ {
		var s sqlstore.Script
		s.Do(`UPDATE instance SET epoch = epoch + 1 WHERE id = 1`)
		if err := e.Run(ctx, &s); err != nil {
			return n, err
		}
	}
	return n, nil
}

// Processes that start at once on a file that does not exist yet, all migrating
// and writing, lose nothing of each other.
func TestProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "idp.db")
	var wg sync.WaitGroup
	var counted atomic.Int64
	for range 3 {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "SQLITE_TEST_OTHER="+path)
			out, err := cmd.CombinedOutput()
			n, wrong := strconv.Atoi(strings.TrimSpace(string(out)))
			if err != nil || wrong != nil {
				t.Errorf("other process: %v: %s", err, out)
			}
			counted.Add(int64(n))
		})
	}
	e := reopen(t, path)
	t.Cleanup(func() { _ = e.Close() })
	if err := e.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		wg.Go(func() {
			n, err := count(t.Context(), e)
			if err != nil {
				t.Error(err)
			}
			counted.Add(int64(n))
		})
	}
	wg.Wait()
	var epoch int64
	var check string
	for query, dest := range map[string]any{`SELECT epoch FROM instance`: &epoch, `PRAGMA integrity_check`: &check} {
		if err := e.Read(t.Context(), query, nil, func(scan func(...any) error) error { return scan(dest) }); err != nil {
			t.Fatal(err)
		}
	}
	if epoch != 1+counted.Load() || counted.Load() < 7 || check != "ok" {
		t.Errorf("epoch %d, want %d; integrity %s", epoch, 1+counted.Load(), check)
	}
	for name, want := range map[string]os.FileMode{".": os.ModeDir | 0o700, "idp.db": 0o600, "idp.db-wal": 0o600, "idp.db-shm": 0o600} {
		info, err := os.Stat(filepath.Join(filepath.Dir(path), name))
		if err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

// Close waits for what was handed in before it.
func TestCloseDrains(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "idp.db")
	e := reopen(t, path)
	if err := e.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	want := 1
	for range 100 {
		wg.Go(func() {
			var s sqlstore.Script
			s.Do(`UPDATE instance SET epoch = epoch + 1 WHERE id = 1`)
			err := e.Run(context.Background(), &s)
			if err != nil && store.CodeOf(err) != store.Unavailable {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				want++
			}
		})
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	e = reopen(t, path)
	defer func() { _ = e.Close() }()
	var epoch int
	if err := e.Read(t.Context(), `SELECT epoch FROM instance`, nil, func(scan func(...any) error) error { return scan(&epoch) }); err != nil || epoch != want {
		t.Errorf("%d scripts are in the file, %d were told so (%v)", epoch-1, want-1, err)
	}
}

// A caller that goes away while the writer waits for another process leaves no trace.
func TestGoneWhileWaiting(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "idp.db")
	e := reopen(t, path)
	t.Cleanup(func() { _ = e.Close() })
	if err := e.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	add := func(ctx context.Context, n int) error {
		var s sqlstore.Script
		s.Do(`UPDATE instance SET epoch = epoch + $1 WHERE id = 1`, n)
		return e.Run(ctx, &s)
	}
	first := make(chan error, 1)
	before := e.Stats().Commits
	go func() { first <- add(context.Background(), 1) }()
	for e.Stats().Commits == before { // until the writer has picked it up, and waits for the file
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := add(ctx, 1000); !errors.Is(err, context.DeadlineExceeded) || store.CodeOf(err) != "" {
		t.Errorf("a caller who has gone: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-first; err != nil {
		t.Errorf("the one that waited for the file: %v", err)
	}
	var epoch int
	if err := e.Read(t.Context(), `SELECT epoch FROM instance`, nil, func(scan func(...any) error) error { return scan(&epoch) }); err != nil || epoch != 2 {
		t.Errorf("epoch %d, %v; want 2: the script of one who had gone was run", epoch, err)
	}
}

// One server per file; the second is told who the first is.
func TestLockSaysWho(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "idp.db")
	release, err := sqlite.Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Lock(path); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("another idp (process %d) serves", os.Getpid())) {
		t.Errorf("the second lock: %v", err)
	}
	release()
	release, err = sqlite.Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	release()
}

// A file has one lock, whatever leads to it: else a server and a copy would each believe that they are alone.
func TestLockBehindALink(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "idp.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	release, err := sqlite.Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := sqlite.Lock(link); err == nil {
		second()
		t.Error("the file is locked twice")
	}
	release()
}

// A file that cannot grow is a database that is away; and it is back afterwards.
func TestFull(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "idp.db")
	e := reopen(t, path)
	t.Cleanup(func() { _ = e.Close() })
	if err := e.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	run := func(sql string, args ...any) error {
		var s sqlstore.Script
		s.Do(sql, args...)
		return e.Run(t.Context(), &s)
	}
	add := `INSERT INTO inbox (id, sealed, created_at) VALUES ($1, $2, 1)`
	if err := run(`PRAGMA max_page_count = 60`); err != nil {
		t.Fatal(err)
	}
	if err := run(add, []byte("big"), make([]byte, 1<<20)); store.CodeOf(err) != store.Unavailable {
		t.Errorf("a full file: %v", err)
	}
	if err := run(`PRAGMA max_page_count = 100000`); err != nil {
		t.Fatal(err)
	}
	if err := run(add, []byte("big"), make([]byte, 1<<20)); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
