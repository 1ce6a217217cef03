//go:build movableclock

package sqlite

import (
	"os"
	"strconv"
	"strings"
)

// Clock is this machine's clock plus the microseconds in the file that MOVABLE_CLOCK names. It is
// in no program that is built without this tag, which is for e2e/chaos alone: the clock of one
// process of Go cannot be moved from outside.
func (e *Engine) Clock() string {
	text, err := os.ReadFile(os.Getenv("MOVABLE_CLOCK"))
	if err != nil {
		return machineClock
	}
	micros, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return machineClock
	}
	return machineClock + " + " + strconv.FormatInt(micros, 10)
}
