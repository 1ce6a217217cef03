package postgres_test

import (
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
	"idp/store/pgtest"
	"idp/store/postgres"
)

// swallower passes bytes on until it is told to swallow them.
type swallower struct {
	net.Listener
	target  string
	swallow atomic.Bool
}

func (p *swallower) serve() {
	for {
		c, err := p.Accept()
		if err != nil {
			return
		}
		s, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = c.Close()
			continue
		}
		quiet := p.swallow.Load() // a connection that has fallen silent stays so
		var once sync.Once
		pass := func(to, from net.Conn) {
			buf := make([]byte, 64<<10)
			for {
				n, err := from.Read(buf)
				if quiet = quiet || p.swallow.Load(); !quiet && n > 0 {
					_, err = to.Write(buf[:n])
				}
				if err != nil && !(quiet && errors.Is(err, io.EOF)) {
					once.Do(func() { _ = c.Close(); _ = s.Close() })
					return
				}
				if err != nil {
					return
				}
			}
		}
		go pass(s, c)
		go pass(c, s)
	}
}

// A network that swallows packets in the middle of a statement: requests come
// back as "unavailable" within the answer's time, and the engine recovers.
func TestSwallowedAnswers(t *testing.T) {
	t.Parallel()
	direct, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &swallower{Listener: ln, target: direct.Host}
	go p.serve()
	t.Cleanup(func() { _ = ln.Close() })
	through := *direct
	through.Host = ln.Addr().String()
	e := openWith(t, through.String()+"&pool_max_conns=2", postgres.Options{StatementTimeout: 200 * time.Millisecond})
	t.Cleanup(func() { _ = e.Close() })
	if err := e.Run(t.Context(), script(true, `SELECT 1`)); err != nil {
		t.Fatal(err)
	}
	p.swallow.Store(true)
	start := time.Now()
	if err := e.Run(t.Context(), script(true, `SELECT 2`)); store.CodeOf(err) != store.Unavailable {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %s to come back", took)
	}
	p.swallow.Store(false)
	for deadline := time.Now().Add(15 * time.Second); ; {
		if err := e.Run(t.Context(), script(true, `SELECT 3`)); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no recovery")
		}
	}
}
