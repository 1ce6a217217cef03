package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// jsonFlag is the --json of every command that prints data.
type jsonFlag struct {
	JSON bool `name:"json" help:"Print JSON, for programs."`
}

// printJSON prints a value for programs. JSON may hold controls from U+007F on as they
// are, and terminals obey them: they are escaped like those below.
func (a *app) printJSON(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	var out strings.Builder
	for _, r := range b.String() {
		if draws(r) && r != '\n' {
			fmt.Fprintf(&out, `\u%04x`, r)
			continue
		}
		out.WriteRune(r)
	}
	_, err := io.WriteString(a.stdout, out.String())
	return err
}

// table prints rows for people, the first one being the titles.
func (a *app) table(rows ...[]string) error {
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	for _, r := range rows {
		for i, cell := range r {
			r[i] = printable(cell)
		}
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	return w.Flush()
}

// note tells a person something beside the data.
func (a *app) note(format string, args ...any) {
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		fmt.Fprintln(a.stderr, printable(line))
	}
}

// printable keeps what was stored, or what a server said, from drawing on the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if draws(r) {
			return '?'
		}
		return r
	}, s)
}

// draws tells what a terminal obeys in the place of showing it: controls, with those
// of C1 (U+009B begins a sequence like ESC [), ends of lines, and marks that turn the
// direction of what follows.
func draws(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

// counted says how many: "1 mail", "2 mails".
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func day(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// getenv reads a variable of the environment that the program was called with; "" for one
// that is not set.
func (a *app) getenv(name string) string {
	for _, pair := range a.env {
		if n, value, ok := strings.Cut(pair, "="); ok && n == name {
			return value
		}
	}
	return ""
}
