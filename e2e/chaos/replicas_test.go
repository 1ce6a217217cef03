//go:build chaos

package chaos_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"idp/e2e/rig"
)

// watch is how often the balancer looks whether a replica is ready, and linger how long a replica
// that stops goes on serving: longer than it takes to be noticed.
const (
	watch  = 200 * time.Millisecond
	linger = "2s"
)

// newer are settings that the release before this one does not know, and does not start with.
var newer = []string{"IDP_STOP_DELAY=" + linger, "IDP_LIMIT_IP_PROOF=off"}

// pair is two replicas behind a balancer, on a database of their own.
func pair(t *testing.T, program string, env ...string) (c *crowd, a, b *rig.Server, front *rig.Balancer) {
	t.Helper()
	pg := cluster(t)
	a = on(t, pg.URL()+"&pool_max_conns=8", pg.URL(), env...)
	if a.Program = program; program != rig.Binary {
		for _, kv := range newer {
			name, _, _ := strings.Cut(kv, "=")
			a.Env = without(a.Env, name)
		}
	}
	front = a.Balanced()
	b = a.Replica()
	front.Route(a, b)
	front.Watch(t, watch)
	return newCrowd(t, a), a, b, front
}

// replicaKilled kills one of two replicas while it answers somebody at the token endpoint.
func replicaKilled(t *testing.T) {
	c, a, b, front := pair(t, rig.Binary)
	a.Start()
	b.Start()
	c.register()
	const rounds = 4
	for _, step := range []string{verify, token, refresh} {
		before, lost := c.count(), front.Lost()
		c.come(3)
		c.until(3)
		back := time.Duration(0)
		for n := range rounds {
			victim := []*rig.Server{a, b}[n%2]
			gone := make(chan time.Time, 1)
			p := c.person(func(at string) {
				if at == step {
					go func() {
						time.Sleep(rand.N(6 * time.Millisecond))
						victim.Kill()
						gone <- time.Now()
					}()
				}
			})
			_ = c.signIn(p) // what is wrong is counted
			back = max(back, p.done[step].Sub(<-gone))
			victim.Start()
		}
		c.until(3)
		c.leave()
		after, v := c.since(before), c.look()
		add(t, row{Fault: "one of two replicas killed (-9)", Where: step, Expected: "requests in its hands get no answer; repeated, the other replica answers them",
			Seen: seen(fmt.Sprintf("killed %d times, %d requests without an answer", rounds, front.Lost()-lost), after, v), Back: back, Tally: after, Verdict: v})
	}
}

// stopped stops replicas under load, one after the other.
func stopped(t *testing.T) {
	c, a, b, front := pair(t, rig.Binary, "IDP_STOP_DELAY="+linger)
	a.Start()
	b.Start()
	c.register()
	c.come(6)
	c.until(6)
	const rounds = 4
	var bad []string
	for n := range rounds {
		s := []*rig.Server{a, b}[n%2]
		if status := s.Stop(); status != 0 {
			bad = append(bad, fmt.Sprintf("exit status %d", status))
		}
		c.until(3)
		s.Start()
		time.Sleep(2 * watch) // until the balancer has seen it
	}
	c.leave()
	after, v := c.count(), c.look()
	v.Wrong = append(v.Wrong, bad...)
	if front.Lost()+after.Lost+after.Unavailable+after.Again > 0 {
		v.Wrong = append(v.Wrong, fmt.Sprintf("%d requests got no answer of the balancer, the crowd met %+v", front.Lost(), after))
	}
	add(t, row{Fault: "SIGTERM under load", Where: "all steps at once", Expected: "no request fails",
		Seen: seen(fmt.Sprintf("stopped %d times, %d requests failed of %d", rounds, front.Lost()+after.Lost+after.Unavailable, after.Requests), after, v), Tally: after, Verdict: v})
}

