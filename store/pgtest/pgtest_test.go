package pgtest_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"idp/store/pgtest"
)

// TestMain plays the process that dies: with the variable set it starts a
// cluster, prints its URL and waits to be killed.
func TestMain(m *testing.M) {
	if os.Getenv("PGTEST_VICTIM") == "" {
		os.Exit(m.Run())
	}
	c, err := pgtest.Start(pgtest.Options{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(c.URL())
	select {}
}

func show(t *testing.T, url, setting string) (value string, err error) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(context.Background()) }()
	err = conn.QueryRow(t.Context(), `SELECT current_setting($1)`, setting).Scan(&value)
	return value, err
}

// Two tests get two schemas, and what one makes the other does not see.
func TestURL(t *testing.T) {
	t.Parallel()
	for range 2 {
		conn, err := pgx.Connect(t.Context(), pgtest.URL(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), `CREATE TABLE thing (id int)`); err != nil {
			t.Error(err)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	c, err := pgtest.Start(pgtest.Options{Fsync: true})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := show(t, c.URL(), "data_directory")
	if err != nil {
		t.Fatal(err)
	}
	if fsync, err := show(t, c.URL(), "fsync"); err != nil || fsync != "on" {
		t.Errorf("fsync is %s, %v", fsync, err)
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	gone(t, c.URL(), dir)
}

// A test binary that is killed leaves no server and no files behind.
func TestKilled(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PGTEST_VICTIM=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url = strings.TrimSpace(url)
	dir, err := show(t, url, "data_directory")
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	gone(t, url, dir)
}

func gone(t *testing.T, url, dir string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		_, err := show(t, url, "fsync")
		if _, missing := os.Stat(dir); os.IsNotExist(missing) && err != nil {
			return
		}
	}
	t.Errorf("%s is still there", dir)
}

// What was committed survives a kill, and is on the standby that the primary waits for.
func TestKillAndStandby(t *testing.T) {
	t.Parallel()
	c, err := pgtest.Start(pgtest.Options{Fsync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Stop() })
	s, err := c.Standby("second")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	do := func(c *pgtest.Cluster, statements ...string) {
		t.Helper()
		for _, one := range statements {
			if err := c.Exec(one); err != nil {
				t.Fatal(one, err)
			}
		}
	}
	if err := c.WaitFor("second"); err != nil {
		t.Fatal(err)
	}
	do(c, `CREATE TABLE thing (id int)`)
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.Exec(`SELECT 1`); err == nil {
		t.Error("it answers after it was killed")
	}
	do(s, `SELECT pg_promote()`, `INSERT INTO thing VALUES (1)`)
	if err := c.Restart(); err != nil {
		t.Fatal(err)
	}
	do(c, `SELECT * FROM thing`)
}
