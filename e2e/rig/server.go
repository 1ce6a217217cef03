package rig

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"idp/store/pgtest"
)

// Binary is the path of the program under test.
var Binary string

// Main builds the program and runs a package's tests with it. IDP_E2E_TAGS are build tags,
// such as racy, which takes the guards out of the store.
func Main(m *testing.M) {
	dir, err := os.MkdirTemp("", "idp-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	Binary = filepath.Join(dir, "idp")
	build := exec.Command("go", "build", "-tags", os.Getenv("IDP_E2E_TAGS"), "-o", Binary, "idp/cmd/idp")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the program:", err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// Engines are the databases that every flow runs on.
var Engines = []string{"sqlite", "postgres"}

// OnBoth runs a test on both engines.
func OnBoth(t *testing.T, test func(t *testing.T, s *Server)) {
	for _, engine := range Engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s := NewServer(t, engine)
			s.Start()
			test(t, s)
		})
	}
}

// Server is one installation: a data folder, a database, and a process that can
// be killed and started again.
type Server struct {
	T        *testing.T
	Env      []string
	Endpoint string
	Address  string // where the process listens; the endpoint may be a proxy's
	Dir      string
	Database string // URL of the Postgres schema, or path of the SQLite file
	Engine   string
	Program  string // which program it runs; "" is [Binary]
	Cmd      *exec.Cmd
	Exited   chan struct{}
	Log      LockedBuffer
}

// LockedBuffer collects a process's output.
type LockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends.
func (l *LockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String is what came so far.
func (l *LockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestSecret is the instance secret; for test databases only.
const TestSecret = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// NewServer prepares an installation on a free loopback port, with the inbox as
// its mailer. Extra environment: "KEY=value".
func NewServer(t *testing.T, engine string, env ...string) *Server {
	t.Helper()
	s := Install(t, engine, env...)
	s.Run("connector", "set", "inbox")
	return s
}

// Install prepares an installation that has no connector yet.
func Install(t *testing.T, engine string, env ...string) *Server {
	t.Helper()
	s := &Server{T: t, Dir: t.TempDir(), Engine: engine, Address: FreeAddr(t)}
	_, port, _ := net.SplitHostPort(s.Address)
	s.Endpoint = "http://localhost:" + port
	s.Env = append(CleanEnv(), "IDP_ENDPOINT="+s.Endpoint, "IDP_LISTEN="+s.Address, "IDP_DATA_DIR="+s.Dir, "IDP_SECRET="+TestSecret)
	if engine == "postgres" {
		s.Database = pgtest.URL(t)
		s.Env = append(s.Env, "IDP_DATABASE_URL="+s.Database+"&pool_max_conns=10")
	} else {
		s.Database = filepath.Join(s.Dir, "idp.db")
		s.Env = append(s.Env, "IDP_DATABASE_URL=sqlite:"+s.Database)
	}
	s.Env = append(s.Env, env...)
	return s
}

// CleanEnv is the environment without settings of the program.
func CleanEnv() (env []string) {
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "IDP_") {
			env = append(env, kv)
		}
	}
	return env
}

// FreeAddr is a loopback address that nobody listens on. Its port is none that the system gives
// away by itself (from 32768 on): else a connection of another test could have it before the
// program does that is to listen there, or while that is started anew.
func FreeAddr(t *testing.T) string {
	t.Helper()
	for range 1000 {
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(lowest+int(ports.Add(1)%ours)))
		if err == nil {
			_ = l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("there is no free port")
	return ""
}

const lowest, ours = 20_000, 12_000

// ports counts those that were tried; each process of tests begins somewhere else.
var ports = func() *atomic.Int64 {
	n := new(atomic.Int64)
	n.Store(int64(os.Getpid()) * 331)
	return n
}()

// Command is a command of the program with the server's settings, not run yet.
func (s *Server) Command(args ...string) *exec.Cmd {
	cmd := exec.Command(cmp.Or(s.Program, Binary), args...)
	cmd.Env, cmd.Dir = s.Env, s.Dir
	return cmd
}

// Run runs a command of the program beside the server and gives its output.
func (s *Server) Run(args ...string) string {
	s.T.Helper()
	cmd := s.Command(args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.T.Fatalf("idp %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// Try is [Server.Run] of a command that may fail; it gives all that the command said.
func (s *Server) Try(args ...string) (out string, err error) {
	cmd := exec.Command(Binary, args...)
	cmd.Env, cmd.Dir = s.Env, s.Dir
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// TakesUp waits until the running server uses a connector that was set: it tells then how
// it gets on with it.
func (s *Server) TakesUp(connector string) {
	s.T.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var all []struct {
			ID     string
			Health *struct{}
		}
		if err := json.Unmarshal([]byte(s.Run("connector", "list", "--json")), &all); err != nil {
			s.T.Fatal(err)
		}
		if len(all) > 0 && all[0].ID == connector && all[0].Health != nil {
			return
		}
	}
	s.T.Fatalf("the server does not take the connector %s up", connector)
}

// Start starts the server and waits until it is ready, which takes a commit for each migration.
func (s *Server) Start() {
	s.T.Helper()
	s.Cmd = s.Command("serve")
	s.Cmd.Stdout, s.Cmd.Stderr = &s.Log, &s.Log
	if err := s.Cmd.Start(); err != nil {
		s.T.Fatal(err)
	}
	exited := make(chan struct{})
	s.Exited = exited
	cmd := s.Cmd
	go func() { _ = cmd.Wait(); close(exited) }()
	s.T.Cleanup(func() { _ = cmd.Process.Kill(); <-exited })
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		resp, err := http.Get("http://" + s.Address + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-exited:
			s.T.Fatalf("the server ended:\n%s", s.Log.String())
		default:
		}
		if time.Now().After(deadline) {
			s.T.Fatalf("the server is not ready:\n%s", s.Log.String())
		}
	}
}

// Kill ends the server as a power cut would.
func (s *Server) Kill() {
	_ = s.Cmd.Process.Kill()
	<-s.Exited
}

// Stop ends the server as an operator would, and gives its exit status.
func (s *Server) Stop() int {
	_ = s.Cmd.Process.Signal(syscall.SIGTERM)
	<-s.Exited
	return s.Cmd.ProcessState.ExitCode()
}
