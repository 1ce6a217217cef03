package store

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxURI bounds a registered URI; browsers and proxies cut longer ones.
const maxURI = 2000

// URIError tells why a URI cannot be registered.
type URIError struct {
	Kind   string // "redirect URI", "post-logout redirect URI"
	URI    string
	Reason string // what is wrong, and what would be right: one of a few fixed sentences, so that it can be translated
}

func (e *URIError) Error() string { return fmt.Sprintf("%s %q %s", e.Kind, e.URI, e.Reason) }

// CheckRedirectURI tells why a redirect URI cannot be registered for clients of
// this type: it must be absolute and exact, https, or http on loopback, or for
// native clients a scheme of the app's own (RFC 6749 section 3.1.2, RFC 8252,
// RFC 9700 section 2.1). The error is a [URIError].
func (t ClientType) CheckRedirectURI(text string) error { return t.checkURI("redirect URI", text) }

// CheckPostLogoutURI is [ClientType.CheckRedirectURI] for the URIs a client
// returns to after a sign-out.
func (t ClientType) CheckPostLogoutURI(text string) error {
	return t.checkURI("post-logout redirect URI", text)
}

func (t ClientType) checkURI(kind, text string) error {
	u, reason := parseExact(text)
	switch {
	case reason != "":
	case u.Scheme == "https", u.Scheme == "http" && IsLoopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		reason = "is http on a host that is not this machine (localhost): use https"
	case t == Native:
		return nil
	default:
		reason = "begins with a scheme of an app's own, which only native apps may have: write it like https://app.example.com/callback"
	}
	return &URIError{Kind: kind, URI: text, Reason: reason}
}

// notForRedirects are schemes that run or read something instead of opening an app.
var notForRedirects = []string{"javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source", "ws", "wss", "ftp", "mailto", "tel",
	"intent", "chrome", "chrome-extension", "jar", "ms-help", "search-ms"}

// parseExact reads a URI, or says what is wrong with it.
func parseExact(text string) (u *url.URL, reason string) {
	if len(text) > maxURI {
		return nil, "is longer than 2000 bytes"
	}
	for _, r := range text {
		if r <= ' ' || r >= 0x7f || r == '\\' {
			return nil, "has a character that is not plain ASCII: write hosts in punycode and encode the rest"
		}
	}
	if strings.ContainsAny(text, "*#") {
		return nil, "has a wildcard or a fragment: register each URI exactly"
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" {
		return nil, "is not absolute: write it like https://app.example.com/callback"
	}
	web := u.Scheme == "https" || u.Scheme == "http"
	switch {
	case u.User != nil:
		return nil, "has a user name in it"
	case web && (u.Hostname() == "" || u.Opaque != "" || !strings.HasPrefix(text[len(u.Scheme):], "://"+u.Host)): // %41.example would be A.example
		return nil, "has no host: write it like https://app.example.com/callback"
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return nil, "has a port that does not exist"
		}
	}
	switch {
	case len(u.Scheme) == 1:
		return nil, "has a scheme of one letter, which is a drive on some systems"
	case slices.Contains(notForRedirects, u.Scheme):
		return nil, "has a scheme that opens no app"
	}
	return u, ""
}

// IsLoopback tells whether a host name or address is this machine by definition
// (RFC 6761 section 6.3, RFC 8252 section 7.3).
func IsLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// Registered tells whether the client may be answered at uri. URIs are compared as
// strings (RFC 9700 section 2.1); a native client may use any port of a loopback
// address it has registered (RFC 8252 section 7.3).
func (c Client) Registered(uri string) bool {
	if uri == "" || strings.Contains(uri, "#") {
		return false // parameters behind a fragment would not reach the client
	}
	if slices.Contains(c.RedirectURIs, uri) {
		return true
	}
	if c.Type != Native {
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
