// Package dnstest is a DNS server on loopback that knows what a test tells it.
package dnstest

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// Zone is what a server knows: the values of "TYPE name", like "TXT example.com". An MX is
// "10 mx.example.net."; the value [Fails] fails. Names that are nowhere do not exist.
type Zone map[string][]string

// Fails is the value of a record that cannot be had.
const Fails = "SERVFAIL"

// Server answers over UDP and TCP until it is closed.
type Server struct {
	udp net.PacketConn
	tcp net.Listener
}

// Start serves a zone, which may not change from then on.
func Start(z Zone) (*Server, error) {
	var err error
	for range 10 { // somebody else may have the TCP port of that number
		s := &Server{}
		if s.udp, err = new(net.ListenConfig).ListenPacket(context.Background(), "udp", "127.0.0.1:0"); err != nil {
			return nil, err
		}
		if s.tcp, err = new(net.ListenConfig).Listen(context.Background(), "tcp", s.Address()); err == nil {
			go s.packets(z)
			go s.connections(z)
			return s, nil
		}
		_ = s.udp.Close()
	}
	return nil, err
}

func (s *Server) packets(z Zone) {
	buf := make([]byte, 4096)
	for {
		n, from, err := s.udp.ReadFrom(buf)
		if err != nil {
			return
		}
		if answer := z.answer(buf[:n]); answer != nil {
			_, _ = s.udp.WriteTo(answer, from)
		}
	}
}

// connections serves TCP, where a message follows its length (RFC 1035 section 4.2.2).
func (s *Server) connections(z Zone) {
	for {
		conn, err := s.tcp.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			var size [2]byte
			for {
				if _, err := io.ReadFull(conn, size[:]); err != nil {
					return
				}
				query := make([]byte, binary.BigEndian.Uint16(size[:]))
				if _, err := io.ReadFull(conn, query); err != nil {
					return
				}
				answer := z.answer(query)
				if answer == nil {
					return
				}
				_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
			}
		}()
	}
}

// Address is where it listens.
func (s *Server) Address() string { return s.udp.LocalAddr().String() }

// Close stops it.
func (s *Server) Close() error { return errors.Join(s.udp.Close(), s.tcp.Close()) }

func (z Zone) answer(query []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	for _, alias := range z["CNAME "+name] {
		target := dnsmessage.MustNewName(alias + ".")
		m.Answers = append(m.Answers, resource(q.Name, dnsmessage.TypeCNAME, &dnsmessage.CNAMEResource{CNAME: target}))
		q.Name, name = target, alias
	}
	if !z.knows(name) {
		m.RCode = dnsmessage.RCodeNameError
	}
	kind := strings.TrimPrefix(q.Type.String(), "Type")
	for _, value := range z[kind+" "+name] {
		if value == Fails {
			m.RCode = dnsmessage.RCodeServerFailure
			break
		}
		m.Answers = append(m.Answers, resource(q.Name, q.Type, body(q.Type, value)))
	}
	out, err := m.Pack()
	if err != nil {
		panic(err) // a zone that no server could have
	}
	return out
}

func (z Zone) knows(name string) bool {
	for key := range z {
		if strings.HasSuffix(key, " "+name) || strings.HasSuffix(key, "."+name) {
			return true
		}
	}
	return false
}

func resource(name dnsmessage.Name, kind dnsmessage.Type, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: name, Type: kind, Class: dnsmessage.ClassINET, TTL: 60}, Body: body}
}

// maxString is what one string of a TXT record holds.
const maxString = 255

func body(kind dnsmessage.Type, value string) dnsmessage.ResourceBody {
	switch kind {
	case dnsmessage.TypeTXT:
		r := &dnsmessage.TXTResource{}
		for len(value) > maxString {
			r.TXT, value = append(r.TXT, value[:maxString]), value[maxString:]
		}
		r.TXT = append(r.TXT, value)
		return r
	case dnsmessage.TypeMX:
		pref, host, _ := strings.Cut(value, " ")
		n, err := strconv.ParseUint(pref, 10, 16)
		if err != nil {
			panic(err)
		}
		return &dnsmessage.MXResource{Pref: uint16(n), MX: dnsmessage.MustNewName(host)}
	case dnsmessage.TypeA:
		return &dnsmessage.AResource{A: [4]byte(net.ParseIP(value).To4())}
	}
	panic("no value of type " + kind.String())
}
