package webhook_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idp/store"
	"idp/webhook"
)

// What can be seen to lead nowhere good is refused when it is set.
func TestConfig(t *testing.T) {
	t.Parallel()
	bad := func(field string, c webhook.Config, allow ...netip.Prefix) {
		t.Helper()
		err := c.Check("test", allow)
		var f *store.FieldError
		if store.CodeOf(err) != store.Invalid || !errors.As(err, &f) || f.Field != field {
			t.Errorf("%.80q %v: %v", c.URL, c.Headers, err)
		}
	}
	for _, u := range []string{
		"", "hooks", "/hooks", "https://", "https:///x", "https:hooks.example", "ftp://hooks.example", "file:///etc/passwd", "gopher://hooks.example",
		"http://hooks.example", "javascript:alert(1)", "https://ada:secret@hooks.example", "https://ada@hooks.example/", "https://hooks.example/#x", "https://hooks.example/a b",
		"https://hooks.example/\r\nHost: x", "https://hooks.example/\x00", "https://hooks.exämple/", "https://hooks.example:0/", "https://hooks.example:65536/", "https://hooks.example:x/", "https://hooks.example:/",
		"https://hooks.example/" + strings.Repeat("a", 2048),
		// Addresses that are not public, in every way that one can be written.
		"https://127.0.0.1/", "https://127.0.0.1:8443/", "https://127.255.255.254/", "https://0.0.0.0/", "https://0/", "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/",
		"https://169.254.169.254/latest/meta-data/", "https://100.100.100.200/", "https://192.0.0.192/", "https://255.255.255.255/", "https://224.0.0.1/", "https://198.18.0.1/", "https://240.0.0.1/",
		"https://2130706433/", "https://017700000001/", "https://0x7f000001/", "https://0x7f.1/", "https://127.1/", "https://0177.0.0.1/", "https://127.0.0.1./", "https://127.0.0.01/", "https://1.2.3.4.5/", "https://hooks.example.0x/",
		"https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::127.0.0.1]/", "https://[0:0:0:0:0:ffff:169.254.169.254]/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/", "https://[fd00:ec2::254]/",
		"https://[fc00::1]/", "https://[ff02::1]/", "https://[64:ff9b::7f00:1]/", "https://[64:ff9b::a9fe:a9fe]/", "https://[64:ff9b:1::1]/", "https://[2002:7f00:1::]/", "https://[2002:a00:1::1]/", "https://[2001:0:1::1]/", "https://[2001:db8::1]/", "https://[fec0::1]/",
	} {
		bad("config.url", webhook.Config{URL: u})
	}
	bad("config.url", webhook.Config{URL: "http://10.0.0.1/"}, netip.MustParsePrefix("192.168.0.0/16"))
	bad("config.url", webhook.Config{URL: "http://1.1.1.1/"}, netip.MustParsePrefix("192.168.0.0/16")) // public, but not encrypted
	for _, h := range []string{"Host", "content-length", "Transfer-Encoding", "Connection", "Upgrade", "TE", "Expect", "Proxy-Authorization", "Logto-Signature-SHA-256", "Idempotency-Key", "Content-Encoding"} {
		bad("config.headers."+h, webhook.Config{URL: "https://hooks.example", Headers: map[string]string{h: "x"}})
	}
	for _, name := range []string{"", "a b", "a:b", "a\r\nb", "ä", strings.Repeat("a", 101)} {
		bad("config.headers", webhook.Config{URL: "https://hooks.example", Headers: map[string]string{name: "x"}})
	}
	for _, value := range []string{"a\r\nX: y", "a\nb", "\x00", "ä", "\t", strings.Repeat("a", 1025)} {
		bad("config.headers.X", webhook.Config{URL: "https://hooks.example", Headers: map[string]string{"X": value}})
	}
	many := map[string]string{}
	for i := range 21 {
		many[fmt.Sprint("x", i)] = ""
	}
	bad("config.headers", webhook.Config{URL: "https://hooks.example", Headers: many})
	for _, n := range []int{-1, 10} {
		bad("config.retries", webhook.Config{URL: "https://hooks.example", Retries: &n})
	}
	three := 3
	for _, c := range []webhook.Config{
		{URL: "https://hooks.example"}, {URL: "https://hooks.example:8443/a?b=c%20d"}, {URL: "https://1.1.1.1/"}, {URL: "https://[2606:4700::1111]/"}, {URL: "HTTPS://hooks.example"}, {URL: "https://hooks.example."},
		{URL: "https://hooks.example", Retries: &three, Headers: map[string]string{"Authorization": "Bearer x", "Content-Type": "application/json; charset=utf-8"}},
	} {
		if err := c.Check("test", nil); err != nil {
			t.Error(err)
		}
	}
	for _, u := range []string{"http://10.1.2.3/", "https://10.1.2.3/", "https://[::ffff:10.1.2.3]/", "http://hooks.internal/"} {
		if err := (webhook.Config{URL: u}).Check("test", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}); err != nil {
			t.Error(err)
		}
	}
}

