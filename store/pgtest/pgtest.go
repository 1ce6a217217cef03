// Package pgtest gives tests and benchmarks a real Postgres: a throw-away
// cluster from the system's own binaries, or the one that IDP_TEST_DATABASE_URL
// names.
//
// The binaries are looked for on PATH and in /usr/lib/postgresql/*/bin. Started as
// root, the cluster runs as an unprivileged user, as Postgres demands. It listens
// on a free loopback port and is removed at the end, also when the process that
// started it dies.
package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"

	"crypto/rand"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// shared is the one cluster of a test binary. It stays referenced: its watchdog
// removes it when this process ends, or lets go of it.
var shared = sync.OnceValues(func() (*Cluster, error) { return Start(Options{}) })

func baseURL() (string, error) {
	if u := os.Getenv("IDP_TEST_DATABASE_URL"); u != "" {
		return u, nil
	}
	c, err := shared()
	if err != nil {
		return "", err
	}
	return c.URL(), nil
}

// URL gives the URL of a fresh schema in the test binary's cluster; the schema is
// dropped when the test ends. Without a Postgres the test fails and says what to
// install.
func URL(t testing.TB) string {
	t.Helper()
	base, err := baseURL()
	if err != nil {
		t.Fatal(err)
	}
	schema := "test_" + rand.Text()
	if err := run(base, `CREATE SCHEMA "`+schema+`"`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run(base, `DROP SCHEMA "`+schema+`" CASCADE`); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(errors.New("IDP_TEST_DATABASE_URL is no URL"))
	}
	q := u.Query()
	q.Set("search_path", `"`+schema+`"`)
	u.RawQuery = q.Encode()
	return u.String()
}

func run(url, statement string) error {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return fmt.Errorf("open the test database: %w", err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(context.Background(), statement); err != nil {
		return fmt.Errorf("prepare the test database: %w", err)
	}
	return nil
}
