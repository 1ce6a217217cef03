package pgtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
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
	// Env is added to the server's environment: "NAME=value".
	Env []string
}

// Cluster is a running throw-away Postgres.
type Cluster struct {
	options  Options
	bin      string
	cred     *syscall.Credential
	settings []string // of a standby, beside those that all have
	dir      string
	port     int
	pid      int
	exited   chan struct{}
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
	c := &Cluster{options: o, bin: bin, cred: cred}
	if err := c.make("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"); err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	return c, nil
}

// make makes the cluster's folder, fills it by a program that is told by -D where, and
// starts the server. What was made is removed if that fails.
func (c *Cluster) make(program string, args ...string) (err error) {
	if c.dir, err = os.MkdirTemp("", "idp-postgres-"); err != nil {
		return err
	}
	defer func() {
		if err != nil && c.leash != nil {
			_ = c.Stop()
		}
		if err != nil {
			_ = os.RemoveAll(c.dir)
		}
	}()
	if c.cred != nil {
		if err := os.Chown(c.dir, int(c.cred.Uid), int(c.cred.Gid)); err != nil {
			return err
		}
	}
	if out, err := c.command(program, append(args, "-D", c.data())...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, bytes.TrimSpace(out))
	}
	if c.port, err = freePort(); err != nil {
		return err
	}
	if err := c.serve(); err != nil {
		return err
	}
	if err := c.watch(); err != nil {
		_ = syscall.Kill(c.pid, syscall.SIGQUIT)
		return err
	}
	return c.waitReady()
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.cred, Setpgid: true}
	return cmd
}

// serve starts the server's main process.
func (c *Cluster) serve() error {
	sync := "off"
	if c.options.Fsync {
		sync = "on"
	}
	server := c.command("postgres", append([]string{"-D", c.data(), "-p", strconv.Itoa(c.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + c.dir,
		"-c", "fsync=" + sync, "-c", "synchronous_commit=" + sync, "-c", "full_page_writes=" + sync,
		"-c", "max_connections=300", "-c", "shared_buffers=256MB", "-c", "log_min_messages=fatal"}, c.settings...)...)
	server.Env = append(server.Env, c.options.Env...)
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		return err
	}
	c.pid = server.Process.Pid
	exited := make(chan struct{})
	c.exited = exited
	go func() { _ = server.Wait(); close(exited) }()
	return os.WriteFile(filepath.Join(c.dir, "pid"), []byte(strconv.Itoa(c.pid)), 0o600)
}

// Kill ends the server as a power cut would: nothing is written any more. [Cluster.Restart]
// starts it again.
func (c *Cluster) Kill() error {
	if err := os.Remove(filepath.Join(c.dir, "pid")); err != nil { // the watchdog kills no other process
		return err
	}
	if err := syscall.Kill(c.pid, syscall.SIGKILL); err != nil {
		return err
	}
	<-c.exited
	return nil
}

// Restart starts a cluster that was killed, at the same address, and waits until it
// answers. It recovers from its log.
func (c *Cluster) Restart() error {
	var err error
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		// While a process of the old server still holds its memory the new one ends at once.
		if err = c.serve(); err != nil {
			return err
		}
		if err = c.waitReady(); err == nil {
			return nil
		}
		select {
		case <-c.exited:
		default:
			return err
		}
	}
	return err
}

// Standby makes a second cluster that follows this one by streaming replication under a
// name, which this one can be told to wait for (synchronous_standby_names).
func (c *Cluster) Standby(name string) (*Cluster, error) {
	s := &Cluster{options: c.options, bin: c.bin, cred: c.cred, settings: []string{
		"-c", fmt.Sprintf("primary_conninfo=host=127.0.0.1 port=%d user=postgres application_name=%s", c.port, name)}}
	if err := s.make("pg_basebackup", "-R", "-X", "stream", "-c", "fast", "--no-sync", "-h", "127.0.0.1", "-p", strconv.Itoa(c.port), "-U", "postgres"); err != nil {
		return nil, fmt.Errorf("start a standby: %w", err)
	}
	return s, nil
}

// WaitFor makes every commit wait until the standby of this name has it on its disk.
func (c *Cluster) WaitFor(name string) error {
	for _, one := range []string{`ALTER SYSTEM SET synchronous_standby_names = '` + name + `'`, `SELECT pg_reload_conf()`} {
		if err := c.Exec(one); err != nil {
			return err
		}
	}
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = c.Exec(`SELECT 1 / COUNT(*) FROM pg_stat_replication WHERE sync_state = 'sync'`); err == nil {
			return nil
		}
	}
	return fmt.Errorf("the standby does not follow: %w", err)
}

// Exec runs a statement on the cluster's database.
func (c *Cluster) Exec(statement string) error { return run(c.URL(), statement) }

// watch starts a shell that stops and removes the cluster once its standard input
// ends: when Stop closes it, or when this process dies.
func (c *Cluster) watch() error {
	w := exec.Command("sh", "-c", `read -r _; if pid=$(cat "$1/pid" 2>/dev/null); then kill -QUIT "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done; fi; rm -rf "$1"`,
		"sh", c.dir)
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
		select {
		case <-c.exited:
			return c.silent(err)
		default:
		}
	}
	return c.silent(err)
}

func (c *Cluster) silent(err error) error {
	out, _ := os.ReadFile(filepath.Join(c.dir, "log"))
	return fmt.Errorf("it does not answer: %w: %s", err, bytes.TrimSpace(out))
}

// URL is a connection URL to the cluster's database, without a schema of its own.
func (c *Cluster) URL() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", c.port)
}

// Port is where it listens on loopback.
func (c *Cluster) Port() int { return c.port }

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
		if binary, err := filepath.EvalSymlinks(p); err == nil { // the other programs are where it is
			dirs = append(dirs, filepath.Dir(binary))
		}
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

// freePort is a port that nobody has, and that the system gives to nobody who wants any one:
// it has to stay free until the server is there.
func freePort() (int, error) {
	var err error
	for range 100 {
		port := 20_000 + rand.N(12_000)
		var l net.Listener
		if l, err = net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("find a free port: %w", err)
}
