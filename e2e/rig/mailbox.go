package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Letter is a mail in the development mailbox.
type Letter struct {
	ID, To, From, Subject, Text, HTML, UsageType, Code string
}

// Sink receives mails from the http connector.
type Sink struct {
	*httptest.Server
	t     *testing.T
	mu    sync.Mutex
	mails map[string][]Posted // by address
}

// Posted is one attempt to send a mail; attempts at the same mail share the id.
type Posted struct{ ID, To, From, Subject, Text, HTML, Code string }

// NewSink makes a sink. answer, if not nil, decides what each attempt meets, by
// its number (from 1); it may take its time.
func NewSink(t *testing.T, answer func(r *http.Request, attempt int) (status int)) *Sink {
	s := &Sink{t: t, mails: map[string][]Posted{}}
	attempts := 0
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m Posted
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

// Link finds in a mail the link that leads to a page.
func (s *Server) Link(l Letter, path string) string {
	s.T.Helper()
	found := regexp.MustCompile(regexp.QuoteMeta(s.Endpoint+path+"?t=") + `[0-9A-Za-z_-]+`).FindString(l.Text)
	if found == "" || !strings.Contains(l.HTML, found) {
		s.T.Fatalf("the mail has no link to %s:\n%s", path, l.Text)
	}
	return found
}

// Inbox gives the mails to an address, newest first.
func (s *Server) Inbox(to string) []Letter {
	s.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint+"/dev/inbox.json?to="+url.QueryEscape(to), nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.T.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var letters []Letter
	if err := json.NewDecoder(resp.Body).Decode(&letters); err != nil {
		s.T.Fatalf("read the mailbox: %v (status %d)", err, resp.StatusCode)
	}
	return letters
}

// CodeIn gives the first code of digits in the text of a mail, however long codes are here.
func CodeIn(text string) string { return digits.FindString(text) }

var digits = regexp.MustCompile(`\b\d{6,10}\b`)

// Code waits for the n-th mail to an address (from 1) and gives its code.
func (s *Server) Code(to string, n int) string {
	s.T.Helper()
	return s.Letter(to, n).Code
}

// Letter waits for the n-th mail to an address (from 1): also for one that was in the hands of a
// process that was killed, which is half a minute.
func (s *Server) Letter(to string, n int) Letter {
	s.T.Helper()
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if letters := s.Inbox(to); len(letters) >= n {
			return letters[len(letters)-n]
		}
	}
	s.T.Fatalf("mail %d to %s did not arrive\n%s", n, to, s.Log.String())
	return Letter{}
}

// Came gives what has reached an address, the oldest first.
func (s *Sink) Came(to string) []Posted {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mails[to]
}

// Mail waits for the n-th attempt (from 1) to reach an address.
func (s *Sink) Mail(to string, n int) Posted {
	s.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		got := s.Came(to)
		if len(got) >= n {
			return got[n-1]
		}
	}
	s.t.Fatalf("mail %d to %s did not arrive", n, to)
	return Posted{}
}

// All gives all attempts so far, by address.
func (s *Sink) All() map[string][]Posted {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string][]Posted, len(s.mails))
	for to, mails := range s.mails {
		all[to] = slices.Clone(mails)
	}
	return all
}

// To gives the mails to an address so far, a mail that was tried several times once.
func (s *Sink) To(address string) (mails []Posted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.mails[address] {
		if !slices.ContainsFunc(mails, func(other Posted) bool { return other.ID == m.ID }) {
			mails = append(mails, m)
		}
	}
	return mails
}

// MailTo has the installation post its mails to a URL.
func (s *Server) MailTo(url string) {
	s.T.Helper()
	config := filepath.Join(s.Dir, "mail.json")
	if err := os.WriteFile(config, fmt.Appendf(nil, `{"url": %q}`, url), 0o600); err != nil {
		s.T.Fatal(err)
	}
	s.Run("connector", "set", "http", "--file", config)
	if err := os.Remove(config); err != nil {
		s.T.Fatal(err)
	}
}
