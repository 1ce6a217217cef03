package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"idp/bench/internal/proc"
)

const (
	haproxyProgram = "/usr/sbin/haproxy" // where Debian's package puts it
	haproxyConfig  = "deploy/proxy/haproxy.cfg"
	checked        = 3 * time.Second // by then HAProxy knows who is ready
)

// balanced is deploy/proxy's HAProxy configuration without TLS, on one address, with a line for
// each of the servers.
func balanced(config, address string, servers []string) (string, error) {
	const (
		front  = "    bind :443 ssl crt /etc/ssl/idp/id.example.com.pem alpn h2,http/1.1\n"
		plain  = "frontend http\n    bind :80\n    http-request redirect prefix https://id.example.com code 301\n\n"
		server = "    server one 127.0.0.1:3001\n"
	)
	for _, text := range []string{front, plain, server} {
		if strings.Count(config, text) != 1 {
			return "", fmt.Errorf("%s has no line %q", haproxyConfig, text)
		}
	}
	var lines strings.Builder
	for i, s := range servers {
		fmt.Fprintf(&lines, "    server replica%d %s\n", i+1, s)
	}
	return strings.NewReplacer(front, "    bind "+address+"\n", plain, "", server, lines.String()).Replace(config), nil
}

// replicas are servers on one database behind one HAProxy.
type replicas struct {
	servers  []*server
	balancer *exec.Cmd
}

// replicasOnPostgres measures each number of replicas, all of them in turns, and prints a table.
func replicasOnPostgres(ctx context.Context, o options, dir string) (err error) {
	m := describeMachine()
	fmt.Printf("%s, %d cores, %s, %s; %d accounts, %d filled, %d users at once; %s measured after %s\n", m.CPU, m.Cores, m.System, m.Go, o.Users, o.Filled, o.Clients, o.Duration, o.Warmup)
	st, err := setUp(ctx, o, "postgres", dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	st.program.env = append(st.program.env, "IDP_TRUSTED_PROXIES=127.0.0.1/32")
	client, err := st.client(ctx, "traditional", "openid profile email")
	if err != nil {
		return err
	}
	v := st.visitors(client)
	r := result{Engine: "postgres"}
	if err := r.firstStart(ctx, st, v.signIn(o.Clients, "register")); err != nil {
		return err
	}
	if err := st.fill(ctx, o.Filled); err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "replicas\tsign-ins\ta second\tfailed\tCPU ms\tservers\tPostgres\tHAProxy\tleast, most of a server\tp50 ms\tp99 ms\tload\t")
	for range o.BestOf {
		for _, n := range o.Replicas {
			progress("%d replicas", n)
			if err := st.balance(ctx, o, n, v.signIn(o.Clients, "sign_in"), w); err != nil {
				return fmt.Errorf("%d replicas: %w", n, err)
			}
		}
	}
	return w.Flush()
}

// balance measures n replicas and writes their line. The first sign-in that fails is its error,
// so in a line none did.
func (st *stage) balance(ctx context.Context, o options, n int, l load, w *tabwriter.Writer) (err error) {
	all, err := st.replicas(ctx, n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, all.stop()) }()
	var before, after []time.Duration
	var database [2]usage
	timings, took, err := l.window(ctx, o.Warmup, o.Duration, func() (err error) {
		if database[0], err = st.db.usage(ctx); err == nil {
			before, err = all.cpu()
		}
		return err
	}, func() (err error) {
		if database[1], err = st.db.usage(ctx); err == nil {
			after, err = all.cpu()
		}
		return err
	})
	if err != nil {
		return err
	}
	each := func(d time.Duration) float64 { return millis(d) / float64(len(timings)) }
	spent := make([]float64, len(after)) // HAProxy's is the last
	servers := 0.
	for i := range after {
		spent[i] = each(after[i] - before[i])
	}
	for _, one := range spent[:n] {
		servers += one
	}
	postgres, latency := each(database[1].cpu-database[0].cpu), latencyOf("sign-in", timings, timing.total)
	_, err = fmt.Fprintf(w, "%d\t%d\t%.0f\t0\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f, %.2f\t%.0f\t%.0f\t%s\t\n", n, len(timings), float64(len(timings))/took.Seconds(),
		servers+postgres, servers, postgres, spent[n], slices.Min(spent[:n]), slices.Max(spent[:n]), latency.P50, latency.P99, machineLoad())
	return err
}

// replicas starts n servers, and HAProxy at the endpoint.
func (st *stage) replicas(ctx context.Context, n int) (r *replicas, err error) {
	r = &replicas{}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.stop())
		}
	}()
	var addresses []string
	for i := range n {
		address, err := freeAddress()
		if err != nil {
			return r, err
		}
		p := st.program
		p.dir = filepath.Join(st.program.dir, fmt.Sprintf("replica%d", i+1))
		if err := os.MkdirAll(p.dir, 0o700); err != nil {
			return r, err
		}
		p.env = append(slices.Clone(p.env), "IDP_LISTEN="+address) // the later value holds
		s, err := p.serve(ctx, "http://"+address)
		if err != nil {
			return r, err
		}
		r.servers, addresses = append(r.servers, s), append(addresses, address)
	}
	config, err := os.ReadFile(haproxyConfig)
	if err != nil {
		return r, err
	}
	listen := strings.TrimPrefix(st.endpoint, "http://")
	text, err := balanced(string(config), listen, addresses)
	if err != nil {
		return r, err
	}
	file := filepath.Join(st.program.dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return r, err
	}
	balancer := exec.Command(haproxyProgram, "-db", "-f", file)
	balancer.Stderr = os.Stderr
	balancer.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := balancer.Start(); err != nil {
		return r, fmt.Errorf("start HAProxy (Debian: apt-get install haproxy): %w", err)
	}
	r.balancer = balancer
	if err := waitUntil(ctx, 10*time.Second, 20*time.Millisecond, func() (bool, error) {
		c, err := net.Dial("tcp", listen)
		if err != nil {
			return false, nil //nolint:nilerr // it does not listen yet
		}
		return true, c.Close()
	}); err != nil {
		return r, fmt.Errorf("HAProxy does not listen: %w", err)
	}
	time.Sleep(checked)
	return r, nil
}

// cpu is what each server has used so far, and last HAProxy.
func (r *replicas) cpu() (all []time.Duration, err error) {
	for _, s := range r.servers {
		one, err := proc.Read(s.pid())
		if err != nil {
			return nil, err
		}
		all = append(all, one.Self)
	}
	one, err := proc.Read(r.balancer.Process.Pid)
	return append(all, one.Self), err
}

func (r *replicas) stop() (err error) {
	if r.balancer != nil {
		err = r.balancer.Process.Kill()
		_ = r.balancer.Wait() // it was killed
	}
	for _, s := range r.servers {
		err = errors.Join(err, s.stop())
	}
	return err
}
