package certificate_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"idp/cmd/idp/internal/certificate"
	"idp/keyring"
	"idp/store/sqlite"
	"idp/store/sqlitetest"
	"idp/store/sqlstore"
)

const host = "id.example.com"

// pair writes a certificate with a serial number, and its key.
func pair(t *testing.T, dir string, serial int64, life time.Duration) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{host}, NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(life)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write(t, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	return cert, key
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// logged collects a log.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logged) waitFor(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !strings.Contains(l.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %q in the log:\n%s", text, l)
		}
	}
}

// serial shakes hands with a source and gives the serial number of what it got.
func serial(t *testing.T, c *tls.Config, hello *tls.Config) int64 {
	t.Helper()
	client, server := net.Pipe()
	defer client.Close()
	go func() { _ = tls.Server(server, c).Handshake(); server.Close() }()
	hello.InsecureSkipVerify = true
	conn := tls.Client(client, hello)
	if err := conn.Handshake(); err != nil {
		return 0
	}
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestFilesAreReadAgain(t *testing.T) {
	t.Parallel()
	var out logged
	dir := t.TempDir()
	cert, key := pair(t, dir, 1, 90*24*time.Hour)
	f, err := certificate.NewFiles(cert, key, host, slog.New(slog.NewTextHandler(&out, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "level=WARN") {
		t.Errorf("a good certificate warns:\n%s", out.String())
	}
	f.Every = 5 * time.Millisecond
	go f.Run(t.Context())

	// Half of a new pair is there: the old one stays, and it is told once.
	old, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	pair(t, dir, 2, 90*24*time.Hour)
	next, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	out.waitFor(t, "was read again")
	pair(t, dir, 3, 90*24*time.Hour)
	out.waitFor(t, "was read again")
	for end := time.Now().Add(time.Minute); serial(t, f.TLS(), &tls.Config{ServerName: host}) != 3; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the third certificate is not served")
		}
	}
	write(t, key, old)
	out.waitFor(t, "the one before stays")
	time.Sleep(50 * time.Millisecond)
	if n := serial(t, f.TLS(), &tls.Config{ServerName: host}); n != 3 {
		t.Errorf("with half a pair, certificate %d", n)
	}
	write(t, key, next)
	write(t, cert, []byte("nothing"))
	time.Sleep(50 * time.Millisecond)
	if n := serial(t, f.TLS(), &tls.Config{ServerName: host}); n != 3 {
		t.Errorf("with a broken file, certificate %d", n)
	}
}

func TestFilesThatDoNotFit(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), t.TempDir()
	cert, _ := pair(t, dir, 1, time.Hour)
	_, key := pair(t, other, 2, time.Hour)
	if _, err := certificate.NewFiles(cert, key, host, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("another certificate's key was taken")
	}
	if _, err := certificate.NewFiles(filepath.Join(dir, "none"), key, host, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a missing file was taken")
	}
}

