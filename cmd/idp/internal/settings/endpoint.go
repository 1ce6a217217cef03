package settings

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"idp/store"
)

// ParseEndpoint reads the public base URL: https, or http on loopback; a host,
// perhaps a port, nothing else. A trailing slash is dropped.
func ParseEndpoint(text string) (*url.URL, error) {
	fail := func(why string) (*url.URL, error) {
		return nil, fmt.Errorf("IDP_ENDPOINT %q %s: write it like https://id.example.com", text, why)
	}
	u, err := url.Parse(strings.TrimRight(text, "/"))
	switch {
	case err != nil:
		return fail("is no URL")
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return fail("does not start with https:// and a host")
	case u.User != nil:
		return fail("has a user name in it")
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return fail("has a path, a query or a fragment")
	case u.Scheme == "http" && !store.IsLoopback(u.Hostname()):
		return nil, fmt.Errorf("IDP_ENDPOINT %q is http on a host that is not this machine: use https (a reverse proxy in front may hold the certificate)", text)
	}
	u.Host = strings.ToLower(u.Host)
	return u, nil
}

// CheckMetrics tells whether the address of the metrics is none.
func (s *Server) CheckMetrics() error {
	if s.MetricsListen == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(s.MetricsListen); err != nil {
		return fmt.Errorf("IDP_METRICS_LISTEN %q is no address: write it like 127.0.0.1:9464", s.MetricsListen)
	}
	return nil
}

// LocalEndpoint gives http://localhost and the port of a listen address: the
// endpoint when none is set.
func LocalEndpoint(listen string) (string, error) {
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", errors.New("IDP_LISTEN " + listen + " is no address: write it like :3001 or 127.0.0.1:3001")
	}
	return "http://localhost:" + port, nil
}