// try posts a test to an address and tells what became of it.
func (w *world) try(s *webhook.Desk, c webhook.Config) webhook.Trial {
	w.Helper()
	h := store.Hook{ID: "try"}
	w.must(s.Seal("test", &h, webhook.Config{URL: "https://hooks.example"}, signingKey))
	trials, err := s.Try(w.Context(), "test", h, []string{webhook.PostSignIn}, c)
	w.must(err)
	return trials[0]
}

// A name may lead anywhere, and elsewhere than it did when it was looked at: what counts
// is the address that is connected to.
func TestNamesOfPrivateAddresses(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var reached atomic.Bool
	server := http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }), ReadHeaderTimeout: time.Minute}
	ln, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's listener
	w.must(err)
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close() })
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	closed := w.desk(nil)
	for _, host := range []string{"localhost", "LOCALHOST"} {
		failed := w.try(closed, webhook.Config{URL: "https://" + host + ":" + port})
		if failed.Err == nil || !strings.Contains(failed.Err.Error(), "nothing is posted to that address") {
			t.Errorf("%s: %v", host, failed)
		}
	}
	// Another network is allowed, so http is; this name leads out of it.
	other := w.desk([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	if failed := w.try(other, webhook.Config{URL: "http://localhost:" + port}); failed.Err == nil || !strings.Contains(failed.Err.Error(), "nothing is posted") {
		t.Error(failed)
	}
	if reached.Load() {
		t.Error("it was reached")
	}
	if failed := w.try(w.desk(loopback), webhook.Config{URL: "http://localhost:" + port}); failed.Err != nil || !reached.Load() {
		t.Errorf("an allowed one was not reached: %v", failed)
	}
}

func TestRedirect(t *testing.T) {
	t.Parallel()
	w := setup(t)
	secret := w.receive(nil)
	for _, status := range []int{301, 302, 303, 307, 308} {
		r := w.receive(func(_ int, rw http.ResponseWriter, req *http.Request) { http.Redirect(rw, req, secret.URL, status) })
		if failed := w.try(w.desk(loopback), webhook.Config{URL: r.URL}); failed.Err == nil || failed.Status != status {
			t.Errorf("%d: %v", status, failed)
		}
	}
	if len(secret.got()) != 0 {
		t.Error("a redirect was followed")
	}
}

// The environment's proxy would connect for us, to anywhere.
func TestProxyOfTheEnvironment(t *testing.T) {
	w := setup(t)
	proxy := w.receive(nil)
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	t.Setenv("ALL_PROXY", proxy.URL)
	// Not loopback, which the library keeps from the proxy by itself: a host that is not found.
	if failed := w.try(w.desk(loopback), webhook.Config{URL: "http://hooks.invalid"}); failed.Err == nil || len(proxy.got()) != 0 {
		t.Errorf("%v; the proxy got %d", failed, len(proxy.got()))
	}
}

// raw answers each connection with bytes of its own.
func (w *world) raw(answer func(net.Conn)) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's listener
	w.must(err)
	w.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = c.Read(make([]byte, 64<<10))
				answer(c)
			}()
		}
	}()
	return "http://" + ln.Addr().String()
}

func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.desk(loopback)
	quickly := func(what string, most time.Duration, u string, fine bool) {
		t.Helper()
		start := time.Now()
		failed := w.try(s, webhook.Config{URL: u})
		if took := time.Since(start); took > most || (failed.Err == nil) != fine {
			t.Errorf("%s: %v after %s", what, failed, took)
		}
	}
	var sent atomic.Int64
	quickly("a giant body", 9*time.Second, w.raw(func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999\r\n\r\n")
		block := make([]byte, 64<<10)
		for {
			n, err := c.Write(block)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}), true)
	if sent.Load() > 32<<20 {
		t.Errorf("%d bytes were taken", sent.Load())
	}
	quickly("giant headers", 9*time.Second, w.raw(func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
		for {
			if _, err := io.WriteString(c, "X: "+strings.Repeat("a", 4000)+"\r\n"); err != nil {
				return
			}
		}
	}), false)
	quickly("a body that trickles", 9*time.Second, w.raw(func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
		for {
			if _, err := io.WriteString(c, "a"); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}), true)
	quickly("no HTTP", 9*time.Second, w.raw(func(c net.Conn) { _, _ = io.WriteString(c, "220 mail.example ESMTP\r\n") }), false)
	quickly("nothing at all", 9*time.Second, w.raw(func(net.Conn) {}), false)
	quickly("an answer that trickles", 20*time.Second, w.raw(func(c net.Conn) {
		for {
			if _, err := io.WriteString(c, "H"); err != nil {
				return
			}
			time.Sleep(500 * time.Millisecond)
		}
	}), false)
	if strings.Contains(w.log.String(), signingKey) {
		t.Error("the log holds the signing key")
	}
}

// An error that is shown and logged holds nothing of the URL, which may hold a token.
func TestErrorsKeepSecrets(t *testing.T) {
	t.Parallel()
	w := setup(t)
	failed := w.try(w.desk(loopback), webhook.Config{URL: "http://127.0.0.1:1/t0ken"}) // nothing listens there
	if failed.Err == nil || strings.Contains(failed.Err.Error(), "t0ken") {
		t.Error(failed)
	}
}
