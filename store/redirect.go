package store

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// maxURI bounds a registered URI; browsers and proxies cut longer ones.
const maxURI = 2000

// CheckRedirectURI tells why a redirect URI cannot be registered for clients of
// this type: it must be absolute and exact, https, or http on loopback, or for
// native clients a scheme of the app's own (RFC 6749 section 3.1.2, RFC 8252,
// RFC 9700 section 2.1).
func (t ClientType) CheckRedirectURI(text string) error {
	u, err := parseExact(text)
	if err != nil {
		return fmt.Errorf("redirect URI %q %w", text, err)
	}
	switch u.Scheme {
	case "https":
		return nil
	case "http":
		if IsLoopback(u.Hostname()) {
			return nil
		}
		return fmt.Errorf("redirect URI %q is http on a host that is not loopback: use https", text)
	}
	if t != Native {
		return fmt.Errorf("redirect URI %q has the scheme %q: only native clients may have one of their own", text, u.Scheme)
	}
	return nil
}

// CheckPostLogoutURI is [ClientType.CheckRedirectURI] for the URIs a client
// returns to after a sign-out.
func (t ClientType) CheckPostLogoutURI(text string) error {
	if err := t.CheckRedirectURI(text); err != nil {
		return fmt.Errorf("post-logout %w", err)
	}
	return nil
}

// notForRedirects are schemes that run or read something instead of opening an app.
var notForRedirects = []string{"javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source", "ws", "wss", "ftp", "mailto", "tel",
	"intent", "chrome", "chrome-extension", "jar", "ms-help", "search-ms"}

func parseExact(text string) (*url.URL, error) {
	if len(text) > maxURI {
		return nil, fmt.Errorf("is longer than %d bytes", maxURI)
	}
	for _, r := range text {
		if r <= ' ' || r >= 0x7f || r == '\\' {
			return nil, errors.New("has a character that is not plain ASCII: write hosts in punycode and encode the rest")
		}
	}
	if strings.ContainsAny(text, "*#") {
		return nil, errors.New("has a wildcard or a fragment: register each URI exactly")
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" {
		return nil, errors.New("is not absolute: write it like https://app.example.com/callback")
	}
	web := u.Scheme == "https" || u.Scheme == "http"
	switch {
	case u.User != nil:
		return nil, errors.New("has a user name in it")
	case web && (u.Hostname() == "" || u.Opaque != ""):
		return nil, errors.New("has no host")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return nil, errors.New("has a port that does not exist")
		}
	}
	if len(u.Scheme) == 1 {
		return nil, errors.New("has a scheme of one letter, which is a drive on some systems")
	}
	for _, s := range notForRedirects {
		if u.Scheme == s {
			return nil, fmt.Errorf("has the scheme %q, which opens no app", s)
		}
	}
	return u, nil
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
