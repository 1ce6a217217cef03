package rig

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"idp/store/pgtest"
)

// Wire is a TCP connection between a server and its database that can fail.
type Wire struct {
	net.Listener
	target string

	mu    sync.Mutex
	state WireState
	moved *sync.Cond
	links map[*link]bool
}

// WireState is what a wire does.
type WireState int

// The states.
const (
	Sound   WireState = iota
	Cut               // nobody listens, and what was open is reset
	Silent            // bytes are lost; a connection that lost some stays silent for ever
	Frozen            // bytes wait, and arrive when the wire is sound again
	Unheard           // the database hears all and does it, and what it says is lost, for ever on that connection
)

// link is one connection through the wire.
type link struct {
	client, server net.Conn
	lost           bool // in both directions
	unheard        bool // what the server says
}

func (l *link) close() {
	_ = l.client.Close()
	if l.server != nil {
		_ = l.server.Close()
	}
}

// NewWire leads to the host of a database.
func NewWire(t *testing.T, target string) *Wire {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &Wire{Listener: ln, target: target, links: map[*link]bool{}}
	w.moved = sync.NewCond(&w.mu)
	go w.accept()
	t.Cleanup(func() { w.Set(Cut); _ = ln.Close() })
	return w
}

// NewWired prepares an installation whose Postgres is behind a wire.
func NewWired(t *testing.T) (*Server, *Wire) {
	t.Helper()
	u := Must(ParseURL(pgtest.URL(t)))
	w := NewWire(t, u.Host)
	u.Host = w.Addr().String()
	// Few connections: all of them meet what the wire does.
	return NewServer(t, "postgres", "IDP_DATABASE_URL="+u.String()+"&pool_max_conns=4"), w
}

// Set changes what the wire does, from now on.
func (w *Wire) Set(s WireState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = s
	w.moved.Broadcast()
	if s == Cut {
		for l := range w.links {
			_ = l.client.(*net.TCPConn).SetLinger(0) // a reset, not a farewell
			l.close()
		}
	}
}

func (w *Wire) accept() {
	for {
		c, err := w.Accept()
		if err != nil {
			return
		}
		go w.join(&link{client: c})
	}
}

func (w *Wire) join(l *link) {
	w.mu.Lock()
	for w.state == Frozen {
		w.moved.Wait()
	}
	l.lost = w.state == Silent
	var err error
	if w.state == Cut {
		err = net.ErrClosed
	} else {
		l.server, err = net.Dial("tcp", w.target)
	}
	if err != nil {
		w.mu.Unlock()
		l.close()
		return
	}
	w.links[l] = true
	w.mu.Unlock()
	go w.pump(l, l.server, l.client)
	w.pump(l, l.client, l.server)
}

// pump passes bytes on. The end of one side is the end of the link, unless the
// other side is not to hear of it.
func (w *Wire) pump(l *link, to, from net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		w.mu.Lock()
		for w.state == Frozen {
			w.moved.Wait()
		}
		l.lost = l.lost || w.state == Silent && n > 0
		l.unheard = l.unheard || w.state == Unheard && n > 0 && from == l.server
		if !l.lost && !(l.unheard && from == l.server) && n > 0 {
			_, err = to.Write(buf[:n])
		}
		if err != nil && l.lost && from == l.server && errors.Is(err, io.EOF) {
			w.mu.Unlock()
			return
		}
		if err != nil {
			delete(w.links, l)
			w.mu.Unlock()
			l.close()
			return
		}
		w.mu.Unlock()
	}
}
