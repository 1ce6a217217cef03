package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// sink receives mails from the http connector.
type sink struct {
	*httptest.Server
	t     *testing.T
	mu    sync.Mutex
	mails map[string][]posted // by address
}

// posted is one attempt to send a mail; attempts at the same mail share the id.
type posted struct{ ID, To, Code string }

// newSink makes a sink. answer, if not nil, decides what each attempt meets, by
// its number (from 1); it may take its time.
func newSink(t *testing.T, answer func(r *http.Request, attempt int) (status int)) *sink {
	s := &sink{t: t, mails: map[string][]posted{}}
	attempts := 0
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m posted
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body) // else nobody notices that the caller is gone
		s.mu.Lock()
		s.mails[m.To] = append(s.mails[m.To], m)
		attempts++
		n := attempts
		s.mu.Unlock()
		if answer != nil {
			w.WriteHeader(answer(r, n))
		}
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(s.Close)
	return s
}

// mail waits for the n-th attempt (from 1) to reach an address.
func (s *sink) mail(to string, n int) posted {
	s.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		s.mu.Lock()
		got := s.mails[to]
		s.mu.Unlock()
		if len(got) >= n {
			return got[n-1]
		}
	}
	s.t.Fatalf("mail %d to %s did not arrive", n, to)
	return posted{}
}

// mailTo has the installation post its mails to a URL.
func (s *server) mailTo(url string) {
	s.t.Helper()
	config := filepath.Join(s.dir, "mail.json")
	if err := os.WriteFile(config, fmt.Appendf(nil, `{"url": %q}`, url), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.run("connector", "set", "http", "--file", config)
	if err := os.Remove(config); err != nil {
		s.t.Fatal(err)
	}
}
