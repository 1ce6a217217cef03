package main

import (
	"bufio"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"idp/store/pgtest"
)

// The command is tested by scripts: testdata/both on either database,
// testdata/sqlite and testdata/postgres where the database's kind is the point. The program under test
// is this binary, run as idp.

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"idp": main})
}

func TestOnSQLite(t *testing.T) {
	t.Parallel()
	testscript.Run(t, params("testdata/both", nil))
}

func TestSQLiteOnly(t *testing.T) {
	t.Parallel()
	testscript.Run(t, params("testdata/sqlite", nil))
}

func TestOnPostgres(t *testing.T) {
	t.Parallel()
	testscript.Run(t, params("testdata/both", onPostgres(t)))
}

func TestPostgresOnly(t *testing.T) {
	t.Parallel()
	testscript.Run(t, params("testdata/postgres", onPostgres(t)))
}

func onPostgres(t *testing.T) func(*testscript.Env) error {
	return func(e *testscript.Env) error {
		e.Setenv("IDP_DATABASE_URL", pgtest.URL(t))
		e.Setenv("IDP_SECRET", newSecret())
		return nil
	}
}

// Behind a pooler nothing is asked of a connection at its start.
func TestPoolerIsToldToTheEngine(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	for _, c := range []struct {
		pooler bool
		want   string
	}{{false, "idp"}, {true, ""}} {
		var a app
		a.DatabaseURL, a.DatabasePooler = url, c.pooler
		p, err := a.place(serveFolder)
		if err != nil {
			t.Fatal(err)
		}
		e, err := p.open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		got := "?"
		err = e.Read(t.Context(), `SELECT current_setting('application_name')`, nil, func(scan func(...any) error) error { return scan(&got) })
		if err != nil || got != c.want {
			t.Errorf("pooler %v: the connection calls itself %q, %v", c.pooler, got, err)
		}
	}
}

func newSecret() string {
	secret := make([]byte, 32)
	rand.Read(secret)
	return base64.StdEncoding.EncodeToString(secret)
}

func params(dir string, setup func(*testscript.Env) error) testscript.Params {
	return testscript.Params{
		Dir:   dir,
		Setup: setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"free-port":     freePort,
			"take-port":     takePort,
			"get":           get,
			"ask":           ask,
			"newer-schema":  newerSchema,
			"capture":       capture,
			"status":        status,
			"eventually":    eventually,
			"sign-in":       signIn,
			"begin-sign-in": beginSignIn,
			"webhook":       webhookTold,
			"delivery-id":   deliveryID,
			"begin-post":    beginPost,
			"finish-post":   finishPost,
			"keep":          keep,
			"measures":      measures,
			"collector":     startCollector,
			"spans":         spans,
			"start-ses":     startSES,
			"start-dns":     startDNS,
			"tell-health":   tellHealth,

			"keeps-connection": keepsConnection,
			"in-days":          inDays,
		},
	}
}

// inDays NAME N puts the day that is N days ahead into a variable.
func inDays(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Setenv(args[0], time.Now().UTC().AddDate(0, 0, n).Format(time.DateOnly))
}

// freePort NAME... puts a free port into each variable: one that the system gives to nobody
// who wants any one, as it has to stay free until the server is there.
func freePort(ts *testscript.TestScript, _ bool, names []string) {
	for _, name := range names {
		for tries := 1; ; tries++ {
			port := strconv.Itoa(20_000 + mathrand.N(12_000))
			if _, given := ports.LoadOrStore(port, true); given {
				continue
			}
			ln, err := net.Listen("tcp", "127.0.0.1:"+port)
			if err == nil {
				ts.Setenv(name, port)
				ts.Check(ln.Close())
				break
			}
			if tries == 100 {
				ts.Fatalf("find a free port: %v", err)
			}
		}
	}
}

var ports sync.Map // that were given to scripts, which run in parallel

// takePort NAME takes a port until the script ends.
func takePort(ts *testscript.TestScript, _ bool, names []string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { ln.Close() })
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	ts.Setenv(names[0], port)
}

