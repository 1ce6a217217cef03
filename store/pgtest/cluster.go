package pgtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// Options say what kind of cluster to start.
type Options struct {
	// Fsync makes commits durable, as in production; off is faster for tests.
	Fsync bool
}

// Cluster is a running throw-away Postgres.
type Cluster struct {
	dir      string
	port     int
	pid      int
	watchdog *exec.Cmd
	leash    io.Closer // closing it, or dying, makes the watchdog stop the cluster
}

// errMissing is what to do without Postgres's binaries.
var errMissing = errors.New("no Postgres server binaries (initdb, postgres) on PATH or in /usr/lib/postgresql/*/bin: " +
	"install them (Debian: apt-get install postgresql), or set IDP_TEST_DATABASE_URL")

// Start makes and starts a cluster.
func Start(o Options) (*Cluster, error) {
	bin, err := findBinaries()
	if err != nil {
		return nil, err
	}
	cred, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "idp-postgres-")
	if err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	c := &Cluster{dir: dir}
	if err := c.start(bin, cred, o); err != nil {
		if c.leash != nil {
			_ = c.Stop()
		}
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	return c, nil
}

func (c *Cluster) start(bin string, cred *syscall.Credential, o Options) error {
	if cred != nil {
		if err := os.Chown(c.dir, int(cred.Uid), int(cred.Gid)); err != nil {
			return err
		}
	}
	data := filepath.Join(c.dir, "data")
	command := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Dir = c.dir
		cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred, Setpgid: true}
		return cmd
	}
	if out, err := command("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync").CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	var err error
	if c.port, err = freePort(); err != nil {
		return err
	}
	sync := "off"
	if o.Fsync {
		sync = "on"
	}
	server := command("postgres", "-D", data, "-p", strconv.Itoa(c.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+c.dir,
		"-c", "fsync="+sync, "-c", "synchronous_commit="+sync, "-c", "full_page_writes="+sync,
		"-c", "max_connections=300", "-c", "shared_buffers=256MB", "-c", "log_min_messages=fatal")
	log, err := os.Create(filepath.Join(c.dir, "log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		return err
	}
	c.pid = server.Process.Pid
	go func() { _ = server.Wait() }()
	if err := c.watch(); err != nil {
		_ = server.Process.Signal(syscall.SIGQUIT)
		return err
	}
	return c.waitReady()
}

// watch starts a shell that stops and removes the cluster once its standard input
// ends: when Stop closes it, or when this process dies.
func (c *Cluster) watch() error {
	w := exec.Command("sh", "-c", `read -r _; kill -QUIT "$1"; while kill -0 "$1" 2>/dev/null; do sleep 0.05; done; rm -rf "$2"`,
		"sh", strconv.Itoa(c.pid), c.dir)
	w.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt of the tests must not end it first
	in, err := w.StdinPipe()
	if err != nil {
		return err
	}
	if err := w.Start(); err != nil {
		return err
	}
	c.watchdog, c.leash = w, in
	return nil
}

func (c *Cluster) waitReady() error {
	var err error
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = run(c.URL(), "SELECT 1"); err == nil {
			return nil
		}
	}
	out, _ := os.ReadFile(filepath.Join(c.dir, "log"))
	return fmt.Errorf("it does not answer: %w: %s", err, bytes.TrimSpace(out))
}

// URL is a connection URL to the cluster's database, without a schema of its own.
func (c *Cluster) URL() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", c.port)
}

// PID is the process id of the server's main process.
func (c *Cluster) PID() int { return c.pid }

// Stop stops the cluster at once and removes it.
func (c *Cluster) Stop() error {
	_ = c.leash.Close()
	return c.watchdog.Wait()
}

func findBinaries() (string, error) {
	var dirs []string
	if p, err := exec.LookPath("initdb"); err == nil {
		dirs = append(dirs, filepath.Dir(p))
	}
	installed, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.SortFunc(installed, func(a, b string) int { return version(b) - version(a) })
	for _, dir := range append(dirs, installed...) {
		_, err1 := os.Stat(filepath.Join(dir, "initdb"))
		_, err2 := os.Stat(filepath.Join(dir, "postgres"))
		if err1 == nil && err2 == nil {
			return dir, nil
		}
	}
	return "", errMissing
}

func version(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	return n
}

// unprivileged is whom the server runs as: nil for the current user, somebody
// else when that is root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("start postgres: there is no user postgres or nobody to run it as")
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}
