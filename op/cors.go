package op

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"idp/store"
)

// The CORS rules: a browser app may call the token, revocation and userinfo endpoints
// from the origin of one of its own redirect URIs, without credentials. A preflight
// does not say whose it is, so it is allowed for every client's origins; the
// answer to the call itself is readable only from the calling client's.
// Discovery and keys are open to all. The authorize and end-session endpoints, where a
// browser goes by itself, and introspection, which is for servers, have no CORS.

// originsAge is how long the union of all origins is kept. It bounds both how late
// a new client's browser app works and how often strangers make us list clients.
const originsAge = 5 * time.Second

// clientPage is how many clients are read at once.
const clientPage = 500

// originsTimeout bounds one reading of the list.
const originsTimeout = 5 * time.Second

type originCache struct {
	mu      sync.Mutex
	known   map[string]bool // nil: never read
	until   time.Time       // when to read it anew
	reading chan struct{}   // closed when the reading under way ends; nil: there is none
}

// preflight answers OPTIONS. A refused one has no CORS headers: that is the refusal.
func (p *Provider) preflight(w http.ResponseWriter, r *http.Request, methods []string) {
	w.Header().Set("Allow", strings.Join(append([]string{http.MethodOptions}, methods...), ", "))
	if p.anyClientAt(r.Context(), r.Header.Get("Origin")) {
		allowOrigin(w.Header(), r.Header.Get("Origin"))
		allowPreflight(w.Header(), methods)
	}
	w.WriteHeader(http.StatusNoContent)
}

func allowPreflight(h http.Header, methods []string) {
	h.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept")
	h.Set("Access-Control-Max-Age", "600")
}

func allowOrigin(h http.Header, origin string) {
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
}

// share lets the page of the calling client read the answer. An error that came
// before the client was known may be read from any client's origin: it says
// nothing of a person.
func (p *Provider) share(c *call, status int) {
	origin := c.request.Header.Get("Origin")
	switch {
	case origin == "":
	case c.client != nil:
		if originsOf(*c.client)[origin] {
			allowOrigin(c.Header(), origin)
		}
	case status >= http.StatusBadRequest && p.anyClientAt(c.request.Context(), origin):
		allowOrigin(c.Header(), origin)
	}
}

// anyClientAt tells whether some client has a redirect URI with this origin. One
// caller at a time reads the list; the others take what was known before, as all
// do when the database does not answer, and wait only for the first list of all.
func (p *Provider) anyClientAt(ctx context.Context, origin string) bool {
	if origin == "" {
		return false
	}
	o := &p.origins
	o.mu.Lock()
	known, reading := o.known, o.reading
	mine := reading == nil && !p.store.Now().Before(o.until)
	if mine {
		reading = make(chan struct{})
		o.reading = reading
	}
	o.mu.Unlock()
	switch {
	case mine:
		known = p.readOrigins(ctx, reading)
	case known == nil && reading != nil:
		select {
		case <-reading:
		case <-ctx.Done():
		}
		o.mu.Lock()
		known = o.known
		o.mu.Unlock()
	}
	return known[origin]
}

// readOrigins reads the list for everybody, whether or not the caller who came
// first is still there, and gives what is known then. After an error the next
// caller tries again.
func (p *Provider) readOrigins(ctx context.Context, reading chan struct{}) map[string]bool {
	defer close(reading)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), originsTimeout)
	defer cancel()
	fresh, err := p.allOrigins(ctx)
	if err != nil {
		p.log.WarnContext(ctx, "list the clients' origins", "error", err)
	}
	o := &p.origins
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil {
		o.known, o.until = fresh, p.store.Now().Add(originsAge)
	}
	o.reading = nil
	return o.known
}

func (p *Provider) allOrigins(ctx context.Context) (map[string]bool, error) {
	all := map[string]bool{}
	for after := ""; ; {
		clients, err := p.store.Clients(ctx, after, clientPage)
		if err != nil {
			return nil, err
		}
		for _, c := range clients {
			for origin := range originsOf(c) {
				all[origin] = true
			}
			after = c.ID
		}
		if len(clients) < clientPage {
			return all, nil
		}
	}
}

// originsOf gives the web origins of a client's redirect URIs, as a browser
// writes them (RFC 6454 section 6.1): lower case, no default port.
func originsOf(c store.Client) map[string]bool {
	origins := map[string]bool{}
	for _, uri := range c.RedirectURIs {
		u, err := url.Parse(uri)
		if err != nil || u.Host == "" {
			continue
		}
		host := strings.ToLower(u.Host)
		switch u.Scheme {
		case "https":
			host = strings.TrimSuffix(host, ":443")
		case "http":
			host = strings.TrimSuffix(host, ":80")
		default:
			continue
		}
		origins[u.Scheme+"://"+host] = true
	}
	return origins
}
