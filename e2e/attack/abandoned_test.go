package attack_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Sign-ins are begun by the thousand and finished by nobody. No process grows by what was
// abandoned, and who comes to sign in is served as before.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		n := scale(1000, 100_000)
		before := at.signInTime()
		at.abandon(n / 10) // connections, caches and pools have their size now
		settled := at.memory()
		began := time.Now()
		at.abandon(n)
		took := time.Since(began)
		grown := at.memory()
		after := at.signInTime()
		t.Logf("%d flows abandoned in %s; memory of each process in MB: %v, then %v; a sign-in took %s before and %s after",
			n, took.Round(time.Second), settled, grown, before, after)
		for i := range grown {
			if more := grown[i] - settled[i]; more > 64 {
				t.Errorf("a process grew by %d MB over %d abandoned flows", more, n)
			}
		}
		at.purged()
		if after > 10*before+time.Second {
			t.Errorf("a sign-in took %s before and %s after", before, after)
		}
	})
}

// abandon begins n sign-ins: each a browser, network and address of its own that has a code
// mailed and is not seen again.
func (at *target) abandon(n int) {
	at.t.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				b := at.browser()
				a := b.send(at.replicas[0].Request(at.app, "first_screen", "register").Path(), nil)
				_, rest, _ := strings.Cut(a.body, `name="r" value="`)
				r, _, _ := strings.Cut(rest, `"`)
				a = b.send("/register", url.Values{"r": {r}, "email": {fmt.Sprintf("gone%d@example.com", gone.Add(1))}})
				if a.status != http.StatusSeeOther {
					at.t.Errorf("no code for the flow to abandon: %s", a)
					return
				}
			}
		})
	}
	wg.Wait()
}

var gone atomic.Int64

// purged lets days pass for all that was abandoned, and waits until it is gone.
func (at *target) purged() {
	at.t.Helper()
	db := at.replicas[0].DB()
	days := (60 * 24 * time.Hour).Microseconds()
	for _, age := range []string{
		`UPDATE challenge SET expires_at = expires_at - $1`, `UPDATE mail SET created_at = created_at - $1`,
		`UPDATE budget SET tat = tat - $1, tat2 = tat2 - $1`,
	} {
		if _, err := db.Exec(age, days); err != nil {
			at.t.Fatal(err)
		}
	}
	rows := func() (n int) {
		if err := db.QueryRow(`SELECT (SELECT COUNT(*) FROM challenge) + (SELECT COUNT(*) FROM mail) + (SELECT COUNT(*) FROM budget)`).Scan(&n); err != nil {
			at.t.Fatal(err)
		}
		return n
	}
	began, all := time.Now(), rows()
	left := all
	for left > all/4 && time.Since(began) < 2*time.Minute {
		time.Sleep(100 * time.Millisecond)
		left = rows()
	}
	at.t.Logf("of %d rows that were dead, %d were left after %s", all, left, time.Since(began).Round(time.Second))
	if left > all/4 {
		at.t.Errorf("of %d rows that were dead, %d are left after %s", all, left, time.Since(began).Round(time.Second))
	}
}

// signInTime is how long a whole sign-in takes, mail and all: the best of five.
func (at *target) signInTime() time.Duration {
	at.t.Helper()
	var took []time.Duration
	for range 5 {
		began := time.Now()
		p := at.browser().askAt("register", fmt.Sprintf("here%d@example.com", gone.Add(1)))
		if a := p.guess(p.code(1)); a.outcome() != in {
			at.t.Fatal(a)
		}
		took = append(took, time.Since(began))
	}
	return slices.Min(took)
}

// memory is what each process holds, in MB.
func (at *target) memory() (mb []int) {
	at.t.Helper()
	for _, s := range at.replicas {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Cmd.Process.Pid))
		if err != nil {
			at.t.Fatal(err)
		}
		for line := range bytes.Lines(status) {
			if f := strings.Fields(string(line)); f[0] == "VmRSS:" {
				kb, err := strconv.Atoi(f[1])
				if err != nil {
					at.t.Fatal(err)
				}
				mb = append(mb, kb/1024)
			}
		}
	}
	return mb
}
