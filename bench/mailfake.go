package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"time"

	"idp/mailer/ses/sestest"
)

// fakeArg makes this program the fake SES, in a process of its own, so that its CPU
// time is in nobody's figures.
const fakeArg = "-fake-ses"

// fakeLatency is how long the fake takes for a mail; SES answers in 50 to 200 ms.
const fakeLatency = 50 * time.Millisecond

// arrival is one mail that the fake took.
type arrival struct {
	To string
	At int64 // µs since 1970
}

// introduction is what the fake tells on its first line.
type introduction struct {
	API, Control string
	Config       json.RawMessage
}

// serveFake serves until its standard input ends.
func serveFake() {
	var mu sync.Mutex
	var down bool
	var arrived []arrival
	fake := sestest.Start(sestest.Options{Discard: true, Latency: fakeLatency})
	fake.SetAccount(sestest.Account{SendingEnabled: true, ProductionAccessEnabled: true, EnforcementStatus: "HEALTHY", MaxSendRate: 100_000, Max24HourSend: 1e9})
	fake.Decide(func(m sestest.Mail) sestest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if down {
			return sestest.Unavailable
		}
		arrived = append(arrived, arrival{m.To, time.Now().UnixMicro()})
		return sestest.OK
	})
	control := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch r.URL.Path {
		case "/down":
			down = true
		case "/up":
			down = false
		case "/count":
			_ = json.NewEncoder(w).Encode(len(arrived))
		case "/arrivals": // once
			_ = json.NewEncoder(w).Encode(arrived)
			arrived = nil
		}
	}))
	_ = json.NewEncoder(os.Stdout).Encode(introduction{fake.URL, control.URL, fake.Config(nil)})
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
	os.Exit(0)
}

// fakeSES is that process, seen from here.
type fakeSES struct {
	introduction
	cmd   *exec.Cmd
	leash io.Closer
}

func startFake(ctx context.Context) (*fakeSES, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	f := &fakeSES{cmd: exec.CommandContext(ctx, self, fakeArg)}
	if f.leash, err = f.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := f.cmd.Start(); err != nil {
		return nil, err
	}
	if err := json.NewDecoder(out).Decode(&f.introduction); err != nil {
		return nil, errors.Join(fmt.Errorf("start the fake SES: %w", err), f.close())
	}
	return f, nil
}

func (f *fakeSES) close() error {
	_ = f.leash.Close()
	return f.cmd.Wait()
}

// ask asks the fake something, or tells it to do it.
func (f *fakeSES) ask(ctx context.Context, what string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.Control+"/"+what, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
