package smtp_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	smtpd "github.com/emersion/go-smtp"

	"idp/mailer"
)

func TestConnectionIsUsedAgain(t *testing.T) {
	t.Parallel()
	server := newSink(t, wrapped, nil)
	s := server.sender(t, config{"tls": config{"policy": "tls", "ca": server.ca}, "auth": config{"user": "ada", "pass": "secret"}, "maxMessages": 4})
	for range 8 {
		if _, err := send(t, s, mail); err != nil {
			t.Fatal(err)
		}
	}
	if n := server.connections(); n != 2 {
		t.Errorf("%d connections for 8 mails, 4 on each", n)
	}
	if n := len(server.got()); n != 8 {
		t.Errorf("%d mails", n)
	}
}

func TestRefusedRecipientLeavesTheConnectionForTheNext(t *testing.T) {
	t.Parallel()
	var refuse atomic.Bool
	refuse.Store(true)
	server := newSink(t, bare, func(step string, _ *smtpd.Conn) error {
		if step == "rcpt" && refuse.Swap(false) {
			return answer(t, "550 5.1.1 User unknown")
		}
		return nil
	})
	s := server.sender(t, nil)
	_, err := send(t, s, mail)
	failed(t, err, mailer.Refused)
	if _, err := send(t, s, mail); err != nil {
		t.Fatal(err)
	}
	if n := server.connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// A connection that breaks before the server could have taken the mail is replaced; one
// that breaks later is not, because that might double the mail.
func TestDroppedConnection(t *testing.T) {
	t.Parallel()
	for step, want := range map[string]struct {
		err   mailer.Class
		mails int // that the server has, with the first one
	}{
		"mail":  {"", 2},
		"rcpt":  {"", 2},
		"data":  {mailer.Temporary, 1}, // the server had said "go ahead"
		"taken": {mailer.Temporary, 2}, // it has the mail, and we do not know
	} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			var drop atomic.Bool
			server := newSink(t, bare, func(at string, c *smtpd.Conn) error {
				if at == step && drop.Swap(false) {
					c.Conn().Close()
				}
				return nil
			})
			s := server.sender(t, nil)
			if _, err := send(t, s, mail); err != nil { // a connection to use again
				t.Fatal(err)
			}
			drop.Store(true)
			_, err := send(t, s, mail)
			if want.err == "" && err != nil {
				t.Error(err)
			}
			if want.err != "" {
				if e := unsure(t, err, want.err); !e.Unsure || !strings.Contains(e.Error(), "may have been taken") {
					t.Error(e)
				}
			}
			if n := len(server.got()); n != want.mails {
				t.Errorf("the server has %d mails, want %d", n, want.mails)
			}
			if _, err := send(t, s, mail); err != nil {
				t.Errorf("the mail after that: %v", err)
			}
		})
	}
}

// A new connection that breaks is the server's trouble: there is no second one at once.
func TestNewConnectionIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	server := newSink(t, bare, func(at string, c *smtpd.Conn) error {
		if at == "mail" {
			c.Conn().Close()
		}
		return nil
	})
	_, err := send(t, server.sender(t, nil), mail)
	failed(t, err, mailer.Temporary)
	if n := server.connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// Servers say goodbye with 421 to connections that they want to end.
