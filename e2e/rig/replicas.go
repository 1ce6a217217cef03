package rig

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
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
	proxy := &http.Server{Handler: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(front.pick())
		r.Out.Host = r.In.Host
	}}}
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
