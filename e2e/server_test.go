package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"idp/store/pgtest"
)

var binary string // the program under test

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "idp-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "idp")
	build := exec.Command("go", "build", "-o", binary, "../cmd/idp")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the program:", err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// engines are the databases that every flow runs on.
var engines = []string{"sqlite", "postgres"}

// onBoth runs a test on both engines.
func onBoth(t *testing.T, test func(t *testing.T, s *server)) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, engine)
			s.start()
			test(t, s)
		})
	}
}

// server is one installation: a data folder, a database, and a process that can
// be killed and started again.
type server struct {
	t        *testing.T
	env      []string
	endpoint string
	address  string // where the process listens; the endpoint may be a proxy's
	dir      string
	database string // URL of the Postgres schema, or path of the SQLite file
	engine   string
	cmd      *exec.Cmd
	exited   chan struct{}
	log      lockedBuffer
}

// lockedBuffer collects a process's output.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const testSecret = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=" // for test databases only

// newServer prepares an installation on a free loopback port, with the inbox as
// its mailer. Extra environment: "KEY=value".
func newServer(t *testing.T, engine string, env ...string) *server {
	t.Helper()
	s := install(t, engine, env...)
	s.run("connector", "set", "inbox")
	return s
}

// install prepares an installation that has no connector yet.
func install(t *testing.T, engine string, env ...string) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir(), engine: engine, address: freeAddr(t)}
	_, port, _ := net.SplitHostPort(s.address)
	s.endpoint = "http://localhost:" + port
	s.env = append(cleanEnv(), "IDP_ENDPOINT="+s.endpoint, "IDP_LISTEN="+s.address, "IDP_DATA_DIR="+s.dir, "IDP_SECRET="+testSecret)
	if engine == "postgres" {
		s.database = pgtest.URL(t)
		s.env = append(s.env, "IDP_DATABASE_URL="+s.database+"&pool_max_conns=10")
	} else {
		s.database = filepath.Join(s.dir, "idp.db")
		s.env = append(s.env, "IDP_DATABASE_URL=sqlite:"+s.database)
	}
	s.env = append(s.env, env...)
	return s
}

func cleanEnv() (env []string) {
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "IDP_") {
			env = append(env, kv)
		}
	}
	return env
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// run runs a command of the program beside the server and gives its output.
func (s *server) run(args ...string) string {
	s.t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env, cmd.Dir = s.env, s.dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("idp %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// takesUp waits until the running server uses a connector that was set: it tells then how
// it gets on with it.
func (s *server) takesUp(connector string) {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var all []struct {
			ID     string
			Health *struct{}
		}
		if err := json.Unmarshal([]byte(s.run("connector", "list", "--json")), &all); err != nil {
			s.t.Fatal(err)
		}
		if len(all) > 0 && all[0].ID == connector && all[0].Health != nil {
			return
		}
	}
	s.t.Fatalf("the server does not take the connector %s up", connector)
}

// start starts the server and waits until it is ready.
func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command(binary, "serve")
	s.cmd.Env, s.cmd.Dir = s.env, s.dir
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	exited := make(chan struct{})
	s.exited = exited
	cmd := s.cmd
	go func() { _ = cmd.Wait(); close(exited) }()
	s.t.Cleanup(func() { _ = cmd.Process.Kill(); <-exited })
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		resp, err := http.Get("http://" + s.address + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-exited:
			s.t.Fatalf("the server ended:\n%s", s.log.String())
		default:
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the server is not ready:\n%s", s.log.String())
		}
	}
}

// kill ends the server as a power cut would.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.exited
}

// stop ends the server as an operator would, and gives its exit status.
func (s *server) stop() int {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	<-s.exited
	return s.cmd.ProcessState.ExitCode()
}

// client is what `idp client create --json` prints.
type client struct {
	ID           string   `json:"id"`
	Secret       string   `json:"secret"`
	Name         string   `json:"name"`
	Type         string   `json:"type"`
	RedirectURIs []string `json:"redirectUris"`
}

const callback = "https://shop.example/callback?from=idp"

// newClient registers a client; without flags a traditional one with [callback].
func (s *server) newClient(flags ...string) client {
	s.t.Helper()
	args := []string{"client", "create", "--name", "Bookstore", "--json"}
	if len(flags) == 0 {
		flags = []string{"--type", "traditional", "--redirect-uri", callback}
	}
	var c client
	if err := json.Unmarshal([]byte(s.run(append(args, flags...)...)), &c); err != nil {
		s.t.Fatal(err)
	}
	return c
}

// letter is a mail in the development mailbox.
type letter struct {
	ID, To, From, Subject, Text, HTML, UsageType, Code string
}

// inbox gives the mails to an address, newest first.
func (s *server) inbox(to string) []letter {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.endpoint+"/dev/inbox.json?to="+url.QueryEscape(to), nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var letters []letter
	if err := json.NewDecoder(resp.Body).Decode(&letters); err != nil {
		s.t.Fatalf("read the mailbox: %v (status %d)", err, resp.StatusCode)
	}
	return letters
}

// code waits for the n-th mail to an address (from 1) and gives its code.
func (s *server) code(to string, n int) string {
	s.t.Helper()
	return s.letter(to, n).Code
}

// letter waits for the n-th mail to an address (from 1).
func (s *server) letter(to string, n int) letter {
	s.t.Helper()
	for deadline := time.Now().Add(45 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if letters := s.inbox(to); len(letters) >= n {
			return letters[len(letters)-n]
		}
	}
	s.t.Fatalf("mail %d to %s did not arrive\n%s", n, to, s.log.String())
	return letter{}
}
