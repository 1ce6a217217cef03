package webhook

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"idp/store"
)

// Bounds of what can be set.
const (
	maxURL     = 2048
	maxHeaders = 20
	maxName    = 100  // of a header, in bytes
	maxValue   = 1024 // of a header, in bytes
	// MaxRetries is how often a delivery is tried again, and what it is when nothing is set.
	MaxRetries = 9
)

// Config says where and how a hook posts.
type Config struct {
	URL     string
	Headers map[string]string // added to each request
	Retries *int              // how often a delivery is tried again; nil: MaxRetries
}

// ours are headers that are not the operator's to set: those that say how the request is
// framed and where it goes, and those that are made for each delivery. What begins with
// Proxy- is none of them, either.
var ours = []string{
	"host", "content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect",
	"accept-encoding", "http2-settings", "idempotency-key", strings.ToLower(signatureHeader),
}

// Check tells whether a configuration can be used, as a [store.Invalid] error that names
// the field of it below config.
func (c Config) Check(op string, allowed []netip.Prefix) error {
	if err := checkURL(c.URL, allowed); err != "" {
		return store.InvalidField(op, "config.url", err)
	}
	if c.Retries != nil && (*c.Retries < 0 || *c.Retries > MaxRetries) {
		return store.InvalidField(op, "config.retries", fmt.Sprintf("is 0 to %d", MaxRetries))
	}
	if len(c.Headers) > maxHeaders {
		return store.InvalidField(op, "config.headers", fmt.Sprintf("has %d headers; there are %d at most", len(c.Headers), maxHeaders))
	}
	seen := map[string]bool{}
	for name, value := range c.Headers {
		lower := strings.ToLower(name)
		field := "config.headers." + strings.ToValidUTF8(name[:min(len(name), maxName)], "")
		switch {
		case name == "" || len(name) > maxName || strings.IndexFunc(name, notToken) >= 0:
			return store.InvalidField(op, "config.headers", fmt.Sprintf("has a name that is none: %d letters, digits and hyphens at most (RFC 9110 section 5.1)", maxName))
		case slices.Contains(ours, lower) || strings.HasPrefix(lower, "proxy-"):
			return store.InvalidField(op, field, "is not set here: the request has one of its own, or none")
		case seen[lower]:
			return store.InvalidField(op, field, "is there twice")
		case len(value) > maxValue:
			return store.InvalidField(op, field, fmt.Sprintf("has %d bytes; there are %d at most", len(value), maxValue))
		case strings.IndexFunc(value, notValue) >= 0:
			return store.InvalidField(op, field, "has a character that no header carries: visible ASCII and spaces only")
		}
		seen[lower] = true
	}
	return nil
}

func checkURL(text string, allowed []netip.Prefix) string {
	if text == "" {
		return "is missing"
	}
	if len(text) > maxURL {
		return fmt.Sprintf("has %d bytes; there are %d at most", len(text), maxURL)
	}
	if strings.IndexFunc(text, notInURL) >= 0 {
		return "has a character that belongs in no URL: percent-encode it (RFC 3986)"
	}
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.Hostname() == "" {
		return "is no URL: write it like https://example.com/hooks"
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return "is no https URL"
	case u.User != nil:
		return "has credentials: send them in a header"
	case strings.Contains(text, "#"):
		return "has a fragment, which is never sent"
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return "has a port that is none"
		}
	}
	ip, err := netip.ParseAddr(u.Hostname())
	switch {
	case err != nil && endsInNumber(u.Hostname()): // 2130706433, 0x7f.1 and 127.1 are addresses to some resolvers
		return "has a host that is neither a name nor an address"
	case err == nil && ip.Zone() != "":
		return "has a host with a zone"
	case err == nil && !reachable(ip, allowed, u.Scheme == "http"):
		return "leads to an address that nothing is posted to" + hint(u.Scheme)
	case u.Scheme == "http" && len(allowed) == 0:
		return "is no https URL"
	}
	return ""
}

func hint(scheme string) string {
	if scheme == "http" {
		return " without encryption: use https"
	}
	return ": it is private to a network or machine (IDP_WEBHOOK_ALLOW_PRIVATE lets some through)"
}

// endsInNumber tells whether the last label of a host looks like a part of an IPv4 address
// (the WHATWG URL standard, "ends in a number checker").
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	if last == "" {
		return true
	}
	if hex, ok := strings.CutPrefix(last, "0x"); ok && strings.Trim(hex, "0123456789abcdef") == "" {
		return true
	}
	return strings.Trim(last, "0123456789") == ""
}

func notToken(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

func notValue(r rune) bool { return r < ' ' || r > '~' }

func notInURL(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`{|}", r) }