func TestGoodbyeOnAnOldConnectionLosesNoMail(t *testing.T) {
	t.Parallel()
	var mails atomic.Int32
	server := newSink(t, bare, func(at string, c *smtpd.Conn) error {
		if at == "mail" && mails.Add(1) == 2 {
			return answer(t, "421 4.4.2 Too long, bye")
		}
		return nil
	})
	s := server.sender(t, nil)
	for range 2 {
		if _, err := send(t, s, mail); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(server.got()); n != 2 {
		t.Errorf("%d mails", n)
	}
}

func TestIdleConnectionEnds(t *testing.T) {
	t.Parallel()
	server := newSink(t, bare, nil)
	s := server.sender(t, config{"idleTimeout": 50})
	if _, err := send(t, s, mail); err != nil {
		t.Fatal(err)
	}
	server.untilOpen(t, 0)
	if _, err := send(t, s, mail); err != nil {
		t.Fatal(err)
	}
	if n := server.connections(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

func TestCloseEndsConnectionsAndMailsStillGo(t *testing.T) {
	t.Parallel()
	server := newSink(t, bare, nil)
	s := server.sender(t, nil)
	for range 2 {
		if _, err := send(t, s, mail); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		server.untilOpen(t, 0)
	}
}

func TestPoolIsBounded(t *testing.T) {
	t.Parallel()
	server := newSink(t, bare, func(at string, _ *smtpd.Conn) error {
		if at == "rcpt" {
			time.Sleep(time.Millisecond)
		}
		return nil
	})
	s := server.sender(t, config{"maxConnections": 3, "maxMessages": 7})
	var all sync.WaitGroup
	for i := range 120 {
		all.Go(func() {
			m := mail
			m.ID = fmt.Sprint(i)
			if _, err := send(t, s, m); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	ids := map[string]bool{}
	for _, got := range server.got() {
		ids[read(t, got.text).Header.Get("Message-Id")] = true
	}
	if n := len(server.got()); n != 120 || len(ids) != 120 {
		t.Errorf("%d mails, %d different", n, len(ids))
	}
	server.mu.Lock()
	defer server.mu.Unlock()
	if server.most > 3+3 { // the server counts them for a moment longer
		t.Errorf("%d connections at the same time", server.most)
	}
}

// Mails in parallel while connections break before, at and after every step: each mail is
// there once if it was taken for certain, and at least once or not at all if we said so.
func TestBreakingConnectionsLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	var n atomic.Int32
	steps := []string{"mail", "rcpt", "data", "taken"}
	server := newSink(t, bare, func(at string, c *smtpd.Conn) error {
		if i := n.Add(1); i%7 == 0 && at == steps[i/7%4] {
			c.Conn().Close()
		}
		return nil
	})
	s := server.sender(t, config{"maxConnections": 4})
	results := make([]error, 200)
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() {
			m := mail
			m.ID = fmt.Sprint(i)
			_, results[i] = send(t, s, m)
		})
	}
	all.Wait()
	times := map[string]int{}
	for _, got := range server.got() {
		times[read(t, got.text).Header.Get("Message-Id")]++
	}
	broken := 0
	for i, err := range results {
		have := times[fmt.Sprintf("<%d@shop.example>", i)]
		switch {
		case err == nil && have != 1:
			t.Errorf("mail %d was sent and is there %d times", i, have)
		case err != nil && have > 1:
			t.Errorf("mail %d is there %d times", i, have)
		case err != nil && have == 1 && !strings.Contains(err.Error(), "may have been taken"):
			t.Errorf("mail %d is there, and the error is %v", i, err)
		}
		if err != nil {
			broken++
		}
	}
	if broken == 0 || broken == len(results) {
		t.Errorf("%d of %d broke", broken, len(results))
	}
}

func TestCanceledSendEndsAtOnceAndHarmsNoOther(t *testing.T) {
	t.Parallel()
	var slow atomic.Bool
	over := make(chan struct{})
	defer close(over)
	server := newSink(t, bare, func(at string, _ *smtpd.Conn) error {
		if at == "rcpt" && slow.Load() {
			<-over
		}
		return nil
	})
	s := server.sender(t, config{"maxConnections": 1})
	slow.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	start := time.Now()
	_, err := s.Send(ctx, mail)
	failed(t, err, mailer.Temporary)
	if took := time.Since(start); took > 6*time.Second { // it would have ended by itself after eight
		t.Errorf("ended after %s", took)
	}
	slow.Store(false)
	if _, err := send(t, s, mail); err != nil {
		t.Error(err)
	}
}

// untilOpen waits until the server has n connections.
func (s *sink) untilOpen(t testing.TB, n int) {
	t.Helper()
	for range 3000 {
		s.mu.Lock()
		open := s.open
		s.mu.Unlock()
		if open == n {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("the server never had %d connections", n)
}
