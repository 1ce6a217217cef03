package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// build compiles the program as a release is compiled, which takes minutes when nothing of it is in the cache.
func build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "idp")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-pgo=bench/idp.pgo", "-o", path, "./cmd/idp")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build ./cmd/idp (run bench from the top of the repository): %w\n%s", err, out)
	}
	return path, nil
}

// program is the binary under test with its settings.
type program struct {
	path string
	dir  string // working folder and log
	env  []string
}

// command runs a subcommand and gives what it printed.
func (p program) command(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Dir, cmd.Env = p.dir, p.env
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("idp %s %s: %w\n%s", args[0], args[1], err, complaint.Bytes())
	}
	return out, nil
}

// connect sets the connector, which posts mails to url.
func (p program) connect(ctx context.Context, url string) error {
	config := filepath.Join(p.dir, "connector.json")
	text, err := json.Marshal(map[string]string{"url": url})
	if err != nil {
		return err
	}
	if err := os.WriteFile(config, text, 0o600); err != nil {
		return err
	}
	_, err = p.command(ctx, "connector", "set", "http", "--file", config)
	return err
}

// server is a running `idp serve`.
type server struct {
	cmd  *exec.Cmd
	log  string
	done chan error
	// From exec until the first 200.
	healthz, readyz time.Duration
}

// serve starts the server and waits until it is ready.
func (p program) serve(ctx context.Context, endpoint string) (*server, error) {
	s := &server{cmd: exec.Command(p.path, "serve"), log: filepath.Join(p.dir, "serve.log"), done: make(chan error, 1)}
	log, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.cmd.Dir, s.cmd.Env, s.cmd.Stderr, s.cmd.Stdout = p.dir, p.env, log, log
	// An interrupt is for the bench, which then stops the server.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	start := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { s.done <- s.cmd.Wait() }()
	if s.healthz, err = s.answers(ctx, start, endpoint+"/healthz"); err == nil {
		s.readyz, err = s.answers(ctx, start, endpoint+"/readyz")
	}
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// answers waits until address answers 200.
func (s *server) answers(ctx context.Context, start time.Time, address string) (time.Duration, error) {
	transport := &http.Transport{DisableKeepAlives: true}
	client := http.Client{Transport: transport, Timeout: 5 * time.Second}
	for deadline := start.Add(30 * time.Second); ; {
		select {
		case err := <-s.done:
			s.done <- err
			return 0, fmt.Errorf("idp serve ended: %w\n%s", err, s.tail())
		case <-ctx.Done():
			return 0, ctx.Err()
		default:
		}
		resp, err := client.Get(address)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return time.Since(start), nil
			}
		}
		if time.Now().After(deadline) {
			return 0, fmt.Errorf("%s does not answer 200\n%s", address, s.tail())
		}
		time.Sleep(time.Millisecond)
	}
}

func (s *server) pid() int { return s.cmd.Process.Pid }

// stop asks the server to end and waits for it.
func (s *server) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-s.done:
		s.done <- err
		if err != nil {
			return fmt.Errorf("idp serve: %w\n%s", err, s.tail())
		}
		return nil
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Kill()
		return fmt.Errorf("idp serve did not stop within 20 s\n%s", s.tail())
	}
}

// tail is the end of the log.
func (s *server) tail() []byte {
	const most = 2000
	text, _ := os.ReadFile(s.log)
	return text[max(0, len(text)-most):]
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}
