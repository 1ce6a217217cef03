//go:build chaos

package chaos_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"idp/e2e/rig"
	"idp/store/pgtest"
)

// movedPostgres is a Postgres whose clock can be moved, by libfaketime in front of its
// libc; the one of the server that uses it stays.
func movedPostgres(t *testing.T) (pg *pgtest.Cluster, move func(time.Duration)) {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/*/faketime/libfaketime.so.1")
	if len(found) == 0 {
		t.Fatal("no libfaketime: install it (Debian: apt-get install libfaketime)")
	}
	file := shared(t, "clock")
	move = func(by time.Duration) { set(t, file, fmt.Sprintf("%+d", int(by.Seconds()))) }
	move(0)
	return cluster(t, "LD_PRELOAD="+found[0], "FAKETIME_TIMESTAMP_FILE="+file, "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"), move
}

// shared names a file that Postgres, which runs as somebody else, can read.
func shared(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil { //nolint:gosec // nothing secret is in there
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// set replaces a file at once.
func set(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file+".new", []byte(text), 0o644); err != nil { //nolint:gosec // read by Postgres's user
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

func clockPostgres(t *testing.T) {
	pg, move := movedPostgres(t)
	moved(t, "Postgres", on(t, pg.URL()+"&pool_max_conns=10", pg.URL()), move)
}

// clockSQLite takes a program whose clock can be moved, which no release is.
func clockSQLite(t *testing.T) {
	program, file := filepath.Join(t.TempDir(), "idp"), filepath.Join(t.TempDir(), "clock")
	if out, err := exec.Command("go", "build", "-tags", "movableclock", "-o", program, "idp/cmd/idp").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	move := func(by time.Duration) { set(t, file, fmt.Sprint(by.Microseconds())) }
	move(0)
	s := rig.Install(t, "sqlite", append([]string{"MOVABLE_CLOCK=" + file}, wide...)...)
	s.Program = program
	moved(t, "SQLite", s, move)
}

// moved moves the database's clock forward past the life of a code, back, and then
// back behind where it began.
func moved(t *testing.T, engine string, s *rig.Server, move func(time.Duration)) {
	c := newCrowd(t, s)
	s.Start()
	c.register()
	wait := func() { time.Sleep(2500 * time.Millisecond) } // each second it is read
	const ahead = 15 * time.Minute                         // a code lives 10

	c.come(2)
	c.until(4)
	c.leave()
	before := c.count()
	late := c.person(nil)
	_, page, err := c.begin(late)
	if err != nil {
		t.Fatal(err)
	}
	code, err := c.code(late.email)
	if err != nil {
		t.Fatal(err)
	}
	var bad []string
	refused := func(when string) {
		target, form := page.Fill("/verify", "code", code)
		p, err := late.Try(http.MethodPost, target, form)
		if err != nil || answer(p) != "" || p.Status >= 500 {
			bad = append(bad, fmt.Sprintf("a code of %s before: %d %s %v", when, p.Status, p.Leaves, err))
		}
	}
	move(ahead)
	wait()
	refused("15 minutes")
	fresh := c.person(nil)
	if err := c.signIn(fresh); err != nil {
		t.Error(err)
	}
	after, v := c.since(before), c.look("clock") // the tokens of before, too
	v.Wrong = append(v.Wrong, bad...)
	add(t, row{Fault: engine + "'s clock 15 min forward", Where: "between a code and its use", Expected: "the code has expired, tokens and sessions live, sign-ins go on",
		Seen: seen("", after, v), Tally: after, Verdict: v})

	bad = nil
	before = c.count()
	move(0)
	wait()
	refused("15 minutes, the clock set back")
	c.come(2)
	c.until(4)
	c.leave()
	after, v = c.since(before), c.look("clock")
	v.Wrong = append(v.Wrong, bad...)
	warned := false
	for _, f := range c.findings() {
		warned = warned || f.Check == "clock" && f.Level == "warning" && strings.Contains(f.Text, "went back")
	}
	if !warned {
		v.Wrong = append(v.Wrong, "idp doctor says nothing of the clock")
	}
	add(t, row{Fault: engine + "'s clock 15 min back again", Where: "between a code and its use", Expected: "the code does not revive, tokens and sessions live, sign-ins go on",
		Seen: seen("idp doctor warns", after, v), Tally: after, Verdict: v})

	before = c.count()
	c.come(3)
	c.until(3)
	move(-time.Hour)
	wait()
	c.until(6)
	s.Kill() // a new process starts from the mark in the database
	s.Start()
	c.until(6)
	c.leave()
	after, v = c.since(before), c.look("clock")
	add(t, row{Fault: engine + "'s clock 1 h back, then a restart", Where: "all steps at once", Expected: "nobody notices but of the restart",
		Seen: seen("", after, v), Tally: after, Verdict: v})
	mend(c, engine, time.Now().Add(-time.Hour))
}

// mend does what docs/reliability.md says against a clock that was too far ahead.
func mend(c *crowd, engine string, now time.Time) {
	c.t.Helper()
	text := string(rig.Must(os.ReadFile("../../docs/reliability.md")))
	_, text, _ = strings.Cut(text, "```sql\n")
	text, _, found := strings.Cut(text, "```")
	if !found {
		c.t.Fatal("docs/reliability.md has no statements")
	}
	c.s.Stop()
	for statement := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		statement = strings.ReplaceAll(statement, "NOW", fmt.Sprint(now.UnixMicro()))
		if _, err := c.s.DB().Exec(statement); err != nil {
			c.t.Fatal(statement, err)
		}
	}
	c.s.Start()
	before := c.count()
	c.come(2)
	c.until(4)
	c.leave()
	after, v := c.since(before), c.look("clock")
	for _, f := range c.findings() {
		if f.Check == "clock" && strings.Contains(f.Text, "went back") {
			v.Wrong = append(v.Wrong, "idp doctor: "+f.Text)
		}
	}
	add(c.t, row{Fault: engine + "'s clock mended by hand", Where: "all steps at once", Expected: "time goes at its own speed again, sign-ins go on",
		Seen: seen("idp doctor warns no more", after, v), Tally: after, Verdict: v})
}
