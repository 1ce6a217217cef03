package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"idp/bench/internal/proc"
)

// reference is what this machine needs, at this moment, for next to nothing: the
// yardstick between machines and between days. CPU time in microseconds.
type reference struct {
	EmptyHandler    float64 `json:"emptyHandlerMicros"`              // of a Go HTTP server per request
	SelectOneClient float64 `json:"selectOneClientMicros,omitempty"` // of the Go process per SELECT 1
	SelectOneServer float64 `json:"selectOneServerMicros,omitempty"` // of Postgres per SELECT 1
	Signature       float64 `json:"signatureMicros,omitempty"`       // of one ES256 signature, with -endpoints
}

// referenceTime is how long each of them is measured.
const referenceTime = 1500 * time.Millisecond

func measureReference(ctx context.Context, db database, clients int) (r reference, err error) {
	if r.EmptyHandler, err = emptyHandler(ctx, clients); err != nil {
		return r, err
	}
	if pg, ok := db.(*served); ok {
		r.SelectOneClient, r.SelectOneServer, err = selectOne(ctx, pg, clients)
	}
	return r, err
}

// referenceArg makes this program the server with the empty handler.
const referenceArg = "-reference-server"

// serveReference prints its address and serves until its standard input ends.
func serveReference() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(ln.Addr())
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadByte()
		os.Exit(0)
	}()
	_ = http.Serve(ln, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	os.Exit(1)
}

func emptyHandler(ctx context.Context, clients int) (float64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, self, referenceArg)
	leash, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() { _ = leash.Close(); _ = cmd.Wait() }()
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return 0, errors.New("the reference server did not start")
	}
	address = "http://" + strings.TrimSpace(address) + "/"
	client := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	used := func() (time.Duration, error) {
		s, err := proc.Read(cmd.Process.Pid)
		return s.Self, err
	}
	return perOperation(ctx, clients, used, func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		a, err := send(&client, req)
		if err != nil {
			return err
		}
		return a.expect(http.StatusOK)
	})
}

func selectOne(ctx context.Context, pg *served, clients int) (client, server float64, err error) {
	ask := func() error {
		var one int
		return pg.read(ctx, `SELECT 1`, &one)
	}
	if client, err = perOperation(ctx, clients, ownCPU, ask); err != nil {
		return 0, 0, err
	}
	server, err = perOperation(ctx, clients, func() (time.Duration, error) { return proc.Family(pg.pid) }, ask)
	return client, server, err
}

// signature signs as an ID token is signed.
func signature(ctx context.Context, clients int) (float64, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return 0, err
	}
	digest := make([]byte, 32)
	return perOperation(ctx, clients, ownCPU, func() error {
		_, _, err := ecdsa.Sign(rand.Reader, key, digest)
		return err
	})
}

// ownCPU is the CPU time of this process.
func ownCPU() (time.Duration, error) {
	var r syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), err
}

// perOperation repeats an operation in parallel and gives the CPU time of each in
// microseconds, by the clock used.
func perOperation(ctx context.Context, clients int, used func() (time.Duration, error), do func() error) (float64, error) {
	if err := do(); err != nil { // opens what is opened once
		return 0, err
	}
	before, err := used()
	if err != nil {
		return 0, err
	}
	var done atomic.Int64
	var first atomic.Value
	var all sync.WaitGroup
	for end := time.Now().Add(referenceTime); clients > 0; clients-- {
		all.Go(func() {
			for time.Now().Before(end) && ctx.Err() == nil {
				if err := do(); err != nil {
					first.CompareAndSwap(nil, fmt.Errorf("measure the reference: %w", err))
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	after, err := used()
	if failed, ok := first.Load().(error); ok {
		err = failed
	}
	return float64((after - before).Nanoseconds()) / 1e3 / float64(max(1, done.Load())), err
}