func TestBadCertificatesWarn(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		host string
		life time.Duration
	}{
		"not for the host of IDP_ENDPOINT":   {"other.example.com", 90 * 24 * time.Hour},
		"ends soon and was not renewed":      {host, 5 * time.Hour},
		"expired: browsers and apps refuse ": {host, -time.Hour},
	} {
		var out logged
		cert, key := pair(t, t.TempDir(), 1, c.life)
		if _, err := certificate.NewFiles(cert, key, c.host, slog.New(slog.NewTextHandler(&out, nil))); err != nil {
			t.Error(err)
		}
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	t.Parallel()
	cert, key := pair(t, t.TempDir(), 7, time.Hour)
	f, err := certificate.NewFiles(cert, key, host, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for version, want := range map[uint16]int64{tls.VersionTLS10: 0, tls.VersionTLS11: 0, tls.VersionTLS12: 7, tls.VersionTLS13: 7} {
		if got := serial(t, f.TLS(), &tls.Config{ServerName: host, MinVersion: version, MaxVersion: version}); got != want {
			t.Errorf("%s: certificate %d, want %d", tls.VersionName(version), got, want)
		}
	}
}

func TestRedirect(t *testing.T) {
	t.Parallel()
	h := certificate.Redirect("https://id.example.com:8443")
	for target, want := range map[string]string{ // of the request line
		"/":                         "/",
		"/sign-in?r=a%20b":          "/sign-in?r=a%20b",
		"http://evil.example/a":     "/a",
		"http://evil.example//x.yz": "/x.yz",
		"//evil.example/a":          "/evil.example/a",
		"/%2f%2fevil.example":       "/%2f%2fevil.example",
	} {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: evil.example\r\n\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Location"); w.Code != http.StatusMovedPermanently || got != "https://id.example.com:8443"+want {
			t.Errorf("%s: %d to %s, want %s", target, w.Code, got, want)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/oidc/token", strings.NewReader("client_secret=x")))
	if w.Code != http.StatusForbidden || w.Header().Get("Location") != "" {
		t.Errorf("a form over http: %d %v", w.Code, w.Header())
	}
}

// What the authority gave opens with the secret only, and what does not open is made anew.
func TestSealed(t *testing.T) {
	t.Parallel()
	e, err := sqlite.Open(t.Context(), sqlitetest.File(t), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	db := sqlstore.New(e)
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ring := func(fill byte) *keyring.Ring {
		r, err := keyring.New(bytes.Repeat([]byte{fill}, keyring.SecretSize))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	var out logged
	log := slog.New(slog.NewTextHandler(&out, nil))
	cache, other := certificate.NewSealed(db, ring(1), log), certificate.NewSealed(db, ring(2), log)
	if _, err := cache.Get(t.Context(), host); !errors.Is(err, autocert.ErrCacheMiss) {
		t.Error(err)
	}
	key := []byte("-----BEGIN EC PRIVATE KEY-----")
	if err := cache.Put(t.Context(), host, key); err != nil {
		t.Fatal(err)
	}
	if kept, err := db.Certificate(t.Context(), host); err != nil || bytes.Contains(kept, []byte("PRIVATE")) {
		t.Errorf("in the database: %q, %v", kept, err)
	}
	if got, err := cache.Get(t.Context(), host); err != nil || !bytes.Equal(got, key) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := other.Get(t.Context(), host); !errors.Is(err, autocert.ErrCacheMiss) || !strings.Contains(out.String(), "does not open") {
		t.Errorf("under another secret: %v\n%s", err, out.String())
	}
	if err := cache.Delete(t.Context(), host); err != nil {
		t.Error(err)
	}
	if _, err := cache.Get(t.Context(), host); !errors.Is(err, autocert.ErrCacheMiss) {
		t.Error(err)
	}
}

// An authority that does not answer is not asked again for each visitor, and strangers'
// names and health checks never have it asked.
func TestACMEIsAskedSparingly(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 100)
	authority := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		w.WriteHeader(http.StatusForbidden)
	}))
	defer authority.Close()
	pool := x509.NewCertPool()
	pool.AddCert(authority.Certificate())
	var out logged
	a, err := certificate.NewACME(certificate.ACMEConfig{
		Host: host, Directory: authority.URL, Roots: pool, Cache: autocert.DirCache(t.TempDir()), Log: slog.New(slog.NewTextHandler(&out, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got := serial(t, a.TLS(), &tls.Config{ServerName: "other.example.com"}); got != 0 {
			t.Error("a certificate for another name")
		}
		if got := serial(t, a.TLS(), &tls.Config{ServerName: "192.0.2.1"}); got != 1 {
			t.Errorf("a check by address got certificate %d", got)
		}
	}
	if len(asked) > 0 {
		t.Errorf("the authority was asked %d times before anybody came", len(asked))
	}
	for range 5 {
		if got := serial(t, a.TLS(), &tls.Config{ServerName: "ID.example.com."}); got != 0 {
			t.Error("a certificate from an authority that makes none")
		}
	}
	if len(asked) != 1 {
		t.Errorf("the authority was asked %d times for five visitors", len(asked))
	}
	if !strings.Contains(out.String(), "made no certificate") || !strings.Contains(out.String(), "hint=") {
		t.Errorf("the log:\n%s", out.String())
	}
}

// noCache counts what it is asked for.
type noCache struct {
	autocert.Cache
	mu    sync.Mutex
	asked []string
}

func (c *noCache) Get(_ context.Context, name string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, name)
	return nil, autocert.ErrCacheMiss
}

// A stranger who speaks like an authority that looks at another name costs no question to the database.
func TestStrangeChallengesAskNothing(t *testing.T) {
	t.Parallel()
	cache := &noCache{}
	a, err := certificate.NewACME(certificate.ACMEConfig{Host: host, Directory: "https://acme.invalid/directory", Cache: cache, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	looks := func(name string) {
		t.Helper()
		if got := serial(t, a.TLS(), &tls.Config{ServerName: name, NextProtos: []string{acme.ALPNProto}}); got != 0 {
			t.Errorf("a certificate for a challenge at %s that there is not", name)
		}
	}
	looks("other.example.com")
	looks("x." + host)
	if len(cache.asked) != 0 {
		t.Errorf("the database was asked for %q", cache.asked)
	}
	looks(host)
	if len(cache.asked) != 1 {
		t.Errorf("the database was asked for %q: another replica may have begun the challenge", cache.asked)
	}
}

// What the database says of itself when it is away is for the log: strangers ask for challenges, too.
func TestChallengesTellNothingOfTheDatabase(t *testing.T) {
	t.Parallel()
	ring, err := keyring.New(bytes.Repeat([]byte{1}, keyring.SecretSize))
	if err != nil {
		t.Fatal(err)
	}
	var out logged
	log := slog.New(slog.NewTextHandler(&out, nil))
	a, err := certificate.NewACME(certificate.ACMEConfig{Host: host, Directory: "https://acme.invalid/directory", Cache: certificate.NewSealed(awayStore{}, ring, log), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	a.Challenges(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://"+host+"/.well-known/acme-challenge/token", nil))
	if w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "db.internal") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(out.String(), "db.internal") {
		t.Errorf("the log:\n%s", out.String())
	}
}

type awayStore struct{ certificate.Store }

func (awayStore) Certificate(context.Context, string) ([]byte, error) {
	return nil, errors.New("dial tcp db.internal:5432: connection refused")
}
