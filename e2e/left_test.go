package e2e_test

import (
	"context"
	"database/sql"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"idp/e2e/rig"
	"idp/store"
	"idp/store/pgtest"
)

// Requests that are broken off while the database works on them cost no connections: those
// that there were are there afterwards.
func TestBrokenOffRequestsKeepConnections(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	line := pgtest.NewLine(t, database)
	s := rig.NewServer(t, "postgres", "IDP_DATABASE_URL="+line.URL+"&pool_max_conns=4&application_name=broken-off")
	s.Start()
	db := rig.Must(sql.Open("pgx", database))
	defer func() { _ = db.Close() }()
	crowd := func(ctx context.Context, n int) (answered int) {
		var all sync.WaitGroup
		var count atomic.Int64
		for range n {
			all.Go(func() {
				r := rig.Must(http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint+"/oidc/me", nil))
				r.Header.Set("Authorization", "Bearer "+store.RandomText(64)) // well formed: it is looked up
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					return
				}
				count.Add(1)
				if _ = resp.Body.Close(); resp.StatusCode != http.StatusUnauthorized {
					t.Errorf("status %d", resp.StatusCode)
				}
			})
		}
		all.Wait()
		return int(count.Load())
	}
	pids := func() (all string) {
		err := db.QueryRow(`SELECT string_agg(CAST(pid AS TEXT), ' ' ORDER BY pid) FROM pg_stat_activity WHERE application_name = 'broken-off'`).Scan(&all)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	for range 20 { // all connections are open, and the statement is prepared on each
		release := line.Hold()
		time.AfterFunc(100*time.Millisecond, release)
		if n := crowd(t.Context(), 16); n != 16 {
			t.Fatalf("%d of 16 were answered", n)
		}
	}
	before := pids()
	for range 5 {
		release := line.Hold()
		ctx, leave := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if n := crowd(ctx, 16); n != 0 {
			t.Errorf("%d were answered, while the database was not heard", n)
		}
		leave()
		time.Sleep(50 * time.Millisecond) // the server notices
		release()
		time.Sleep(50 * time.Millisecond)
	}
	if after := pids(); strings.Count(before, " ") != 3 || before != after {
		t.Errorf("the connections were %s and are %s", before, after)
	}
}

// A server that is told to stop while the database says nothing waits neither for its own
// work, which would give up thirteen seconds after it began, nor for the database to take
// leave of connections that nobody uses.
func TestStopsBesideASilentDatabase(t *testing.T) {
	t.Parallel()
	s, w := rig.NewWired(t)
	s.Start()
	w.Set(rig.Silent)
	time.Sleep(2 * time.Second) // it has begun to look for mails and the like
	asked := time.Now()
	_ = s.Cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.Exited:
	case <-time.After(40 * time.Second):
		t.Fatal("it did not stop")
	}
	if took := time.Since(asked); took > 9*time.Second {
		t.Errorf("it stopped after %s", took)
	}
}
