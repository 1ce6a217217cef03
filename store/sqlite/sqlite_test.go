package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"idp/store"
	"idp/store/sqlite"
	"idp/store/sqlstore"
	"idp/store/storetest"
)

func open(t *testing.T, path string) *sqlite.Engine {
	t.Helper()
	e, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func TestEngine(t *testing.T) {
	t.Parallel()
	storetest.RunEngine(t, func(t *testing.T) func() storetest.Migrator {
		path := filepath.Join(t.TempDir(), "data", "idp.db")
		return func() storetest.Migrator { return open(t, path) }
	})
}

// The file and its folder are for this user only.
func TestFileModes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "idp.db")
	open(t, path)
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want %v", name, info.Mode(), err, want)
		}
	}
}

// A script that fails in a group commit fails alone.
func TestGroupCommitFailsAlone(t *testing.T) {
	t.Parallel()
	e := open(t, filepath.Join(t.TempDir(), "idp.db"))
	var table sqlstore.Script
	table.Do(`CREATE TABLE t (id INTEGER PRIMARY KEY)`)
	if err := e.Run(t.Context(), &table); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	errs := make([]error, 200)
	for i := range errs {
		wg.Go(func() {
			var s sqlstore.Script
			s.Do(`INSERT INTO t (id) VALUES ($1)`, i)
			if i%10 == 0 {
				s.Do(`INSERT INTO t (id) VALUES ($1)`, i) // breaks, after the first one was written
			}
			errs[i] = e.Run(context.Background(), &s)
		})
	}
	wg.Wait()
	for i, err := range errs {
		if want := i%10 == 0; (store.CodeOf(err) == store.Conflict) != want {
			t.Errorf("script %d: %v", i, err)
		}
	}
	var n int
	if err := e.Read(t.Context(), `SELECT COUNT(*) FROM t`, nil, func(scan func(...any) error) error { return scan(&n) }); err != nil || n != 180 {
		t.Errorf("%d rows, want 180 (%v)", n, err)
	}
}

// A server and the command line write to one file at once, from two processes.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	if path := os.Getenv("SQLITE_TEST_PATH"); path != "" {
		e := open(t, path)
		for range 200 {
			var s sqlstore.Script
			s.Do(`UPDATE counter SET n = n + 1`)
			if err := e.Run(t.Context(), &s); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	path := filepath.Join(t.TempDir(), "idp.db")
	e := open(t, path)
	var s sqlstore.Script
	s.Do(`CREATE TABLE counter (n INTEGER NOT NULL)`)
	s.Do(`INSERT INTO counter VALUES (0)`)
	if err := e.Run(t.Context(), &s); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestTwoProcesses$")
			cmd.Env = append(os.Environ(), "SQLITE_TEST_PATH="+path)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	var n int
	if err := e.Read(t.Context(), `SELECT n FROM counter`, nil, func(scan func(...any) error) error { return scan(&n) }); err != nil || n != 600 {
		t.Errorf("counted %d, want 600 (%v)", n, err)
	}
}

func TestOneServerPerFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "idp.db")
	release, err := sqlite.Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = sqlite.Lock(path)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("the second server got %v", err)
	}
	release()
	if release, err = sqlite.Lock(path); err != nil {
		t.Error(err)
	} else {
		release()
	}
}

func TestClosedAndBroken(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "idp.db")
	e := open(t, path)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	var s sqlstore.Script
	s.Do(`SELECT 1`)
	if err := e.Run(t.Context(), &s); store.CodeOf(err) != store.Unavailable {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); store.CodeOf(err) != store.Unavailable {
		t.Error(err)
	}
}
