//go:build chaos

package chaos_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/e2e/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// row is one line of the table.
type row struct {
	Fault    string        `json:"fault"`
	Where    string        `json:"where"`
	Expected string        `json:"expected"`
	Seen     string        `json:"seen"`
	Back     time.Duration `json:"back"` // from the end of the fault to the first answer, ns; 0: nobody waited
	Holds    bool          `json:"holds"`
	Tally    tally         `json:"tally"`
	Verdict  verdict       `json:"verdict"`
}

// table collects the rows.
var table struct {
	mu   sync.Mutex
	rows []row
}

// add puts a row in and says so; a row that does not hold fails the test.
func add(t *testing.T, r row) {
	t.Helper()
	r.Verdict.Wrong = slices.Clip(r.Verdict.Wrong)
	r.Holds = len(r.Verdict.Wrong) == 0 && !t.Failed()
	for i, w := range r.Verdict.Wrong {
		if i == 12 {
			t.Errorf("… and %d more", len(r.Verdict.Wrong)-i)
			break
		}
		t.Errorf("%s, %s: %s", r.Fault, r.Where, w)
	}
	table.mu.Lock()
	defer table.mu.Unlock()
	table.rows = append(table.rows, r)
	fmt.Printf("%s %s · %s · %s · back in %s\n", map[bool]string{true: "holds", false: "FAILS"}[r.Holds], r.Fault, r.Where, r.Seen, brief(r.Back))
}

// faults are the rows' makers, in the order of the table.
var faults = []struct {
	name string
	run  func(t *testing.T)
}{
	{"postgres-killed", postgresKilled},
	{"answer-lost", answerLost},
	{"failover", failover},
	{"replica-killed", replicaKilled},
	{"stop", stopped},
	{"previous-release", previousRelease},
	{"put-back", putBack},
	{"disk-full", diskFull},
	{"clock-postgres", clockPostgres},
	{"clock-sqlite", clockSQLite},
	{"keys", keys},
	{"secret", secret},
	{"ses-down", sesDown},
}

// TestFaults makes the table. CHAOS_OUT names a file that gets it as JSON.
func TestFaults(t *testing.T) {
	began := time.Now()
	for _, f := range faults {
		t.Run(f.name, f.run)
	}
	table.mu.Lock()
	defer table.mu.Unlock()
	fmt.Println()
	fmt.Println("| fault | where | expected | seen | back |\n| --- | --- | --- | --- | --- |")
	for _, r := range table.rows {
		fmt.Printf("| %s | %s | %s | %s%s | %s |\n", r.Fault, r.Where, r.Expected, map[bool]string{false: "**FAILS** "}[r.Holds], r.Seen, brief(r.Back))
	}
	fmt.Printf("\n%d rows in %s\n", len(table.rows), time.Since(began).Round(time.Second))
	if out := os.Getenv("CHAOS_OUT"); out != "" {
		text, err := json.MarshalIndent(table.rows, "", "  ")
		if err == nil {
			err = os.WriteFile(out, append(text, '\n'), 0o600)
		}
		if err != nil {
			t.Error(err)
		}
	}
}

func brief(d time.Duration) string {
	switch {
	case d <= 0:
		return "–"
	case d < 5*time.Millisecond:
		return "< 10ms"
	}
	return d.Round(10 * time.Millisecond).String()
}

// seen says in a few words what the crowd met, and what is there.
func seen(more string, t tally, v verdict) string {
	parts := []string{many(t.SignIns, "sign-in")}
	if t.Unavailable > 0 {
		parts = append(parts, fmt.Sprintf("%d × 503", t.Unavailable))
	}
	if t.Lost > 0 {
		parts = append(parts, many(t.Lost, "lost answer"))
	}
	if t.Again > 0 {
		parts = append(parts, many(t.Again, "code")+" asked for again")
	}
	parts = append(parts, many(v.Sessions, "session"), many(v.Grants, "grant"), fmt.Sprintf("%d tried, all hold", v.Held))
	if more != "" {
		parts = append(parts, more)
	}
	return strings.Join(parts, ", ")
}

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
