package doctor_test

import (
	"net"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"idp/doctor"
	"idp/mailer"
)

// zone is what the DNS server of a test knows: by "TYPE name", the values. The value
// SERVFAIL fails.
type zone map[string][]string

// serveDNS answers from a zone and gives a resolver that asks it.
func serveDNS(t *testing.T, z zone) doctor.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if answer := z.answer(buf[:n]); answer != nil {
				conn.WriteTo(answer, from)
			}
		}
	}()
	return doctor.NewResolver(conn.LocalAddr().String())
}

func (z zone) answer(query []byte) []byte {
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
	known := false
	for key := range z {
		known = known || strings.HasSuffix(key, " "+name) || strings.HasSuffix(key, "."+name)
	}
	if !known {
		m.RCode = dnsmessage.RCodeNameError
	}
	kind := strings.TrimPrefix(q.Type.String(), "Type")
	for _, value := range z[kind+" "+name] {
		if value == "SERVFAIL" {
			m.RCode = dnsmessage.RCodeServerFailure
			break
		}
		m.Answers = append(m.Answers, resource(q.Name, q.Type, body(q.Type, value)))
	}
	out, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return out
}

func resource(name dnsmessage.Name, kind dnsmessage.Type, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: name, Type: kind, Class: dnsmessage.ClassINET, TTL: 60}, Body: body}
}

func body(kind dnsmessage.Type, value string) dnsmessage.ResourceBody {
	switch kind {
	case dnsmessage.TypeTXT:
		r := &dnsmessage.TXTResource{}
		for len(value) > 255 { // a string of a TXT record holds no more
			r.TXT, value = append(r.TXT, value[:255]), value[255:]
		}
		r.TXT = append(r.TXT, value)
		return r
	case dnsmessage.TypeMX:
		pref, host, _ := strings.Cut(value, " ")
		n, _ := strconv.Atoi(pref)
		return &dnsmessage.MXResource{Pref: uint16(n), MX: dnsmessage.MustNewName(host)}
	case dnsmessage.TypeA:
		return &dnsmessage.AResource{A: [4]byte(net.ParseIP(value).To4())}
	}
	panic("no body for " + kind.String())
}

// tells runs a check and gives what it told of one thing, all of it if that is "".
func tells(check string, run func(doctor.Tell)) (out []mailer.Finding) {
	run(func(f mailer.Finding) {
		if check == "" || f.Check == check {
			out = append(out, f)
		}
	})
	return out
}

// is compares one finding: its level, and a part of its text or fix.
func is(t *testing.T, got []mailer.Finding, level mailer.Level, part string) {
	t.Helper()
	if len(got) != 1 || got[0].Level != level || !strings.Contains(got[0].Text+"\n"+got[0].Fix, part) {
		t.Errorf("found %+v, want %s and %q", got, level, part)
	}
}
