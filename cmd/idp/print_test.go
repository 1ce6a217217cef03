package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"idp/mailer"
)

// hostile is what a DNS record, a mail server or a user agent may hold.
const hostile = "a\x1b[2J\u009b2J\x7f\u202eb\u2028c\rd\te\x07\u2066f\u061c"

// What others said never reaches the terminal as orders, in no way that we print.
func TestNothingDrawsOnTheTerminal(t *testing.T) {
	t.Parallel()
	for name, print := range map[string]func(*app) error{
		"table": func(a *app) error { return a.table([]string{"X", hostile}) },
		"json":  func(a *app) error { return a.printJSON(map[string]string{hostile: hostile + "\n"}) },
		"note":  func(a *app) error { a.note("%s", hostile); return nil },
		"error": func(a *app) error { a.fail(failed(errors.New(hostile), hostile+"\n"+hostile)); return nil },
		"finding": func(a *app) error {
			(&report{app: a}).tell(mailer.Finding{Check: hostile, Text: hostile, Fix: hostile})
			return nil
		},
		"findings": func(a *app) error {
			return (&report{app: a, json: true, findings: []mailer.Finding{{Text: hostile}}}).end()
		},
	} {
		var out bytes.Buffer
		if err := print(&app{stdout: &out, stderr: &out}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if at := strings.IndexFunc(out.String(), func(r rune) bool { return draws(r) && r != '\n' }); at >= 0 || out.Len() == 0 {
			t.Errorf("%s: %q", name, out.String())
		}
		if name == "json" {
			var back map[string]string
			if err := json.Unmarshal(out.Bytes(), &back); err != nil || back[hostile] != hostile+"\n" {
				t.Errorf("%q: %v", back, err)
			}
		}
	}
}

func TestCounted(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0 mails", 1: "1 mail", 2: "2 mails"} {
		if got := counted(n, "mail", "mails"); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}
