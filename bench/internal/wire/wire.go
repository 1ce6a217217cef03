// Package wire stands between a program and its Postgres and counts what the
// program asks for: statements, by their text, and round trips. It needs no
// extension and no log in the database, and sees exactly what was sent.
//
// It understands the frontend messages of protocol 3.0 (PostgreSQL manual,
// "Message Formats") without encryption, and passes every byte on unchanged.
package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"sync"
)

// Counts is what went through since the last Reset.
type Counts struct {
	Statements int            // executed, transaction control included
	RoundTrips int            // times the program waited for an answer
	ByText     map[string]int // statements by their SQL
}

// Proxy is a listening proxy. Make one with Listen.
type Proxy struct {
	ln              net.Listener
	network, target string

	mu     sync.Mutex
	counts Counts
}

// Listen starts a proxy in front of the database at rawURL and gives the URL to
// use instead.
func Listen(rawURL string) (*Proxy, string, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, "", fmt.Errorf("read the database URL: %w", err)
	}
	p := &Proxy{network: "tcp", target: u.Host}
	query := u.Query()
	host, port := u.Hostname(), u.Port()
	if h := query.Get("host"); h != "" {
		host = h
	}
	if q := query.Get("port"); q != "" {
		port = q
	}
	if port == "" {
		port = "5432"
	}
	p.target = net.JoinHostPort(host, port)
	if filepath.IsAbs(host) {
		p.network, p.target = "unix", filepath.Join(host, ".s.PGSQL."+port)
	}
	if p.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, "", err
	}
	query.Del("host")
	query.Del("port")
	query.Set("sslmode", "disable")
	u.Host, u.RawQuery = p.ln.Addr().String(), query.Encode()
	p.Reset()
	go p.accept()
	return p, u.String(), nil
}

// Reset starts counting from zero.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts = Counts{ByText: map[string]int{}}
}

// Counts gives what went through since the last Reset.
func (p *Proxy) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.counts
	c.ByText = maps.Clone(c.ByText)
	return c
}

// Addr is the address the proxy listens on.
func (p *Proxy) Addr() string { return p.ln.Addr().String() }

// Close stops accepting connections; the open ones end with their program.
func (p *Proxy) Close() error { return p.ln.Close() }

func (p *Proxy) accept() {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		go p.serve(client)
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial(p.network, p.target)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	}()
	c := conversation{proxy: p, statements: map[string]string{}, portals: map[string]string{}}
	// An error here is the end of the connection; the program sees it too.
	_ = c.pass(bufio.NewReader(client), server)
}

// maxMessage bounds what is read into memory at once.
const maxMessage = 16 << 20

var errTooLong = errors.New("message too long")

// pass copies messages until the client ends, and counts them. What the client
// sent in one piece goes on in one piece.
func (c *conversation) pass(from *bufio.Reader, to io.Writer) error {
	out := bufio.NewWriterSize(to, 64<<10)
	for {
		head := 5 // type and length
		if !c.started {
			head = 4 // a startup message has no type
		}
		message := make([]byte, head)
		if _, err := io.ReadFull(from, message); err != nil {
			return err
		}
		length := int(binary.BigEndian.Uint32(message[head-4:])) - 4
		if length < 0 || length > maxMessage {
			return errTooLong
		}
		message = append(message, make([]byte, length)...)
		if _, err := io.ReadFull(from, message[head:]); err != nil {
			return err
		}
		if c.started {
			c.count(message[0], message[head:])
		} else if length >= 4 {
			// Requests for encryption and cancellation come before it (1234 in the high half).
			c.started = binary.BigEndian.Uint16(message[head:]) == 3
		}
		if _, err := out.Write(message); err != nil {
			return err
		}
		if from.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}
