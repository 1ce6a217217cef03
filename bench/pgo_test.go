package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
)

// The profile that releases are compiled with is of both engines and of the pages, and tells nothing of
// the machine that it was taken on.
func TestTheProfileOfReleases(t *testing.T) {
	t.Parallel()
	f, err := os.Open("idp.pgo")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := profile.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range p.Function {
		all.WriteString(f.Name + "\n")
		if f.Filename != "" || f.SystemName != f.Name {
			t.Fatalf("%s is of the file %q and has the symbol %q", f.Name, f.Filename, f.SystemName)
		}
	}
	for _, part := range []string{"idp/op.", "idp/web/signin.", "idp/mailer.", "idp/store/sqlite.", "idp/store/postgres.", "modernc.org/sqlite/lib.", "jackc/pgx"} {
		if !strings.Contains(all.String(), part) {
			t.Errorf("nothing of %s", part)
		}
	}
	if len(p.Mapping) > 0 || len(p.Comments) > 0 || p.TimeNanos != 0 {
		t.Errorf("mappings %v, comments %q, time %d", p.Mapping, p.Comments, p.TimeNanos)
	}
	for _, l := range p.Location {
		if l.Address != 0 {
			t.Fatalf("an address: %#x", l.Address)
		}
	}
	for _, s := range p.Sample {
		if len(s.Label)+len(s.NumLabel) > 0 {
			t.Fatalf("labels: %v, %v", s.Label, s.NumLabel)
		}
	}
}
