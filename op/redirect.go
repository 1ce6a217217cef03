package op

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idp/store"
)

// target is where the answer to an authorization request goes.
type target struct {
	uri      string
	state    string
	hasState bool // an empty state is given back as empty
}

func targetOf(req store.AuthRequest) target {
	return target{req.RedirectURI, req.State, req.HasState}
}

// answer builds an authorization response (RFC 6749 section 4.1.2) with the
// issuer (RFC 9207). It only appends, so that the client's URI, query included,
// stays as it was registered, byte by byte.
func (p *Provider) answer(t target, pairs ...string) string {
	if t.hasState {
		pairs = append(pairs, "state", t.state)
	}
	pairs = append(pairs, "iss", p.issuer)
	var b strings.Builder
	b.WriteString(t.uri)
	join := byte('?')
	switch {
	case strings.HasSuffix(t.uri, "?"), strings.HasSuffix(t.uri, "&"):
		join = 0
	case strings.Contains(t.uri, "?"):
		join = '&'
	}
	for i := 0; i < len(pairs); i += 2 {
		if join != 0 {
			b.WriteByte(join)
		}
		join = '&'
		b.WriteString(pairs[i])
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(pairs[i+1]))
	}
	return b.String()
}

// seeOther redirects without a body: a body would repeat the code.
func seeOther(w http.ResponseWriter, location string) {
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusSeeOther)
}

// registered tells whether a client may be answered at uri. URIs are compared as
// strings (RFC 9700 section 2.1); a native client may use any port of a loopback
// address it has registered (RFC 8252 section 7.3).
func registered(c store.Client, uri string) bool {
	if uri == "" || strings.Contains(uri, "#") {
		return false // parameters behind a fragment would not reach the client
	}
	if slices.Contains(c.RedirectURIs, uri) {
		return true
	}
	if c.Type != store.Native {
		return false
	}
	host, rest, ok := loopback(uri)
	return ok && slices.ContainsFunc(c.RedirectURIs, func(known string) bool {
		h, r, ok := loopback(known)
		return ok && h == host && r == rest
	})
}

// loopback splits an http loopback URI into host and what follows the port. It
// looks at bytes and parses nothing: what two parsers could read differently is
// not a loopback URI.
func loopback(uri string) (host, rest string, ok bool) {
	for _, host := range []string{"http://127.0.0.1", "http://[::1]", "http://localhost"} {
		rest, ok := strings.CutPrefix(uri, host)
		if !ok {
			continue
		}
		if port, isPort := strings.CutPrefix(rest, ":"); isPort {
			rest = strings.TrimLeft(port, "0123456789")
			if digits := len(port) - len(rest); digits < 1 || digits > 5 {
				return "", "", false
			}
		}
		if rest == "" || rest[0] == '/' || rest[0] == '?' {
			return host, rest, true
		}
		return "", "", false
	}
	return "", "", false
}
