package rig

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"
)

// Balancer stands at the endpoint and gives each request to the next of its
// replicas. One that refuses the connection is passed over, as balancers do.
type Balancer struct {
	mu   sync.Mutex
	to   []*Server
	away map[*Server]bool // not ready, as far as is known
	next int
	lost int

	transport *http.Transport
}

// Failed is the header that tells an answer of the balancer, for a replica that gave none, and why.
const Failed = "X-Balancer-Failed"

// Route makes the balancer use these replicas from the next request on.
func (b *Balancer) Route(replicas ...*Server) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.to, b.next, b.away = replicas, 0, map[*Server]bool{}
}

// Watch has the balancer ask each replica now and then whether it is ready, until the test
// ends, and pass over those that are not.
func (b *Balancer) Watch(t *testing.T, every time.Duration) {
	ask := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	go func() {
		for tick := time.NewTicker(every); t.Context().Err() == nil; <-tick.C {
			b.mu.Lock()
			all := b.to
			b.mu.Unlock()
			for _, s := range all {
				resp, err := ask.Get("http://" + s.Address + "/readyz")
				if err == nil {
					_ = resp.Body.Close()
				}
				b.mu.Lock()
				b.away[s] = err != nil || resp.StatusCode != http.StatusOK
				b.mu.Unlock()
			}
		}
	}()
}

// Lost is how many requests the balancer had no answer for.
func (b *Balancer) Lost() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lost
}

// pick gives the next replica that is ready; if none is, the next.
func (b *Balancer) pick() *url.URL {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.to[b.next%len(b.to)]
	for range b.to {
		s = b.to[b.next%len(b.to)]
		b.next++
		if !b.away[s] {
			break
		}
	}
	return &url.URL{Scheme: "http", Host: s.Address}
}

// rewrite passes everything on as it came, the headers of forwarding too: who asks plays the
// proxy before this one.
func (b *Balancer) rewrite(r *httputil.ProxyRequest) {
	r.SetURL(b.pick())
	r.Out.Host = r.In.Host
	for name, values := range r.In.Header {
		r.Out.Header[name] = slices.Clone(values)
	}
	// A form is read to its end first: of a replica that answers before its last byte was
	// seen, the answer would be cut off.
	if r.In.ContentLength > 0 && r.In.ContentLength <= small {
		if form, err := io.ReadAll(r.In.Body); err == nil {
			r.Out.Body = io.NopCloser(bytes.NewReader(form))
		}
	}
}

// small is a form that can be sent again.
const small = 64 << 10

// RoundTrip sends a request to the replica that was picked, and to another one if that
// takes no connection: then it has seen nothing of the request. Nor has it of one that found its connection closed
// before a byte was written: the transport sends that again by itself, if it can have the body again.
func (b *Balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.ContentLength < 0 || r.ContentLength > small {
		return b.transport.RoundTrip(r)
	}
	var form []byte
	if r.Body != nil {
		var err error
		if form, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	for try := 1; ; try++ {
		again := r.Clone(r.Context())
		again.Body = http.NoBody
		if len(form) > 0 {
			again.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(form)), nil }
			again.Body, _ = again.GetBody()
		}
		resp, err := b.transport.RoundTrip(again)
		var op *net.OpError
		if err == nil || try == 4 || !errors.As(err, &op) || op.Op != "dial" {
			return resp, err
		}
		to := b.pick()
		r.URL.Scheme, r.URL.Host = to.Scheme, to.Host
	}
}

// idle is for how long the balancer keeps a connection that it does not use. A burst opens some that
// nothing is sent on, and those the program closes after 5 s, as it does with all that send no head: a
// request that met that moment would be lost.
const idle = 3 * time.Second

// NewReplicas prepares two servers on one Postgres behind one endpoint. They are
// not started, and have no connector.
func NewReplicas(t *testing.T, env ...string) (a, b *Server, front *Balancer) {
	t.Helper()
	a = Install(t, "postgres", env...)
	front = a.Balanced()
	b = a.Replica()
	front.Route(a, b)
	return a, b, front
}

// Balanced puts a balancer at the server's endpoint; the server listens elsewhere from now on.
func (s *Server) Balanced() *Balancer {
	s.T.Helper()
	ln, err := net.Listen("tcp", s.Address)
	if err != nil {
		s.T.Fatal(err)
	}
	front := &Balancer{transport: &http.Transport{MaxIdleConnsPerHost: 256, IdleConnTimeout: idle}}
	proxy := &http.Server{Handler: &httputil.ReverseProxy{
		Rewrite:   front.rewrite,
		Transport: front,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			front.mu.Lock()
			front.lost++
			front.mu.Unlock()
			w.Header().Set(Failed, err.Error())
			w.WriteHeader(http.StatusBadGateway)
		},
	}}
	go func() { _ = proxy.Serve(ln) }()
	s.T.Cleanup(func() { _ = proxy.Close() })
	s.Address = FreeAddr(s.T)
	s.Env = append(s.Env, "IDP_LISTEN="+s.Address)
	front.Route(s)
	return front
}

// Replica is another process on the same database, with a folder of its own.
func (s *Server) Replica(env ...string) *Server {
	r := &Server{T: s.T, Dir: s.T.TempDir(), Endpoint: s.Endpoint, Database: s.Database, Engine: s.Engine, Program: s.Program, Address: FreeAddr(s.T)}
	r.Env = append(append([]string{}, s.Env...), "IDP_LISTEN="+r.Address, "IDP_DATA_DIR="+r.Dir)
	r.Env = append(r.Env, env...)
	return r
}