// get URL STATUS asks until it gets the status, for a minute at most, and leaves the
// body in the file "body".
func get(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	var last string
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		res, err := http.Get(args[0])
		if err != nil {
			last = err.Error()
			continue
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		last = fmt.Sprint(res.StatusCode, " ", string(body))
		if res.StatusCode == want {
			ts.Check(os.WriteFile(ts.MkAbs("body"), body, 0o600))
			return
		}
	}
	ts.Fatalf("%s: %s", args[0], last)
}

// ask METHOD URL STATUS [ALLOW] asks once, and compares status and Allow.
func ask(ts *testscript.TestScript, _ bool, args []string) {
	r, err := http.NewRequest(args[0], args[1], nil)
	ts.Check(err)
	res, err := http.DefaultClient.Do(r)
	ts.Check(err)
	res.Body.Close()
	if got := strconv.Itoa(res.StatusCode); got != args[2] || len(args) > 3 && res.Header.Get("Allow") != args[3] {
		ts.Fatalf("%s %s: %s %v", args[0], args[1], got, res.Header)
	}
}

// keepsConnection URL wants an answer after which the connection stays open.
func keepsConnection(ts *testscript.TestScript, neg bool, args []string) {
	client := http.Client{Transport: &http.Transport{}} // its first connection is its own
	defer client.CloseIdleConnections()
	res, err := client.Get(args[0])
	ts.Check(err)
	res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Close != neg {
		ts.Fatalf("%s: %s, the connection ends: %v", args[0], res.Status, res.Close)
	}
}

// newerSchema FILE [FLOOR] makes a SQLite database one that a later version has changed;
// programs need to know the migration FLOOR for it.
func newerSchema(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
	ts.Check(err)
	if len(args) > 1 {
		_, err = db.Exec(`UPDATE instance SET schema_floor = $1`, args[1])
		ts.Check(err)
	}
}

// capture NAME FIELD reads a text field of the JSON object on stdout into a variable.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	var object map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &object))
	text, ok := object[args[1]].(string)
	if !ok || text == "" {
		ts.Fatalf("no %s in %v", args[1], object)
	}
	ts.Setenv(args[0], text)
}

// status N idp ARGS... runs the command and wants exit status N.
func status(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	}
	if want := args[0]; strconv.Itoa(got) != want {
		ts.Fatalf("%v exits with %d, not %s: %v", args[1:], got, want, err)
	}
}

// eventually PATTERN idp ARGS... runs the command until its output matches, for a minute at most.
// A mail's state is written down a moment after the mail is there.
func eventually(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[0])
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if err := ts.Exec(args[1], args[2:]...); err == nil && pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("never %q of %v", args[0], args[1:])
		}
	}
}

type post struct {
	conn    net.Conn
	answers *bufio.Reader
	rest    string
}

var posts sync.Map // script and name: *post; scripts run in parallel

// beginPost NAME URL sends a POST up to the middle of its body, which its handler is reading then.
func beginPost(ts *testscript.TestScript, _ bool, args []string) {
	u, err := url.Parse(args[1])
	ts.Check(err)
	conn, err := net.Dial("tcp", u.Host)
	ts.Check(err)
	body := "grant_type=authorization_code&code=none"
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n%s",
		u.Path, u.Host, len(body), body[:10])
	ts.Check(err)
	p := &post{conn, bufio.NewReader(conn), body[10:]}
	for { // the server says that it goes on when the handler begins to read
		line, err := p.answers.ReadString('\n')
		ts.Check(err)
		if line == "\r\n" {
			break
		}
		if !strings.HasPrefix(line, "HTTP/1.1 100 ") {
			ts.Fatalf("the handler does not read: %s", line)
		}
	}
	posts.Store(ts.Name()+args[0], p)
}

// finishPost NAME sends the rest and wants an answer, whatever it says.
func finishPost(ts *testscript.TestScript, _ bool, args []string) {
	time.Sleep(300 * time.Millisecond) // the signal has arrived
	found, _ := posts.Load(ts.Name() + args[0])
	p := found.(*post)
	defer p.conn.Close()
	_, err := io.WriteString(p.conn, p.rest)
	ts.Check(err)
	res, err := http.ReadResponse(p.answers, nil)
	ts.Check(err)
	res.Body.Close()
	ts.Logf("answered %s", res.Status)
}
