//go:build chaos

package chaos_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"idp/e2e/rig"
)

// tap is a connection to Postgres that understands so much of the protocol that it can
// let one statement through, keep the answer to its COMMIT to itself, and break the connection.
type tap struct {
	net.Listener
	target string

	mu    sync.Mutex
	text  string // of the statement
	times int    // how often yet
	lost  int    // how often it was done
}

func newTap(t *testing.T, target string) *tap {
	t.Helper()
	ln := rig.Must(net.Listen("tcp", "127.0.0.1:0"))
	p := &tap{Listener: ln, target: target}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go p.join(conn)
		}
	}()
	t.Cleanup(func() { _ = ln.Close() })
	return p
}

// lose loses the answers to the next statements that have this text.
func (p *tap) lose(text string, times int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text, p.times, p.lost = text, times, 0
}

func (p *tap) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// hit tells whether a statement's answer is to be lost.
func (p *tap) hit(sql string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.times == 0 || p.text == "" || !strings.Contains(sql, p.text) {
		return false
	}
	p.times--
	return true
}

func (p *tap) join(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	doomed := make(chan struct{})
	go func() {
		defer func() { _ = server.Close() }()
		p.requests(server, client, doomed)
	}()
	defer func() { _ = client.Close() }()
	p.answers(client, server, doomed)
}

// requests passes on what the client says, and notices the statement being bound.
func (p *tap) requests(to io.Writer, from io.Reader, doomed chan struct{}) {
	named := map[string]string{} // the statements of this connection
	first := true
	for {
		kind, body, whole, err := message(from, first)
		if err != nil {
			return
		}
		first = false
		text := func(b []byte) (s string, rest []byte) {
			s, after, _ := strings.Cut(string(b), "\x00")
			return s, []byte(after)
		}
		switch kind {
		case 'P':
			name, rest := text(body)
			sql, _ := text(rest)
			named[name] = sql
		case 'B':
			_, rest := text(body)
			name, _ := text(rest)
			if p.hit(named[name]) {
				close(doomed)
				doomed = make(chan struct{}) // closed once
			}
		}
		if _, err := to.Write(whole); err != nil {
			return
		}
	}
}

// answers passes on what the server says, until the connection is doomed: then it waits
// for the end of the transaction, says nothing, and resets the connection.
func (p *tap) answers(to net.Conn, from io.Reader, doomed chan struct{}) {
	for {
		kind, _, whole, err := message(from, false)
		if err != nil {
			return
		}
		select {
		case <-doomed:
			if kind != 'Z' { // ReadyForQuery: committed
				continue
			}
			p.mu.Lock()
			p.lost++
			p.mu.Unlock()
			_ = to.(*net.TCPConn).SetLinger(0)
			return
		default:
		}
		if _, err := to.Write(whole); err != nil {
			return
		}
	}
}

// message reads one message; the first of a client has no kind.
func message(from io.Reader, first bool) (kind byte, body, whole []byte, err error) {
	head := make([]byte, 5)
	if first {
		head = head[1:]
	}
	if _, err = io.ReadFull(from, head); err != nil {
		return 0, nil, nil, err
	}
	if !first {
		kind = head[0]
	}
	size := int(binary.BigEndian.Uint32(head[len(head)-4:])) - 4
	if size < 0 || size > 16<<20 {
		return 0, nil, nil, fmt.Errorf("a message of %d bytes", size)
	}
	body = make([]byte, size)
	_, err = io.ReadFull(from, body)
	return kind, body, append(head, body...), err
}

// answerLost breaks the connection to Postgres after the COMMIT of each step that writes,
// before its answer: once, so that the server can ask again, and so often that it gives up.
func answerLost(t *testing.T) {
	pg := cluster(t)
	p := newTap(t, fmt.Sprintf("127.0.0.1:%d", pg.Port()))
	s := on(t, fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable&pool_max_conns=10", p.Addr()), pg.URL())
	c := newCrowd(t, s)
	s.Start()
	c.register()
	for _, w := range []struct{ step, text string }{
		{address, "INSERT INTO challenge"},
		{verify, "tries = tries + CASE"},
		{token, "UPDATE auth_code SET consumed_at"},
		{refresh, "refresh_prev = CASE"},
	} {
		for _, m := range []struct {
			times          int
			where, expects string
		}{
			{1, w.step + ", once", "nobody notices"},
			{6, w.step + ", until the server gives up", map[bool]string{
				false: "503; the same request again gets the same answer", true: "503; the code is used up, and the session gives another"}[w.step == token]},
		} {
			before := c.count() // nobody else is there: all that is lost is this person's
			person := c.person(func(at string) {
				if at == w.step {
					p.lose(w.text, m.times)
				}
			})
			_ = c.signIn(person)
			lost := p.count()
			p.lose("", 0)
			after, v := c.since(before), c.look()
			if lost != m.times {
				v.Wrong = append(v.Wrong, fmt.Sprintf("%d answers were lost, want %d", lost, m.times))
			}
			if m.times > 1 && after.Unavailable == 0 {
				v.Wrong = append(v.Wrong, "the server did not give up")
			}
			if m.times == 1 && after.Unavailable+after.Lost+after.Again > 0 {
				v.Wrong = append(v.Wrong, fmt.Sprintf("somebody noticed: %+v", after))
			}
			add(t, row{Fault: "connection cut after COMMIT, before the answer", Where: m.where, Expected: m.expects,
				Seen: seen(many(lost, "commit")+" without an answer", after, v), Back: person.took[w.step], Tally: after, Verdict: v})
		}
	}
}
