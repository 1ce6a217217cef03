package op

import (
	"net/http"
	"net/url"
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
