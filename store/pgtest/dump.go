package pgtest

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Dump writes the schema that a URL of [URL] names into a file, as an operator does, with
// pg_dump.
func Dump(t testing.TB, schemaURL, file string) {
	t.Helper()
	base, schema := split(t, schemaURL)
	tool(t, "pg_dump", "--format=custom", "--no-owner", "--schema="+schema, "--file="+file, base)
}

// Restore has the schema lost, and brings it back from what [Dump] wrote.
func Restore(t testing.TB, schemaURL, file string) {
	t.Helper()
	base, schema := split(t, schemaURL)
	if err := run(base, `DROP SCHEMA `+schema+` CASCADE`); err != nil {
		t.Fatal(err)
	}
	tool(t, "pg_restore", "--exit-on-error", "--no-owner", "--dbname="+base, file)
}

// split takes the schema out of a URL: libpq does not know it as a parameter.
func split(t testing.TB, schemaURL string) (base, schema string) {
	t.Helper()
	u, err := url.Parse(schemaURL)
	if err != nil {
		t.Fatal("the URL of the test database is none")
	}
	q := u.Query()
	schema = q.Get("search_path")
	q.Del("search_path")
	u.RawQuery = q.Encode()
	return u.String(), schema
}

func tool(t testing.TB, name string, args ...string) {
	t.Helper()
	dir, err := findBinaries()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, name), args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, strings.TrimSpace(string(out)))
	}
}
