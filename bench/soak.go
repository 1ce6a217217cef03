package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"idp/bench/internal/proc"
)

const (
	soakWindows   = 30 // lines of the table, none longer than a minute
	soakTrial     = 15 * time.Second
	soakBacklog   = 1000 // sign-ins that may wait for a user to be free
	soakComplains = 3    // failures that are told
)

// soaked is one line of the table.
type soaked struct {
	signIns, failed    int
	p50, p99           float64 // milliseconds, from when the sign-in was due
	cpu                float64 // milliseconds a sign-in, server and database
	rss, heap          float64 // MB; the heap after a collection
	goroutines, handle float64
	load               string // of the machine, by all that run on it
}

// flat is what has to stay as it was: the median of the last third of the lines may be so
// much above that of the first.
type flat struct {
	name         string
	value        func(soaked) float64
	times, above float64
}

var flats = []flat{
	{"memory, MB", func(s soaked) float64 { return s.rss }, 1.1, 4},
	{"heap, MB", func(s soaked) float64 { return s.heap }, 1.1, 2},
	{"goroutines", func(s soaked) float64 { return s.goroutines }, 1.1, 10},
	{"files and connections", func(s soaked) float64 { return s.handle }, 1.1, 10},
	{"CPU per sign-in, ms", func(s soaked) float64 { return s.cpu }, 1.25, 0},
	{"p99, ms", func(s soaked) float64 { return s.p99 }, 1.5, 20},
}

// soak has people sign in at half of what the machine can do, and tells what grew.
type soak struct {
	o       options
	st      *stage
	s       *server
	private string // address of the metrics
	due     chan time.Time
	out     io.Writer

	mu   sync.Mutex
	took []time.Duration
	lost []error
}

// soakOnAll soaks each engine; what grew is an error.
func soakOnAll(ctx context.Context, o options, dir string) error {
	m := describeMachine()
	fmt.Printf("%s, %d cores, %s, %s; %d accounts, %d users at once\n", m.CPU, m.Cores, m.System, m.Go, o.Users, o.Clients)
	var grown error
	for _, engine := range o.Engines {
		if err := soakOn(ctx, o, engine, dir); err != nil {
			grown = errors.Join(grown, fmt.Errorf("%s: %w", engine, err))
		}
	}
	return grown
}

func soakOn(ctx context.Context, o options, engine, dir string) (err error) {
	st, err := setUp(ctx, o, engine, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	client, err := st.client(ctx, "traditional", "openid profile email")
	if err != nil {
		return err
	}
	k := &soak{o: o, st: st, out: os.Stdout, due: make(chan time.Time, soakBacklog)}
	if k.private, err = freeAddress(); err != nil {
		return err
	}
	st.program.env = append(st.program.env, "IDP_METRICS_LISTEN="+k.private)
	if k.s, err = st.program.serve(ctx, st.endpoint); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.s.stop()) }()
	v := st.visitors(client)
	progress("%s: registering %d accounts", engine, o.Users)
	if _, err := v.signIn(o.Clients, "register").run(ctx, o.Users, nil); err != nil {
		return err
	}
	l := v.signIn(o.Clients, "sign_in")
	rate := o.Rate
	if rate == 0 {
		if rate, err = halfLoad(ctx, l); err != nil {
			return err
		}
	}
	fmt.Fprintf(k.out, "\n%s: %.1f sign-ins a second for %s\n", engine, rate, o.Soak)
	lines, err := k.run(ctx, l, rate)
	if err != nil {
		return err
	}
	return verdict(lines, k.out)
}

// halfLoad is half of what the machine does when nobody waits.
func halfLoad(ctx context.Context, l load) (float64, error) {
	stop := make(chan struct{})
	time.AfterFunc(soakTrial, func() { close(stop) })
	all, err := l.run(ctx, 0, stop)
	return float64(len(all)) / soakTrial.Seconds() / 2, err
}

// run has the users sign in whenever one is due, and gives the lines of the table.
func (k *soak) run(ctx context.Context, l load, rate float64) (lines []soaked, err error) {
	ctx, cancel := context.WithCancel(ctx)
	var users sync.WaitGroup
	defer func() { cancel(); users.Wait() }()
	users.Go(func() { k.pace(ctx, time.Duration(float64(time.Second)/rate)) })
	for i := range l.clients {
		users.Go(func() {
			t := newTransport()
			defer t.CloseIdleConnections()
			k.work(ctx, l.user(i, t))
		})
	}
	const head, row = "%8s%10s%8s%8s%8s%8s%11s%9s%12s%7s%8s\n", "%8s%10d%8d%8.0f%8.0f%8.2f%11.1f%9.1f%12.0f%7.0f%8s\n"
	fmt.Fprintf(k.out, head, "after", "sign-ins", "failed", "p50 ms", "p99 ms", "CPU ms", "memory MB", "heap MB", "goroutines", "files", "load")
	each := min(time.Minute, k.o.Soak/soakWindows)
	began := time.Now()
	for n := 1; time.Duration(n)*each <= k.o.Soak; n++ {
		line, err := k.line(ctx, began.Add(time.Duration(n)*each))
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
		fmt.Fprintf(k.out, row, (time.Duration(n) * each).Round(time.Second), line.signIns, line.failed,
			line.p50, line.p99, line.cpu, line.rss, line.heap, line.goroutines, line.handle, line.load)
	}
	return lines, nil
}

