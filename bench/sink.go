package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// sink takes the mails that the http connector posts and hands each code to
// whoever waits for its address.
type sink struct {
	url    string
	server *http.Server

	mu    sync.Mutex
	boxes map[string]chan string // by address
}

func newSink() (*sink, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{url: fmt.Sprintf("http://%s/", ln.Addr()), boxes: map[string]chan string{}}
	s.server = &http.Server{Handler: s}
	go func() { _ = s.server.Serve(ln) }() // ends with Close
	return s, nil
}

// ServeHTTP takes one mail.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var mail struct{ To, Code string }
	if err := json.NewDecoder(r.Body).Decode(&mail); err != nil || mail.To == "" || mail.Code == "" {
		http.Error(w, "a mail has to and code", http.StatusBadRequest)
		return
	}
	box := s.box(mail.To)
	select {
	case <-box: // a code that nobody fetched
	default:
	}
	select {
	case box <- mail.Code:
	default:
	}
	w.WriteHeader(http.StatusAccepted)
}

// wait gives the code that comes for an address.
func (s *sink) wait(ctx context.Context, address string) (string, error) {
	select {
	case code := <-s.box(address):
		return code, nil
	case <-ctx.Done():
		return "", fmt.Errorf("no mail came to %s: %w", address, ctx.Err())
	}
}

func (s *sink) box(address string) chan string {
	s.mu.Lock()
	defer s.mu.Unlock()
	box := s.boxes[address]
	if box == nil {
		box = make(chan string, 1)
		s.boxes[address] = box
	}
	return box
}

func (s *sink) close() error { return s.server.Close() }
