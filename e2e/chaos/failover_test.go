//go:build chaos

package chaos_test

import (
	"fmt"
	"testing"
	"time"
)

// failover kills a primary that waits for its standby, and promotes that one; and before,
// lets the primary wait for a standby that is gone.
func failover(t *testing.T) {
	primary := cluster(t)
	standby, err := primary.Standby("second")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = standby.Stop() })
	if err := primary.WaitFor("second"); err != nil {
		t.Fatal(err)
	}
	s := on(t, fmt.Sprintf("postgres://postgres@127.0.0.1:%d,127.0.0.1:%d/postgres?sslmode=disable&target_session_attrs=read-write&pool_max_conns=10",
		primary.Port(), standby.Port()), primary.URL())
	c := newCrowd(t, s)
	s.Start()
	c.register()

	c.come(3)
	c.until(6)
	if err := standby.Kill(); err != nil {
		t.Fatal(err)
	}
	const away = 16 * time.Second // a server waits 13 for an answer
	time.Sleep(away)
	if err := standby.Restart(); err != nil {
		t.Fatal(err)
	}
	up := time.Now()
	c.until(1)
	back := time.Since(up)
	c.until(5)
	c.leave()
	after, v := c.count(), c.look()
	if after.Unavailable == 0 {
		v.Wrong = append(v.Wrong, "nobody was told to come again")
	}
	add(t, row{Fault: "synchronous standby killed, started again after 16 s", Where: "all steps at once", Expected: "writes wait for the standby, and are 503 after 13 s",
		Seen: seen("", after, v), Back: back, Tally: after, Verdict: v})

	before := c.count()
	c.come(4)
	c.until(10)
	if err := primary.Kill(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond) // until whoever watches has noticed
	if err := standby.Exec(`SELECT pg_promote()`); err != nil {
		t.Fatal(err)
	}
	promoted := time.Now()
	s.Database = standby.URL() // where the oracle looks
	c.until(1)
	back = time.Since(promoted)
	c.until(10)
	c.leave()
	after, v = c.since(before), c.look()
	add(t, row{Fault: "primary killed (-9), standby promoted", Where: "all steps at once", Expected: "what was acknowledged is on the standby; the same process goes on there",
		Seen: seen("", after, v), Back: back, Tally: after, Verdict: v})
}
