package snstest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"
)

// Environment puts the stand-in in the place of SNS for a whole program: as the proxy
// that the program's requests go through, and with its root among those of the system.
// Requests to others fail.
func (s *SNS) Environment() []string {
	s.Helper()
	proxy := httptest.NewServer(http.HandlerFunc(s.proxy))
	s.Cleanup(proxy.Close)
	roots := filepath.Join(s.TempDir(), "roots.pem")
	s.must(os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.rootCert}), 0o600))
	return []string{"HTTPS_PROXY=" + proxy.URL, "HTTP_PROXY=" + proxy.URL, "NO_PROXY=localhost", "SSL_CERT_FILE=" + roots}
}

func (s *SNS) proxy(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		res, err := s.RoundTrip(r)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer res.Body.Close()
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
		return
	}
	if r.Host != Host+":443" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
	s.answer(tls.Server(conn, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{s.tls}}))
}

// answer answers one request for SNS.
func (s *SNS) answer(conn net.Conn) {
	defer conn.Close()
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	r.URL.Scheme, r.URL.Host = "https", r.Host
	res, err := s.RoundTrip(r)
	if err != nil {
		return
	}
	defer res.Body.Close()
	res.ProtoMajor, res.ProtoMinor, res.Close, res.ContentLength = 1, 1, true, -1
	_ = res.Write(conn)
}

// serverCert is what SNS shows to who connects.
func (s *SNS) serverCert() tls.Certificate {
	s.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s.must(err)
	c := &x509.Certificate{SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: Host}, DNSNames: []string{Host}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	_, der := s.certify(c, s.middle, &key.PublicKey, s.middleKey)
	return tls.Certificate{Certificate: [][]byte{der, s.middleCert}, PrivateKey: key}
}
