package resident_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"idp/cmd/idp/internal/resident"
)

// The program runs on, with fewer of its pages in memory. Not parallel: another test would read some in again.
func TestTheProgramIsGivenBack(t *testing.T) {
	before := filePages(t)
	if err := resident.Program(); err != nil {
		t.Fatal(err)
	}
	after := filePages(t)
	if after >= before*9/10 {
		t.Errorf("%d pages of files before, %d after", before, after)
	}
	if got := strings.Repeat("ab", 3); got != "ababab" {
		t.Error(got)
	}
}

// filePages is how many pages of files this process has in memory, by /proc/PID/statm.
func filePages(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.Fields(string(text))[2])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