// pace says when a sign-in is due. One that nobody has room for is lost, and told as a failure.
func (k *soak) pace(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case at := <-tick.C:
			select {
			case k.due <- at:
			default:
				k.done(at, errors.New("the server does not keep up"))
			}
		}
	}
}

// work is one user.
func (k *soak) work(ctx context.Context, do action) {
	for {
		select {
		case <-ctx.Done():
			return
		case at := <-k.due:
			if _, err := do(ctx); ctx.Err() == nil {
				k.done(at, err)
			}
		}
	}
}

func (k *soak) done(due time.Time, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.lost = append(k.lost, err)
		return
	}
	k.took = append(k.took, time.Since(due))
}

// line waits until a time and gives what was until then.
func (k *soak) line(ctx context.Context, until time.Time) (s soaked, err error) {
	before, err := read(ctx, k.st.db, k.s)
	if err != nil {
		return s, err
	}
	select {
	case <-ctx.Done():
		return s, ctx.Err()
	case err := <-k.s.done:
		k.s.done <- err
		return s, fmt.Errorf("idp serve ended: %w\n%s", err, k.s.tail())
	case <-time.After(time.Until(until)):
	}
	after, err := read(ctx, k.st.db, k.s)
	if err != nil {
		return s, err
	}
	k.mu.Lock()
	took, lost := k.took, k.lost
	k.took, k.lost = nil, nil
	k.mu.Unlock()
	for _, err := range lost[:min(len(lost), soakComplains)] {
		progress("failed: %v", err)
	}
	s.signIns, s.failed = len(took), len(lost)
	if s.signIns == 0 {
		return s, errors.New("nobody signed in")
	}
	slices.Sort(took)
	s.p50, s.p99 = millis(took[len(took)/2]), millis(took[(len(took)-1)*99/100])
	s.cpu = millis(after.server-before.server+after.database.cpu-before.database.cpu) / float64(s.signIns)
	rss, _, err := proc.Memory(k.s.pid())
	if err != nil {
		return s, err
	}
	s.rss = megabytes(rss)
	s.load = machineLoad()
	return s, k.inside(ctx, &s)
}

// inside asks the server for what cannot be seen from outside.
func (k *soak) inside(ctx context.Context, s *soaked) error {
	// What is not reachable is collected first: between two collections a heap says little.
	if err := k.ask(ctx, "/debug/pprof/heap?gc=1", func(string) {}); err != nil {
		return err
	}
	found := 0
	err := k.ask(ctx, "/metrics", func(line string) {
		name, value, _ := strings.Cut(line, " ")
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return
		}
		switch name {
		case "go_memstats_heap_alloc_bytes":
			s.heap = n / (1 << 20)
		case "go_goroutines":
			s.goroutines = n
		case "process_open_fds":
			s.handle = n
		default:
			return
		}
		found++
	})
	if err == nil && found != 3 {
		err = fmt.Errorf("/metrics: %d of 3 figures", found)
	}
	return err
}

func (k *soak) ask(ctx context.Context, path string, each func(line string)) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+k.private+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", path, resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	if path != "/metrics" { // a profile, which has no lines
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	for lines.Scan() {
		each(lines.Text())
	}
	return lines.Err()
}

// verdict compares the last third of the lines with the first, without the very first line, in
// which caches and connections are made. What grew is an error.
func verdict(lines []soaked, out io.Writer) (grown error) {
	third := (len(lines) - 1) / 3
	if third == 0 {
		return fmt.Errorf("%d lines are too few to compare", len(lines))
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "median of\tthe first third\tthe last third\tat most\t")
	for _, f := range flats {
		first, last := median(lines[1:1+third], f.value), median(lines[len(lines)-third:], f.value)
		most := first*f.times + f.above
		remark := ""
		if last > most {
			remark, grown = "GREW", errors.Join(grown, fmt.Errorf("%s: %.1f grew to %.1f", f.name, first, last))
		}
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t%s\n", f.name, first, last, most, remark)
	}
	failed, all := 0, 0
	for _, l := range lines {
		failed, all = failed+l.failed, all+l.signIns
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if failed > 0 {
		grown = errors.Join(grown, fmt.Errorf("%d sign-ins failed", failed))
	}
	if grown == nil {
		fmt.Fprintf(out, "flat: %d sign-ins, none failed\n", all)
	}
	return grown
}

func median(lines []soaked, value func(soaked) float64) float64 {
	all := make([]float64, len(lines))
	for i, l := range lines {
		all[i] = value(l)
	}
	slices.Sort(all)
	return all[len(all)/2]
}