// previousRelease rolls from the release before this one to this one, with people in the middle
// of their sign-ins; the new one is taken away once in between, and the old one goes on.
func previousRelease(t *testing.T) {
	c, a, b, front := pair(t, previous(t, cmp.Or(os.Getenv("CHAOS_PREVIOUS"), before)))
	roll := func(s *rig.Server, program string) {
		s.Program, s.Env = program, append(s.Env, newer...) // of a name that is there twice the last one counts
		s.Start()
		time.Sleep(2 * watch)
	}
	a.Start()
	b.Start()
	c.register()
	c.come(4)
	c.until(6)
	a.Stop()
	roll(a, rig.Binary) // it migrates under the other's feet
	mixed := c.count()
	c.until(20) // each step may be either's
	mixed = c.since(mixed)
	// Back: the new one is taken away, the old one goes on with what the new one wrote.
	if status := a.Stop(); status != 0 {
		t.Errorf("the new release stops with %d", status)
	}
	c.until(6)
	roll(a, rig.Binary)
	c.until(6)
	b.Stop()
	roll(b, rig.Binary)
	c.until(6)
	c.leave()
	after, v := c.count(), c.look()
	if after.Unavailable > 0 {
		v.Wrong = append(v.Wrong, fmt.Sprintf("%d answers of 503", after.Unavailable))
	}
	add(t, row{Fault: "rolling restart from the previous release", Where: "all steps at once", Expected: "either release goes on with what the other wrote",
		Seen: seen(fmt.Sprintf("%d of them while both ran, %d requests cut off by the old release, which has no IDP_STOP_DELAY", mixed.SignIns, front.Lost()), after, v), Tally: after, Verdict: v})
}

// putBack takes an upgrade back: programs of the release before are started, one after the other, on a
// schema that the release after it has added to, and then those of this one again.
func putBack(t *testing.T) {
	old := previous(t, floor)
	c, a, b, front := pair(t, rig.Binary, "IDP_STOP_DELAY="+linger)
	a.Start()
	b.Start()
	c.register()
	c.come(4)
	c.until(6)
	for _, added := range []string{
		`ALTER TABLE challenge ADD COLUMN later TEXT NOT NULL DEFAULT ''`,
		`CREATE TABLE later (id BIGINT PRIMARY KEY)`,
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`,
	} {
		if _, err := a.DB().Exec(added); err != nil {
			t.Fatal(err)
		}
	}
	mixed := c.count()
	for _, program := range []string{old, rig.Binary} {
		for _, s := range []*rig.Server{a, b} {
			if status := s.Stop(); status != 0 {
				t.Errorf("a server stops with %d", status)
			}
			s.Program = program
			s.Start()
			time.Sleep(2 * watch)
			c.until(10) // each step may be either's
		}
	}
	mixed = c.since(mixed)
	c.leave()
	after, v := c.count(), c.look()
	if n := front.Lost() + after.Unavailable; n > 0 {
		v.Wrong = append(v.Wrong, fmt.Sprintf("%d requests failed", n))
	}
	add(t, row{Fault: "the release before put back, and this one again", Where: "all steps at once", Expected: "it starts on a schema that was added to since; nobody notices",
		Seen: seen(fmt.Sprintf("%d of them from the first restart to the fourth, %d requests failed", mixed.SignIns, front.Lost()+after.Unavailable), after, v), Tally: after, Verdict: v})
}

func without(env []string, name string) (out []string) {
	for _, kv := range env {
		if !strings.HasPrefix(kv, name+"=") {
			out = append(out, kv)
		}
	}
	return out
}

// before is the release that a rolling upgrade starts from, unless CHAOS_PREVIOUS names another.
const before = "2486c49"

// floor is the first commit whose program works on a schema that a later one has added to.
const floor = "6c59fc6"

// previous builds the program of an earlier commit out of the repository's history.
func previous(t *testing.T, commit string) string {
	t.Helper()
	dir := t.TempDir()
	tree, program := filepath.Join(dir, "tree"), filepath.Join(dir, "idp")
	run := func(in, name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = in
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("the program of %s: %s %v: %v\n%s", commit, name, args, err, out)
		}
	}
	run("", "git", "worktree", "add", "--detach", tree, commit)
	t.Cleanup(func() { _ = exec.Command("git", "worktree", "remove", "--force", tree).Run() })
	run(tree, "go", "build", "-o", program, "./cmd/idp")
	return program
}
