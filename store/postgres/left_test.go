package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"idp/store"
	"idp/store/pgtest"
	"idp/store/postgres"
	"idp/store/sqlstore"
)

// backend is the process of the server that answers: with one connection in the pool, the
// same one as long as that is kept.
func backend(t *testing.T, e *postgres.Engine) (pid int64) {
	t.Helper()
	err := e.Read(t.Context(), `SELECT CAST(pg_backend_pid() AS BIGINT)`, nil, func(scan func(...any) error) error { return scan(&pid) })
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// until waits for a count to be 1.
func until(t *testing.T, conn *pgx.Conn, query string, args ...any) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		var n int
		if err := conn.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n == 1 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("never: %s", query)
		}
	}
}

// Callers leave while the server has, or is about to have, done what they want and its answer
// is on its way. It is done, they hear of it, and the connection is used again.
func TestLeftBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	line := pgtest.NewLine(t, url)
	e, conn := open(t, line.URL+"&pool_max_conns=1"), beside(t, url)
	if _, err := conn.Exec(t.Context(), `CREATE TABLE t (n BIGINT)`); err != nil {
		t.Fatal(err)
	}
	const reading, writing = `SELECT CAST(COUNT(*) AS BIGINT) FROM t`, `INSERT INTO t VALUES ($1) RETURNING n`
	var prepared sqlstore.Script
	prepared.Do(writing, 0)
	if err := e.Run(t.Context(), &prepared); err != nil {
		t.Fatal(err)
	}
	pid := backend(t, e)
	active := `SELECT COUNT(*) FROM pg_stat_activity WHERE pid = $1 AND query LIKE $2`
	var last int64
	for _, c := range []struct {
		name   string
		call   func(ctx context.Context) error
		begun  string
		args   []any
		canEnd bool // before it is done
	}{
		{"script", func(ctx context.Context) error {
			s := &sqlstore.Script{}
			step := s.Do(writing, 1).Into(&last)
			err := e.Run(ctx, s)
			if step.Rows != 1 || last != 1 {
				t.Errorf("%d rows, %d: the caller did not get what was done", step.Rows, last)
			}
			return err
		}, `SELECT COUNT(*) FROM t WHERE n = 1`, nil, false},
		{"checked script", func(ctx context.Context) error {
			s := &sqlstore.Script{}
			s.Do(writing, 2).Need("test", store.NotFound)
			return e.Run(ctx, s)
		}, active, []any{pid, "begin%"}, false},
		{"read", func(ctx context.Context) error {
			return e.Read(ctx, reading, nil, func(scan func(...any) error) error { return scan(&last) })
		}, active, []any{pid, reading}, true},
	} {
		ctx, leave := context.WithCancel(t.Context())
		release := line.Hold()
		done := make(chan error, 1)
		go func() { done <- c.call(ctx) }()
		until(t, conn, c.begun, c.args...)
		leave()
		select {
		case err := <-done:
			t.Errorf("%s: nobody waited for the answer: %v", c.name, err)
			release()
		case <-time.After(50 * time.Millisecond):
			release()
			if err := <-done; (err != nil) && !(c.canEnd && errors.Is(err, context.Canceled)) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if now := backend(t, e); now != pid {
			t.Errorf("%s: connection %d is gone, and %d was made", c.name, pid, now)
			pid = now
		}
	}
	until(t, conn, `SELECT COUNT(*) FROM t WHERE n = 2`)
}

// Who leaves while others have all connections does not wait for one.
func TestLeftInTheQueue(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	line := pgtest.NewLine(t, url)
	e, conn := open(t, line.URL+"&pool_max_conns=1"), beside(t, url)
	if _, err := conn.Exec(t.Context(), `CREATE TABLE t (n BIGINT)`); err != nil {
		t.Fatal(err)
	}
	if err := e.Run(t.Context(), script(false, `DELETE FROM t`, `INSERT INTO t VALUES (1)`)); err != nil { // prepared now
		t.Fatal(err)
	}
	release := line.Hold()
	first := make(chan error, 1)
	go func() {
		first <- e.Run(context.Background(), script(false, `DELETE FROM t`, `INSERT INTO t VALUES (1)`, `INSERT INTO t VALUES (1)`))
	}()
	until(t, conn, `SELECT COUNT(*) - 1 FROM t`)
	ctx, leave := context.WithTimeout(t.Context(), time.Hour)
	second := make(chan error, 1)
	go func() { second <- e.Run(ctx, script(false, `INSERT INTO t VALUES (2)`)) }()
	time.Sleep(20 * time.Millisecond)
	leave()
	if err := <-second; !errors.Is(err, context.Canceled) || store.CodeOf(err) != "" {
		t.Errorf("got %v", err)
	}
	release()
	if err := <-first; err != nil {
		t.Error(err)
	}
	until(t, conn, `SELECT COUNT(*) - 1 FROM t`)
}

// A process that stops waits for nobody who has left: neither when it is told to hurry, nor
// when it closes.
func TestHurry(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	for _, name := range []string{"hurry", "close"} {
		line := pgtest.NewLine(t, url)
		e, conn := openWith(t, line.URL+"&pool_max_conns=2&application_name="+name, postgres.Options{}), beside(t, url)
		backend(t, e)
		release := line.Hold()
		ctx, leave := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- e.Run(ctx, script(true, `SELECT 'left'`)) }()
		until(t, conn, `SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = $1 AND query LIKE '%left%'`, name)
		leave()
		select {
		case err := <-done:
			t.Errorf("before it was told: %v", err)
			done <- err
		case <-time.After(50 * time.Millisecond):
		}
		start := time.Now()
		closed := make(chan error, 1)
		if name == "hurry" {
			e.Hurry()
			e.Hurry() // again
			closed <- nil
		} else {
			go func() { closed <- e.Close() }()
		}
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		if err := <-closed; err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 8*time.Second { // the answer would be waited for for thirteen
			t.Errorf("%s took %s", name, took)
		}
		release()
		_ = e.Close()
	}
}
