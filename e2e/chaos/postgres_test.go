//go:build chaos

package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"idp/e2e/rig"
	"idp/store/pgtest"
)

// cluster starts a Postgres of the test's own, with fsync: what it says is on the disk is there.
func cluster(t *testing.T, env ...string) *pgtest.Cluster {
	t.Helper()
	c, err := pgtest.Start(pgtest.Options{Fsync: true, Env: env})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Stop() })
	return c
}

// on prepares an installation on a database of its own; url is what the server is told, look what
// the oracle looks by.
func on(t *testing.T, url, look string, env ...string) *rig.Server {
	t.Helper()
	s := rig.Install(t, "postgres", append([]string{"IDP_DATABASE_URL=" + url}, append(wide, env...)...)...)
	s.Database = look
	return s
}

// postgresKilled kills Postgres at the moment of each step of somebody's sign-in, while others
// are in theirs.
func postgresKilled(t *testing.T) {
	pg := cluster(t)
	s := on(t, pg.URL()+"&pool_max_conns=10", pg.URL())
	c := newCrowd(t, s)
	s.Start()
	c.register()
	const rounds, down = 4, 400 * time.Millisecond
	for _, step := range steps {
		before, back := c.count(), time.Duration(0)
		c.come(3)
		c.until(3)
		for n := range rounds {
			up := make(chan time.Time, 1)
			p := c.person(func(at string) {
				if at != step {
					return
				}
				kill := func() {
					if err := pg.Kill(); err != nil {
						t.Error(err)
					}
				}
				if n%2 == 0 {
					kill() // the request meets no database
				}
				go func() {
					if n%2 == 1 {
						time.Sleep(rand.N(3 * time.Millisecond)) // before, in and after the statement
						kill()
					}
					time.Sleep(down)
					if err := pg.Restart(); err != nil {
						t.Error(err)
					}
					up <- time.Now()
				}()
			})
			_ = c.signIn(p) // what is wrong is counted
			select {
			case at := <-up:
				back = max(back, p.done[step].Sub(at))
			case <-time.After(patience):
				t.Fatalf("%s was not reached, or Postgres does not come back", step)
			}
		}
		c.until(3)
		c.leave()
		after, v := c.since(before), c.look()
		add(t, row{Fault: "Postgres killed (-9) and started again", Where: step, Expected: "503 with Retry-After, then the step goes on where it stood",
			Seen: seen(fmt.Sprintf("killed %d times", rounds), after, v), Back: back, Tally: after, Verdict: v})
	}
}
