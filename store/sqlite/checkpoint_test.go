package sqlite_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"idp/store/sqlite"
	"idp/store/sqlstore"
)

// testPages is when a checkpoint is due in these tests.
const testPages = 50

func openWithSmallLog(t *testing.T) (e *sqlite.Engine, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "idp.db")
	e, err := sqlite.OpenForTest(t.Context(), path, testPages)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	makeSheets(t, e)
	return e, path
}

func makeSheets(t *testing.T, e *sqlite.Engine) {
	t.Helper()
	var s sqlstore.Script
	s.Do(`CREATE TABLE sheet (id INTEGER PRIMARY KEY, body BLOB NOT NULL)`)
	if err := e.Run(t.Context(), &s); err != nil {
		t.Fatal(err)
	}
}

// fill writes scripts of some five pages each, one after the other.
func fill(t *testing.T, e *sqlite.Engine, scripts int) {
	t.Helper()
	body := make([]byte, 4*4096)
	for i := range scripts {
		_, _ = rand.Read(body) // SQLite leaves a page alone whose bytes stay the same
		var s sqlstore.Script
		s.Do(`INSERT INTO sheet (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body`, i%100, body)
		if err := e.Run(t.Context(), &s); err != nil {
			t.Error(err)
			return
		}
	}
}

// Many write without a pause, and many read: the log is begun anew all the same.
func TestLogIsBegunAnewUnderLoad(t *testing.T) {
	t.Parallel()
	e, path := openWithSmallLog(t)
	const writers, scripts = 8, 120
	reading, stop := context.WithCancel(t.Context())
	var all, readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for reading.Err() == nil {
				time.Sleep(time.Millisecond) // or they would be in a read all the time, on one core
				_ = e.Read(reading, `SELECT count(*) FROM sheet`, nil, func(func(...any) error) error { return nil })
			}
		})
	}
	most := 0
	for range writers {
		all.Go(func() { fill(t, e, scripts) })
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	for writing := true; writing; {
		select {
		case <-done:
			writing = false
		case <-time.After(5 * time.Millisecond):
		}
		pages, _, err := sqlite.LogForTest(path)
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, pages)
	}
	stop()
	readers.Wait()
	t.Logf("%d pages at most", most)
	if most > writers*scripts*5/4 {
		t.Errorf("the log had %d pages", most)
	}
}

// The log is copied without the writer, who has to copy the rest of it only.
func TestLogIsCopiedBesideTheWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "idp.db")
	e, err := sqlite.OpenForTest(t.Context(), path, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	makeSheets(t, e)
	fill(t, e, 50)
	if _, left, err := sqlite.LogForTest(path); err != nil || left < 200 {
		t.Fatal(left, err)
	}
	sqlite.CopyForTest(path)
	if _, left, err := sqlite.LogForTest(path); err != nil || left != 0 {
		t.Errorf("%d pages are left: %v", left, err)
	}
}

// Nobody waits for somebody who reads for long, a backup say; once that has ended the log is begun anew.
func TestLongReadKeepsNobody(t *testing.T) {
	t.Parallel()
	e, path := openWithSmallLog(t)
	fill(t, e, 1)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	count := func() {
		if err := tx.QueryRow(`SELECT count(*) FROM sheet`).Scan(&n); err != nil || n != 1 {
			t.Fatal(n, err)
		}
	}
	count()
	fill(t, e, 8*testPages)
	count() // it still sees its moment
	during, _, err := sqlite.LogForTest(path)
	if err != nil || during < 20*testPages {
		t.Fatal(during, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); ; {
		fill(t, e, testPages/10)
		after, _, err := sqlite.LogForTest(path)
		if err != nil {
			t.Fatal(err)
		}
		if after < during/4 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d pages during the read, %d after it", during, after)
		}
	}
}

// writeBesideFailingDisk writes number after number and prints each that it was told is
// kept. The disk fails a sync once, and takes all after that. With closing the engine is told to
// close while it waits for that sync.
func writeBesideFailingDisk(path string, closing bool) {
	ctx := context.Background()
	e, err := sqlite.OpenForTest(ctx, path, testPages)
	if err != nil {
		fmt.Println(err)
		return
	}
	syncing := make(chan struct{})
	var once sync.Once
	e.SyncForTest(func(f *os.File) (err error) {
		err = f.Sync()
		once.Do(func() {
			close(syncing)
			err = syscall.EIO
			if closing {
				time.Sleep(time.Second) // until Close waits for it
			}
		})
		return err
	})
	end := func() {
		if closing {
			fmt.Println(e.Close())
		}
		time.Sleep(time.Minute) // a busy machine needs some time for the sync
	}
	for i := 1; i <= 2000; i++ {
		var s sqlstore.Script
		s.Do(`INSERT INTO sheet (id, body) VALUES ($1, $2)`, i, make([]byte, 4*4096))
		if err := e.Run(ctx, &s); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(i)
		select {
		case <-syncing:
			if closing {
				end()
			}
		default:
		}
	}
	end()
}

// What was acknowledged outlasts a disk that did not keep what was copied into the file, and
// said so once: the server ends, and the next start has all of it from the log.
func TestDiskFailsToKeep(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"serving", "closing"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			e, path := openWithSmallLog(t)
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			kept, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			server := exec.Command(os.Args[0])
			server.Env = append(os.Environ(), "SQLITE_TEST_FAILING_DISK="+when, "SQLITE_TEST_FILE="+path)
			var told, said bytes.Buffer
			server.Stdout, server.Stderr = &told, &said
			if err := server.Run(); server.ProcessState.ExitCode() != 1 || strings.Count(said.String(), "the disk failed to keep") != 1 {
				t.Errorf("the server did not end as it should: %v %s", err, said.String())
			}
			last := 0
			for _, line := range strings.Fields(told.String()) {
				if last, err = strconv.Atoi(line); err != nil {
					t.Fatal(told.String())
				}
			}
			if last == 0 {
				t.Fatal("nothing was acknowledged")
			}
			// The power goes: the file is what it was, and has nothing of what was copied.
			if err := os.WriteFile(path, kept, 0o600); err != nil {
				t.Fatal(err)
			}
			e = reopen(t, path)
			defer func() { _ = e.Close() }()
			var n int
			if err := e.Read(t.Context(), `SELECT count(*) FROM sheet WHERE id <= $1`, []any{last}, func(scan func(...any) error) error { return scan(&n) }); err != nil || n != last {
				t.Errorf("%d are there of %d that were acknowledged: %v", n, last, err)
			}
		})
	}
}

// Without a checkpointer the writer copies the log by itself, between two commits, and it is begun anew.
func TestWriterCopiesTheLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "idp.db")
	e, err := sqlite.OpenAloneForTest(t.Context(), path, testPages)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	makeSheets(t, e)
	fill(t, e, 10*testPages)
	if pages, _, err := sqlite.LogForTest(path); err != nil || pages > 2*testPages {
		t.Errorf("the log has %d pages: %v", pages, err)
	}
}
