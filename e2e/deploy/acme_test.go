package deploy_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idp/doctor/dnstest"
	"idp/e2e/rig"
)

// pebble is an ACME authority on this machine.
type pebble struct {
	directory string
	roots     string // file with what its own certificate is checked against
	log       *rig.LockedBuffer
	manage    string
	client    *http.Client
}

// newPebble starts an authority that looks for host on this machine, at these ports.
func newPebble(t *testing.T, tlsPort, httpPort string) *pebble {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "pebble")
	build := exec.Command("go", "build", "-o", binary, "github.com/letsencrypt/pebble/v2/cmd/pebble")
	build.Dir = "pebble"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build Pebble: %v\n%s", err, out)
	}
	dns, err := dnstest.Start(dnstest.Zone{"A " + host: {"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dns.Close() })
	cert, key, pool := issue(t, dir, 1) // for host: the client below and IDP_ACME_ROOTS_FILE know it
	address, manage := rig.FreeAddr(t), rig.FreeAddr(t)
	config := rig.Must(json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": address, "managementListenAddress": manage, "certificate": cert, "privateKey": key,
		"tlsPort": json.Number(tlsPort), "httpPort": json.Number(httpPort), "keyAlgorithm": "ecdsa",
		"retryAfter": map[string]int{"authz": 1, "order": 1},
		"profiles":   map[string]any{"default": map[string]any{"description": "as Let's Encrypt's", "validityPeriod": 90 * 24 * 3600}},
	}}))
	file := filepath.Join(dir, "pebble.json")
	save(t, file, config)
	p := &pebble{directory: "https://" + net.JoinHostPort("localhost", port(address)) + "/dir", roots: cert, log: &rig.LockedBuffer{}, manage: manage}
	cmd := exec.Command(binary, "-config", file, "-dnsserver", dns.Address())
	cmd.Env = append(rig.CleanEnv(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
	cmd.Stdout, cmd.Stderr = p.log, p.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	p.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: host}}}
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if res, err := p.client.Get("https://" + address + "/dir"); err == nil {
			res.Body.Close()
			return p
		}
		if time.Now().After(end) {
			t.Fatalf("Pebble does not start:\n%s", p.log)
		}
	}
}

// pool is what visitors believe: the root that this authority made for itself.
func (p *pebble) pool(t *testing.T) *x509.CertPool {
	t.Helper()
	res := rig.Must(p.client.Get("https://" + p.manage + "/roots/0"))
	defer res.Body.Close()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(rig.Must(io.ReadAll(res.Body))) {
		t.Fatal("Pebble has no root")
	}
	return pool
}

// orders counts the certificates that were made.
func (p *pebble) orders() int { return strings.Count(p.log.String(), "Issued certificate serial") }

// front passes connections to a server: what is outside, port 443 or 80.
func front(t *testing.T, to func() string) (address string) {
	t.Helper()
	ln := rig.Must(net.Listen("tcp", "127.0.0.1:0"))
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer in.Close()
				out, err := new(net.Dialer).DialContext(context.Background(), "tcp", to())
				if err != nil {
					return
				}
				defer out.Close()
				go func() { _, _ = io.Copy(out, in); _ = out.(*net.TCPConn).CloseWrite() }()
				_, _ = io.Copy(in, out)
			}()
		}
	}()
	return ln.Addr().String()
}

// acme is an installation that has its certificate made.
func acme(t *testing.T, engine string, p *pebble, endpoint string, env ...string) (*rig.Server, *rig.Sink) {
	t.Helper()
	mails := rig.NewSink(t, nil)
	s := rig.Install(t, engine)
	s.Endpoint = endpoint
	s.Env = append(append(s.Env, "IDP_ENDPOINT="+endpoint, "IDP_ACME_ACCEPT_TERMS=true", "IDP_ACME_EMAIL=ops@example.com",
		"IDP_ACME_DIRECTORY="+p.directory, "IDP_ACME_ROOTS_FILE="+p.roots), env...)
	s.MailTo(mails.URL)
	return s, mails
}

// Two replicas behind a balancer of connections: an authority makes one certificate, though
// its handshake reaches a replica that did not ask for it. A restart orders nothing.
func TestACMEWithReplicas(t *testing.T) {
	t.Parallel()
	var to atomic.Value
	outside := front(t, func() string { return to.Load().(string) })
	authority := newPebble(t, port(outside), "1")
	a, mails := acme(t, "postgres", authority, "https://"+host+":"+port(outside))

	// The other one cannot reach the authority, so it is not the one that orders.
	b := a.Replica("IDP_ACME_DIRECTORY=https://" + rig.FreeAddr(t) + "/dir")
	to.Store(b.Address)
	start(t, b) // ready without a certificate: whoever balances asks by address
	start(t, a)
	waitFor(t, a, "the certificate is there")
	if n := authority.orders(); n != 1 {
		t.Errorf("%d certificates were made\n%s", n, authority.log)
	}
	b.Stop()
	start(t, b)
	waitFor(t, b, "the certificate is there") // which it cannot have from the authority
	client := through(outside, authority.pool(t))
	signUp(t, b, mails, client, "ada@example.com")

	a.Stop()
	start(t, a)
	to.Store(a.Address)
	client.CloseIdleConnections()
	if res, _ := fetch(t, client, http.MethodGet, a.Endpoint+"/readyz"); res.StatusCode != http.StatusOK {
		t.Errorf("after a restart: %d", res.StatusCode)
	}

	// A name that is not ours gets nothing and orders nothing.
	if _, err := tls.Dial("tcp", outside, &tls.Config{ServerName: "other.example.test", InsecureSkipVerify: true}); err == nil {
		t.Error("a certificate for another name")
	}
	if n := authority.orders(); n != 1 {
		t.Errorf("%d certificates were made for two replicas, a restart and a stranger", n)
	}

	kept := 0
	rows := rig.Must(a.DB().Query(`SELECT sealed FROM certificate`))
	defer rows.Close()
	for rows.Next() {
		var sealed []byte
		if err := rows.Scan(&sealed); err != nil {
			t.Fatal(err)
		}
		if kept++; bytes.Contains(sealed, []byte("BEGIN")) {
			t.Error("a key lies open in the database")
		}
	}
	if err := rows.Err(); err != nil || kept != 2 {
		t.Errorf("%d rows are kept, %v: want account and certificate", kept, err)
	}
}

// Where port 443 cannot be reached by the authority, the one of http does.
func TestACMEOverHTTP(t *testing.T) {
	t.Parallel()
	plain := rig.FreeAddr(t)
	authority := newPebble(t, "1", port(plain))
	s, mails := acme(t, "sqlite", authority, "https://"+host, "IDP_REDIRECT_LISTEN="+plain)
	start(t, s)
	waitFor(t, s, "the certificate is there")
	signUp(t, s, mails, through(s.Address, authority.pool(t)), "ada@example.com")
	res, _ := fetch(t, through(plain, nil), http.MethodGet, "http://"+host+"/account")
	if got := res.Header.Get("Location"); got != s.Endpoint+"/account" {
		t.Errorf("http leads to %q", got)
	}
	if res, _ = fetch(t, through(plain, nil), http.MethodGet, "http://"+host+"/.well-known/acme-challenge/none"); res.StatusCode != http.StatusNotFound {
		t.Errorf("a challenge that nobody set: %d", res.StatusCode)
	}
}

func waitFor(t *testing.T, s *rig.Server, text string) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !strings.Contains(s.Log.String(), text); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %q in the log:\n%s", text, s.Log.String())
		}
	}
}
