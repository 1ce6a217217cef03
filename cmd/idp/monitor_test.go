package main

import (
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// measures URL LINE... asks until the metrics have all these lines, and writes them into the
// file body. Mails are settled, and the audit log is chained, a moment after the page is there.
func measures(ts *testscript.TestScript, _ bool, args []string) {
	var last string
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		res, err := http.Get(args[0])
		ts.Check(err)
		body, err := io.ReadAll(res.Body)
		ts.Check(err)
		res.Body.Close()
		last = string(body)
		lines := strings.Split(last, "\n")
		if !slices.ContainsFunc(args[1:], func(line string) bool { return !slices.Contains(lines, line) }) {
			ts.Check(os.WriteFile(ts.MkAbs("body"), body, 0o600))
			return
		}
	}
	ts.Fatalf("%s has not all of %q:\n%s", args[0], args[1:], last)
}
