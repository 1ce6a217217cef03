package deploy_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"idp/e2e/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// host is where the provider is, by a name that only the tests' clients know.
const host = "id.example.test"

// issue writes a self-signed certificate for host with its key, and gives a pool that
// believes it.
func issue(t *testing.T, dir string, serial int64) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private := rig.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{host, "localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der := rig.Must(x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private))
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	save(t, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	save(t, key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: rig.Must(x509.MarshalPKCS8PrivateKey(private))}))
	pool = x509.NewCertPool()
	pool.AddCert(rig.Must(x509.ParseCertificate(der)))
	return cert, key, pool
}

func save(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// through is a client that reaches every host at one address, from a loopback address of
// its own, so that it can be told from a proxy on this machine.
func through(address string, pool *x509.CertPool) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(visitorIP)}}
	return &http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, address)
			},
		}}
}

const visitorIP = "127.0.0.9"

func port(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// start starts a server that may speak https, and waits until it says that it is ready,
// by its own command.
func start(t *testing.T, s *rig.Server) {
	t.Helper()
	s.Cmd = exec.Command(rig.Binary, "serve")
	s.Cmd.Env, s.Cmd.Dir = s.Env, s.Dir
	s.Cmd.Stdout, s.Cmd.Stderr = &s.Log, &s.Log
	if err := s.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	cmd, exited := s.Cmd, make(chan struct{})
	s.Exited = exited
	go func() { _ = cmd.Wait(); close(exited) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-exited })
	for end := time.Now().Add(90 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		health := exec.Command(rig.Binary, "health")
		health.Env, health.Dir = s.Env, s.Dir
		if health.Run() == nil {
			return
		}
		select {
		case <-exited:
			t.Fatalf("the server ended:\n%s", s.Log.String())
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("the server is not ready:\n%s", s.Log.String())
		}
	}
}

// signUp registers somebody with an app whose state is as long as states get, through a
// client, and gives the visitor.
func signUp(t *testing.T, s *rig.Server, mails *rig.Sink, client *http.Client, email string) *rig.Visitor {
	t.Helper()
	app := s.NewClient()
	v := rig.NewVisitor(t, s)
	v.HTTP.Transport = client.Transport
	r := s.Request(app)
	r.Params.Set("first_screen", "register")
	r.Params.Set("state", strings.Repeat("state", 400))
	p := v.Enter(r, email).Is(200)
	answer := v.Submit(p, "/verify", "code", mails.Mail(email, 1).Code).Answer(r)
	if answer.Get("code") == "" || answer.Get("state") != r.Params.Get("state") {
		t.Fatalf("the app is told %v\n%s", answer, s.Log.String())
	}
	if page := v.Get("/account").Is(200, email); page.Header.Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS")
	}
	return v
}

// fetch gives an answer with its body read.
func fetch(t *testing.T, client *http.Client, method, url string, header ...string) (*http.Response, string) {
	t.Helper()
	req := rig.Must(http.NewRequest(method, url, nil))
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res, string(rig.Must(io.ReadAll(res.Body)))
}
