package smtp_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"maps"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	smtpd "github.com/emersion/go-smtp"

	"idp/mailer"
	"idp/mailer/smtp"
	"idp/store"
)

// sink is a mail server that keeps what it gets and does at each step what a test asks.
type sink struct {
	addr string
	ca   string // PEM
	// at is asked at "auth", "mail", "rcpt", "data" and "taken", the last one when the
	// mail is kept and not yet confirmed.
	at    func(step string, c *smtpd.Conn) error
	mechs []string

	mu     sync.Mutex
	mails  []received
	conns  int
	open   int
	most   int // open at the same time
	logins []string
}

type received struct{ from, to, text string }

// The ways to run a sink.
const (
	bare    = iota // no TLS at all
	upgrade        // STARTTLS
	wrapped        // TLS from the first byte
)

func newSink(t testing.TB, mode int, at func(step string, c *smtpd.Conn) error) *sink {
	t.Helper()
	s := &sink{at: at, mechs: []string{"PLAIN"}}
	cert, ca := certificate(t, "127.0.0.1")
	s.ca = ca
	server := smtpd.NewServer(smtpd.BackendFunc(s.session))
	server.Domain, server.ErrorLog = "sink.test", log.New(io.Discard, "", 0)
	server.AllowInsecureAuth = true // that we do not use it is our own rule
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	switch mode {
	case upgrade:
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	case wrapped:
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}})
	}
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		l.Close() // the server does not know it yet if the test was quick
		<-done
	})
	return s
}

func (s *sink) session(c *smtpd.Conn) (smtpd.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns++
	s.open++
	s.most = max(s.most, s.open)
	return &session{sink: s, conn: c}, nil
}

func (s *sink) step(name string, c *smtpd.Conn) error {
	if s.at == nil {
		return nil
	}
	return s.at(name, c)
}

func (s *sink) got() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

func (s *sink) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

type session struct {
	*sink
	conn *smtpd.Conn
	mail received
}

func (s *session) Reset() { s.mail = received{} }

func (s *session) Logout() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	return nil
}

func (s *session) Mail(from string, _ *smtpd.MailOptions) error {
	s.mail.from = from
	return s.step("mail", s.conn)
}

func (s *session) Rcpt(to string, _ *smtpd.RcptOptions) error {
	s.mail.to = to
	return s.step("rcpt", s.conn)
}

func (s *session) Data(r io.Reader) error {
	if err := s.step("data", s.conn); err != nil {
		return err
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mail.text = string(text)
	s.mu.Lock()
	s.mails = append(s.mails, s.mail)
	s.mu.Unlock()
	return s.step("taken", s.conn)
}

// certificate makes a certificate for names that signs itself.
func certificate(t testing.TB, names ...string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sink"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// config is what a test changes of a connector's configuration.
type config map[string]any

// sender makes a sender to the sink.
func (s *sink) sender(t testing.TB, changes config) *smtp.Sender {
	t.Helper()
	return sender(t, s.addr, changes)
}

func sender(t testing.TB, addr string, changes config) *smtp.Sender {
	t.Helper()
	host, port, _ := net.SplitHostPort(addr)
	c := config{"host": host, "port": port, "fromEmail": "Shop <no-reply@shop.example>", "tls": "none"}
	maps.Copy(c, changes)
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	made, err := smtp.New(text)
	if err != nil {
		t.Fatal(err)
	}
	one := made.(*smtp.Sender)
	t.Cleanup(func() { one.Close() })
	return one
}

var mail = mailer.Rendered{ID: "01j9m1", From: "Bookstore", To: "ada@example.com", Subject: "Sign in to Bookstore", Text: "Your code: 123456\n",
	HTML: "<p>Your code: 123456</p>\n", Usage: store.UsageSignIn, Code: "123456", Locale: "en"}

func send(t testing.TB, s *smtp.Sender, m mailer.Rendered) (mailer.Receipt, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // longer than any sender's own bounds
	defer cancel()
	return s.Send(ctx, m)
}

// failed checks the class of a failed send, after which the mail cannot have left.
func failed(t testing.TB, err error, want mailer.Class) *mailer.SendError {
	t.Helper()
	e := unsure(t, err, want)
	if e.Unsure {
		t.Errorf("unsure: %v", err)
	}
	return e
}

// unsure checks the class of a failed send, after which the mail may have left.
func unsure(t testing.TB, err error, want mailer.Class) *mailer.SendError {
	t.Helper()
	e := failedAny(t, err)
	if e.Class != want {
		t.Errorf("%v (hint %q), want %s", err, e.Hint, want)
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the error has the password: %v", err)
	}
	return e
}

func failedAny(t testing.TB, err error) *mailer.SendError {
	t.Helper()
	var e *mailer.SendError
	if !errors.As(err, &e) {
		t.Fatalf("%v is no SendError", err)
	}
	return e
}
