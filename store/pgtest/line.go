package pgtest

import (
	"net"
	"net/url"
	"sync"
	"testing"
)

// Line is a connection to the database whose answers can be held back: what was sent is
// done there, and nobody has heard of it yet.
type Line struct {
	// URL is the database behind the line.
	URL string

	target  string
	answers sync.RWMutex // held for writing: they wait
}

// NewLine leads to the database of a URL.
func NewLine(t testing.TB, databaseURL string) *Line {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	l := &Line{target: u.Host}
	u.Host = ln.Addr().String()
	l.URL = u.String()
	go l.serve(ln)
	return l
}

// Hold keeps answers back until release.
func (l *Line) Hold() (release func()) {
	l.answers.Lock()
	return l.answers.Unlock
}

func (l *Line) serve(ln net.Listener) {
	for {
		client, err := ln.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", l.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		go pass(server, client, func(write func()) { write() })
		go pass(client, server, func(write func()) {
			l.answers.RLock()
			defer l.answers.RUnlock()
			write()
		})
	}
}

// pass copies what one side says to the other, until one of them ends.
func pass(to, from net.Conn, during func(write func())) {
	defer func() { _ = to.Close(); _ = from.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			during(func() {
				if _, e := to.Write(buf[:n]); e != nil {
					err = e
				}
			})
		}
		if err != nil {
			return
		}
	}
}
