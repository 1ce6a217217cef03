package devinbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"idp/web/browser"
	"idp/web/devinbox"
)

// mails is a mailbox in memory; the real one belongs to package mailer.
type mails []devinbox.Item

func (m *mails) List(_ context.Context, to string, limit int) (out []devinbox.Item, _ error) {
	for _, mail := range *m {
		if (to == "" || mail.To == to) && len(out) < limit {
			out = append(out, mail)
		}
	}
	return out, nil
}

func (m *mails) Clear(context.Context) error { *m = nil; return nil }

func setup(t *testing.T) (http.Handler, *mails) {
	t.Helper()
	box := &mails{
		{ID: "two", To: "bob@example.com", Subject: `Sign in <b>`, HTML: "<p>Hi</p><script>alert(1)</script>", Code: "654321", CreatedAt: time.Unix(1700000060, 0)},
		{ID: "one", To: "ada@example.com", Subject: "Sign in", HTML: "<p>Hi</p>", Code: "123456", CreatedAt: time.Unix(1700000000, 0)},
	}
	m, err := devinbox.New(devinbox.Deps{Inbox: box, Browser: browser.New(false), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	r := chi.NewRouter()
	m.Mount(r)
	return r, box
}

func ask(h http.Handler, method, path string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Host, r.RemoteAddr = "localhost:3001", "127.0.0.1:5000"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPage(t *testing.T) {
	t.Parallel()
	h, box := setup(t)
	body := ask(h, http.MethodGet, "/dev/inbox", nil).Body.String()
	if !strings.Contains(body, "654321") || !strings.Contains(body, "Sign in &lt;b&gt;") || strings.Contains(body, "alert(1)") {
		t.Error(body)
	}
	if strings.Index(body, "654321") > strings.Index(body, "123456") {
		t.Error("the newest is not first")
	}
	preview := ask(h, http.MethodGet, "/dev/inbox/two", nil)
	if csp := preview.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "sandbox; default-src 'none'") || !strings.Contains(preview.Body.String(), "<p>Hi</p>") {
		t.Error(csp, preview.Body)
	}
	if w := ask(h, http.MethodGet, "/dev/inbox/none", nil); w.Code != http.StatusNotFound {
		t.Error(w.Code)
	}
	if w := ask(h, http.MethodPost, "/dev/inbox", nil); w.Code != http.StatusSeeOther || len(*box) != 0 {
		t.Error(w.Code, *box)
	}
	if body := ask(h, http.MethodGet, "/dev/inbox?lang=ja", nil).Body.String(); !strings.Contains(body, "メールはまだありません") {
		t.Error(body)
	}
}

// A notice has no code to copy.
func TestMailWithoutACode(t *testing.T) {
	t.Parallel()
	h, box := setup(t)
	*box = mails{{ID: "three", To: "ada@example.com", Subject: "Your account was recovered", HTML: "<p>Hi</p>"}}
	body := ask(h, http.MethodGet, "/dev/inbox", nil).Body.String()
	if !strings.Contains(body, "Your account was recovered") || strings.Contains(body, "data-copy") {
		t.Error(body)
	}
	if body := ask(h, http.MethodGet, "/dev/inbox.json", nil).Body.String(); !strings.Contains(body, `"code":""`) {
		t.Error(body)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	h, box := setup(t)
	var got []map[string]any
	if err := json.Unmarshal(ask(h, http.MethodGet, "/dev/inbox.json?to=ada@example.com", nil).Body.Bytes(), &got); err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	for _, name := range []string{"id", "to", "from", "subject", "text", "html", "usageType", "code", "createdAt"} {
		if _, ok := got[0][name]; !ok {
			t.Errorf("no %s", name)
		}
	}
	if w := ask(h, http.MethodDelete, "/dev/inbox", nil); w.Code != http.StatusNoContent || len(*box) != 0 {
		t.Error(w.Code)
	}
	if body := strings.TrimSpace(ask(h, http.MethodGet, "/dev/inbox.json", nil).Body.String()); body != "[]" {
		t.Error(body)
	}
}

func TestOnlyForThisMachine(t *testing.T) {
	t.Parallel()
	h, box := setup(t)
	strangers := map[string]func(*http.Request){
		"another machine": func(r *http.Request) { r.RemoteAddr = "192.168.1.5:4000" },
		"rebound name":    func(r *http.Request) { r.Host = "evil.example:3001" },
		"like a loopback": func(r *http.Request) { r.Host = "localhost.evil.example:3001" },
		"no host":         func(r *http.Request) { r.Host = "" },
		"HTTP/1.0":        func(r *http.Request) { r.Proto, r.ProtoMinor = "HTTP/1.0", 0 },
	}
	for _, proxy := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Server", "Forwarded", "Via", "X-Real-IP"} {
		strangers[proxy] = func(r *http.Request) { r.Header.Set(proxy, "203.0.113.9") }
		strangers["an empty "+proxy] = func(r *http.Request) { r.Header.Set(proxy, "") }
	}
	for name, change := range strangers {
		for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodPost} {
			if w := ask(h, method, "/dev/inbox", change); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "654321") {
				t.Errorf("%s: %s got %d", name, method, w.Code)
			}
		}
	}
	cross := func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }
	if w := ask(h, http.MethodPost, "/dev/inbox", cross); w.Code != http.StatusForbidden || len(*box) != 2 {
		t.Errorf("another site's form: %d", w.Code)
	}
	for _, host := range []string{"127.0.0.1:3001", "[::1]:3001", "[::1]", "LOCALHOST", "localhost:3001", "idp.localhost:3001", "IDP.localhost"} {
		if w := ask(h, http.MethodGet, "/dev/inbox", func(r *http.Request) { r.Host, r.RemoteAddr = host, "[::1]:9" }); w.Code != http.StatusOK {
			t.Errorf("%s: %d", host, w.Code)
		}
	}
}

// nginx, before 1.29.7 and with nothing but the address to pass on to, calls us by a loopback
// name, names nobody, and speaks HTTP/1.0.
func TestBehindABareProxy(t *testing.T) {
	t.Parallel()
	h, _ := setup(t)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	for version, want := range map[string]string{"1.0": " 403 ", "1.1": " 200 "} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := fmt.Fprintf(conn, "GET /dev/inbox.json HTTP/%s\r\nHost: %s\r\nConnection: close\r\n\r\n", version, server.Listener.Addr()); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		status, _, _ := strings.Cut(string(answer), "\r\n")
		if err != nil || !strings.Contains(status, want) || strings.Contains(string(answer), "654321") != (version == "1.1") {
			t.Errorf("HTTP/%s: %s, %v", version, answer, err)
		}
	}
}
