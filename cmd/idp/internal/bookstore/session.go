package bookstore

import (
	"crypto/rand"
	"net/http"
	"sync"
	"time"
)

// Cookies of the shop. localhost:3000 and localhost:3001 share cookies (a port is
// no boundary for them), so the names say whose they are.
const (
	sessionCookie = "bookstore_session"
	visitCookie   = "bookstore_visit" // ties pending sign-ins to the browser
)

// customer is somebody who is signed in.
type customer struct {
	Name, Email string
	IDToken     string // its claims, as JSON
	UserInfo    string // the answer of the userinfo endpoint, as JSON
	until       time.Time
	hint        string // the ID token as it came: it tells the provider whom to sign out
}

// pending is a sign-in that is under way at the provider.
type pending struct {
	visit, nonce, verifier string
	until                  time.Time
}

// sessions lives in memory: good enough for a sample, where a restart signs
// everybody out.
type sessions struct {
	mu        sync.Mutex
	customers map[string]customer
	pending   map[string]pending // by state
}

func newSessions() *sessions {
	return &sessions{customers: map[string]customer{}, pending: map[string]pending{}}
}

const (
	sessionTTL = 12 * time.Hour
	pendingTTL = time.Hour
	maxPending = 10_000
)

func (s *sessions) open(c customer) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for id, old := range s.customers {
		if now.After(old.until) {
			delete(s.customers, id)
		}
	}
	id := rand.Text()
	c.until = now.Add(sessionTTL)
	s.customers[id] = c
	return id
}

func (s *sessions) of(r *http.Request) (customer, bool) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return customer{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.customers[cookie.Value]
	return c, ok && time.Now().Before(c.until)
}

func (s *sessions) end(r *http.Request) {
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.customers, cookie.Value)
	}
}

// begin remembers a sign-in under a new state.
func (s *sessions) begin(p pending) (state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for id, old := range s.pending {
		if now.After(old.until) || len(s.pending) >= maxPending {
			delete(s.pending, id)
		}
	}
	state = rand.Text()
	p.until = now.Add(pendingTTL)
	s.pending[state] = p
	return state
}

// take gives a pending sign-in back, once, to the browser that began it.
func (s *sessions) take(state, visit string) (pending, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.pending[state]
	if !ok || p.visit != visit {
		return pending{}, false
	}
	delete(s.pending, state)
	return p, time.Now().Before(p.until)
}

func setCookie(w http.ResponseWriter, name, value string, ttl time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(ttl.Seconds()), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
