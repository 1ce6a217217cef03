// Package snstest stands in for Amazon SNS: it signs messages with a certificate of an
// authority of its own, serves that certificate, and notes subscriptions that are
// confirmed. Tests import it, nothing else does.
package snstest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // signature version 1
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Topic is one that the stand-in publishes to.
const Topic = "arn:aws:sns:eu-west-1:123456789012:mail-events"

// Where it is, for those who ask it through its [SNS.RoundTrip].
const (
	Host    = "sns.eu-west-1.amazonaws.com"
	CertURL = "https://" + Host + "/SimpleNotificationService-0123456789abcdef.pem"
	issuers = "http://crt.r2m01.amazontrust.com/r2m01.cer"
)

// SNS is the stand-in. As a transport it answers for SNS and for the authority, and
// for nobody else.
type SNS struct {
	testing.TB
	Roots *x509.CertPool

	key        *rsa.PrivateKey
	rootCert   []byte
	middleCert []byte
	middle     *x509.Certificate
	middleKey  *ecdsa.PrivateKey
	tls        tls.Certificate

	mu        sync.Mutex
	leaf      []byte
	asked     []string
	confirmed []string // tokens
	down      bool
	next      int
}

// New makes a stand-in.
func New(t testing.TB) *SNS {
	t.Helper()
	s := &SNS{TB: t, Roots: x509.NewCertPool()}
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s.must(err)
	s.middleKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s.must(err)
	s.key, err = rsa.GenerateKey(rand.Reader, 2048)
	s.must(err)
	authority := func(name string) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
			NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	}
	root, rootCert := s.certify(authority("Test root"), authority("Test root"), &rootKey.PublicKey, rootKey)
	s.Roots.AddCert(root)
	s.rootCert = rootCert
	s.middle, s.middleCert = s.certify(authority("Test authority"), root, &s.middleKey.PublicKey, rootKey)
	s.Certify(func(*x509.Certificate) {})
	s.tls = s.serverCert()
	return s
}

func (s *SNS) certify(c, parent *x509.Certificate, public, private any) (*x509.Certificate, []byte) {
	s.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, parent, public, private)
	s.must(err)
	cert, err := x509.ParseCertificate(der)
	s.must(err)
	return cert, der
}

// Certify gives it another certificate, for the same key.
func (s *SNS) Certify(change func(*x509.Certificate)) {
	s.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "sns.amazonaws.com"}, DNSNames: []string{"sns.amazonaws.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IssuingCertificateURL: []string{issuers}}
	change(c)
	_, der := s.certify(c, s.middle, &s.key.PublicKey, s.middleKey)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaf = der
}

// Down says whether it answers nothing.
func (s *SNS) Down(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// Confirmed are the tokens of the subscriptions that were confirmed.
func (s *SNS) Confirmed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.confirmed...)
}

// Asked are the addresses that were asked for.
func (s *SNS) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.asked...)
}

// RoundTrip implements [http.RoundTripper].
func (s *SNS) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.URL.String())
	status, body := http.StatusNotFound, []byte(nil)
	switch query := r.URL.Query(); {
	case s.down:
		return nil, io.ErrUnexpectedEOF
	case r.URL.String() == CertURL:
		status, body = http.StatusOK, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.leaf})
	case r.URL.String() == issuers:
		status, body = http.StatusOK, s.middleCert
	case r.URL.Scheme == "https" && r.URL.Host == Host && query.Get("Action") == "ConfirmSubscription" && query.Get("TopicArn") == Topic:
		s.confirmed = append(s.confirmed, query.Get("Token"))
		status = http.StatusOK
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
}

// Message is what it would post, by the names that SNS gives its fields.
type Message map[string]string

// Notification publishes a text.
func (s *SNS) Notification(text string) Message {
	return s.message("Notification", text)
}

// Confirmation asks for a subscription to be confirmed.
func (s *SNS) Confirmation(token string) Message {
	m := s.message("SubscriptionConfirmation", "You have chosen to subscribe to the topic "+Topic+".")
	m["Token"] = token
	m["SubscribeURL"] = "https://" + Host + "/?Action=ConfirmSubscription&TopicArn=" + url.QueryEscape(Topic) + "&Token=" + token
	return m
}

func (s *SNS) message(kind, text string) Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	return Message{
		"Type": kind, "MessageId": "22b80b92-fdea-4c2c-8f9d-" + strconv.Itoa(100_000_000_000+s.next), "TopicArn": Topic, "Message": text,
		"Timestamp": time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), "SignatureVersion": "2", "SigningCertURL": CertURL,
	}
}

// Sign signs a message as it is, and gives the body that is posted.
func (s *SNS) Sign(m Message) []byte {
	s.Helper()
	names := []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	if m["Type"] != "Notification" {
		names = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	var text strings.Builder
	for _, name := range names {
		if value, ok := m[name]; ok {
			text.WriteString(name + "\n" + value + "\n")
		}
	}
	hash, sum := crypto.SHA256, sha256.Sum256([]byte(text.String()))
	digest := sum[:]
	if m["SignatureVersion"] == "1" {
		sum := sha1.Sum([]byte(text.String())) //nolint:gosec // as above
		hash, digest = crypto.SHA1, sum[:]
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, hash, digest)
	s.must(err)
	m["Signature"] = base64.StdEncoding.EncodeToString(signature)
	return m.Body()
}

// Body is the message as it is posted.
func (m Message) Body() []byte {
	body, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		panic(err) // text
	}
	return body
}

func (s *SNS) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}
