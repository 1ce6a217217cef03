package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"idp/cmd/idp/internal/settings"
)

type healthCmd struct {
	settings.Server `embed:""`

	Live bool `help:"Ask only whether the process runs, not for its database and keys." group:"server"`
}

// Help shows how it is used.
func (*healthCmd) Help() string {
	return `Give it the settings of the server; it reads IDP_LISTEN and whether that is https, and opens no database. The exit status is 0 if the server
is ready, else 1. For images that hold nothing but idp: HEALTHCHECK CMD ["/idp", "health"].`
}

// healthTimeout is longer than /readyz waits for the database.
const healthTimeout = 4 * time.Second

// Run asks.
func (c *healthCmd) Run(a *app) error {
	o, err := a.newOptions(c.Server, ":3001")
	if err != nil {
		return err
	}
	where, err := o.here()
	if err != nil {
		return usage(err, "")
	}
	if where += "/readyz"; c.Live {
		where = where[:len(where)-len("/readyz")] + "/healthz"
	}
	// The server on this machine is asked by address, as load balancers do: no certificate
	// names that, and with an address as its name the handshake tells none.
	client := &http.Client{Timeout: healthTimeout, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}, // #nosec G402 -- see above
	}}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, where, nil)
	if err != nil {
		return usage(err, "")
	}
	res, err := client.Do(req)
	if err != nil {
		return failed(fmt.Errorf("no answer: %w", err), "Does the server run, with the same IDP_LISTEN?")
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if res.StatusCode != http.StatusOK {
		return failed(fmt.Errorf("%s answers %d: %s", where, res.StatusCode, oneLine(errors.New(string(text)))), "")
	}
	_, err = fmt.Fprintf(a.stdout, "%s", text)
	return err
}

// here is the base URL of the server as this machine reaches it.
func (o options) here() (string, error) {
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return "", errors.New("IDP_LISTEN " + o.Listen + " is no address: write it like :3001 or 127.0.0.1:3001")
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http"
	if o.TLS() {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port), nil
}
