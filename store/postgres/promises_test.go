package postgres_test

import (
	"context"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"idp/store"
	"idp/store/enginetest"
	"idp/store/pgtest"
	"idp/store/postgres"
	"idp/store/sqlstore"
)

func openWith(t *testing.T, url string, o postgres.Options) *postgres.Engine {
	t.Helper()
	e, err := postgres.Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestPromises(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]postgres.Options{"direct": {}, "pooler": {NoStatementCache: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			enginetest.Run(t, "BYTEA", func(t *testing.T) func() sqlstore.Engine {
				url := pgtest.URL(t)
				return func() sqlstore.Engine { return openWith(t, url, o) }
			})
		})
	}
}

// beside is a connection next to the engine's.
func beside(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func script(idempotent bool, statements ...string) *sqlstore.Script {
	s := &sqlstore.Script{Idempotent: idempotent}
	for _, sql := range statements {
		s.Do(sql)
	}
	return s
}

// A connection that is cut under a script costs that script, unless it may be
// sent again, and nothing else.
func TestCutUnderAScript(t *testing.T) {
	t.Parallel()
	for _, idempotent := range []bool{false, true} {
		url := pgtest.URL(t)
		e := openWith(t, url, postgres.Options{})
		t.Cleanup(func() { _ = e.Close() })
		conn := beside(t, url)
		if _, err := conn.Exec(t.Context(), `CREATE TABLE t (n INT); INSERT INTO t VALUES (0); CREATE TABLE gate (pid INT)`); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			done <- e.Run(context.Background(), script(idempotent, `UPDATE t SET n = n + 1`, `SELECT pg_sleep(CASE WHEN EXISTS (SELECT 1 FROM gate) THEN 0 ELSE 9 END)`))
		}()
		const asleep = ` FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.relation = 't'::regclass AND a.wait_event = 'PgSleep'`
		until(t, conn, `SELECT COUNT(*)`+asleep)
		var pid int
		if err := conn.QueryRow(t.Context(), `INSERT INTO gate SELECT l.pid`+asleep+` RETURNING pid`).Scan(&pid); err != nil {
			t.Fatal(err)
		}
		var cut bool
		if err := conn.QueryRow(t.Context(), `SELECT pg_terminate_backend($1)`, pid).Scan(&cut); err != nil {
			t.Fatal(err)
		}
		err := <-done
		if want := map[bool]store.Code{false: store.Unavailable, true: ""}[idempotent]; !cut || store.CodeOf(err) != want || (err != nil && want == "") {
			t.Errorf("idempotent %t, cut %t: %v", idempotent, cut, err)
		}
		if err := e.Run(t.Context(), script(false, `UPDATE t SET n = n + 10`)); err != nil {
			t.Errorf("after the cut: %v", err)
		}
		var n int
		if err := conn.QueryRow(t.Context(), `SELECT n FROM t`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if want := map[bool]int{false: 10, true: 11}[idempotent]; n != want {
			t.Errorf("idempotent %t: n is %d, want %d", idempotent, n, want)
		}
	}
}

// All pooled connections die at once while nobody uses them, as in a failover.
func TestIdleConnectionsCut(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	e := openWith(t, url, postgres.Options{})
	t.Cleanup(func() { _ = e.Close() })
	conn := beside(t, url)
	if _, err := conn.Exec(t.Context(), `CREATE TABLE t (pid INT)`); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := e.Run(t.Context(), script(false, `INSERT INTO t SELECT pg_backend_pid()`, `SELECT pg_sleep(0.05)`)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	time.Sleep(1100 * time.Millisecond) // the pool asks a connection that idled for a second whether it lives
	if _, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM t`); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if err := e.Run(t.Context(), script(false, `INSERT INTO t SELECT 1`)); err != nil {
			t.Error(err)
		}
	}
}

// Two scripts that lock crosswise: the server rolls one back, the engine sends it again.
func TestDeadlock(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	e := openWith(t, url+"&deadlock_timeout=50ms", postgres.Options{})
	t.Cleanup(func() { _ = e.Close() })
	conn := beside(t, url)
	if _, err := conn.Exec(t.Context(), `CREATE TABLE t (id INT, n INT); INSERT INTO t VALUES (1, 0), (2, 0)`); err != nil {
		t.Fatal(err)
	}
	one, two := `UPDATE t SET n = n + 1 WHERE id = 1`, `UPDATE t SET n = n + 1 WHERE id = 2`
	var wg sync.WaitGroup
	for _, s := range []*sqlstore.Script{script(false, one, `SELECT pg_sleep(0.1)`, two), script(false, two, `SELECT pg_sleep(0.1)`, one)} {
		wg.Go(func() {
			if err := e.Run(t.Context(), s); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var n int
	if err := conn.QueryRow(t.Context(), `SELECT SUM(n) FROM t`).Scan(&n); err != nil || n != 4 {
		t.Errorf("sum %d, %v", n, err)
	}
}

// Nobody listens, nobody answers, no connection is free, a statement hangs: the
// database is away.
func TestSilentAndBusy(t *testing.T) {
	t.Parallel()
	nowhere := openWith(t, "postgres:///postgres?user=postgres&host="+url.QueryEscape(filepath.Join("/tmp", "nobody-there")), postgres.Options{})
	t.Cleanup(func() { _ = nowhere.Close() })
	if err := nowhere.Run(t.Context(), script(true, `SELECT 1`)); store.CodeOf(err) != store.Unavailable {
		t.Errorf("no socket: %v", err)
	}
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mute.Close() }()
	silent := openWith(t, "postgres://postgres@"+mute.Addr().String()+"/postgres?sslmode=disable&connect_timeout=1", postgres.Options{})
	t.Cleanup(func() { _ = silent.Close() })
	if err := silent.Run(t.Context(), script(true, `SELECT 1`)); store.CodeOf(err) != store.Unavailable {
		t.Errorf("a host that is silent: %v", err)
	}
	e := openWith(t, pgtest.URL(t)+"&pool_max_conns=1", postgres.Options{StatementTimeout: 200 * time.Millisecond})
	t.Cleanup(func() { _ = e.Close() })
	if err := e.Run(t.Context(), script(false, `SELECT pg_sleep(5)`)); store.CodeOf(err) != store.Unavailable {
		t.Errorf("a statement that hangs: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := e.Run(ctx, script(false, `SELECT pg_sleep(0.15)`)); store.CodeOf(err) != store.Unavailable || ctx.Err() == nil {
		t.Errorf("a caller who has no more time: %v", err)
	}
}

// A migration waits for a table no longer than its lock timeout, and comes back.
func TestMigrationStatus(t *testing.T) {
	t.Parallel()
	e := openWith(t, pgtest.URL(t), postgres.Options{})
	t.Cleanup(func() { _ = e.Close() })
	for i := range 2 {
		list, err := e.MigrationStatus(t.Context())
		if err != nil || len(list) == 0 || list[0].Version != 1 || list[0].Name != "00001_first.sql" || list[0].Applied != (i == 1) {
			t.Errorf("status %+v, %v", list, err)
		}
		if i == 1 && time.Since(list[0].AppliedAt).Abs() > time.Minute {
			t.Errorf("applied at %s", list[0].AppliedAt)
		}
		if err := e.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
