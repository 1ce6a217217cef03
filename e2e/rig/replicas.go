package rig

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
)

// Balancer stands at the endpoint and gives each request to the next of its
// replicas.
type Balancer struct {
	mu   sync.Mutex
	to   []*Server
	next int
}

// Route makes the balancer use these replicas from the next request on.
func (b *Balancer) Route(replicas ...*Server) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.to, b.next = replicas, 0
}

func (b *Balancer) pick() *url.URL {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.to[b.next%len(b.to)]
	b.next++
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
	if r.In.ContentLength > 0 && r.In.ContentLength <= 64<<10 {
		if form, err := io.ReadAll(r.In.Body); err == nil {
			r.Out.Body = io.NopCloser(bytes.NewReader(form))
		}
	}
}

// NewReplicas prepares two servers on one Postgres behind one endpoint. They are
// not started, and have no connector.
func NewReplicas(t *testing.T, env ...string) (a, b *Server, front *Balancer) {
	t.Helper()
	a = Install(t, "postgres", env...)
	ln, err := net.Listen("tcp", a.Address)
	if err != nil {
		t.Fatal(err)
	}
	front = &Balancer{}
	proxy := &http.Server{Handler: &httputil.ReverseProxy{Transport: &http.Transport{MaxIdleConnsPerHost: 256}, Rewrite: front.rewrite}}
	go func() { _ = proxy.Serve(ln) }()
	t.Cleanup(func() { _ = proxy.Close() })
	b = a.Replica()
	a.Address = FreeAddr(t)
	a.Env = append(a.Env, "IDP_LISTEN="+a.Address)
	front.Route(a, b)
	return a, b, front
}

// Replica is another process on the same database, with a folder of its own.
func (s *Server) Replica(env ...string) *Server {
	r := &Server{T: s.T, Dir: s.T.TempDir(), Endpoint: s.Endpoint, Database: s.Database, Engine: s.Engine, Address: FreeAddr(s.T)}
	r.Env = append(append([]string{}, s.Env...), "IDP_LISTEN="+r.Address, "IDP_DATA_DIR="+r.Dir)
	r.Env = append(r.Env, env...)
	return r
}
