package smtp

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// The policies for the connection.
const (
	starttls      = "starttls"      // in clear until STARTTLS, and no further without it
	implicit      = "tls"           // TLS from the first byte
	opportunistic = "opportunistic" // STARTTLS if the server offers it, which an attacker can prevent
	none          = "none"          // in clear
)

// security is how a connection is protected.
type security struct {
	policy   string
	loopback bool // the server is on this machine
	reason   string
	config   *tls.Config
}

// tlsConfig is a policy, or an object with nodemailer's names.
type tlsConfig struct {
	Policy             string          `json:"policy"`
	ServerName         string          `json:"servername"`
	CA                 string          `json:"ca"` // PEM: certificates that sign the server's, in the place of the system's
	RejectUnauthorized *bool           `json:"rejectUnauthorized"`
	Ciphers            json.RawMessage `json:"ciphers"`    // read and not followed: Go's choice is the safe one
	MinVersion         json.RawMessage `json:"minVersion"` // read and not followed: TLS 1.2 at least
}

func (t *tlsConfig) UnmarshalJSON(text []byte) error {
	if err := json.Unmarshal(text, &t.Policy); err == nil {
		return nil
	}
	type plain tlsConfig // without this method
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode((*plain)(t)); err != nil {
		return fmt.Errorf(`tls has to be "starttls", "tls", "opportunistic" or "none", or {"policy", "servername", "ca", "rejectUnauthorized"}: %w`, err)
	}
	return nil
}

func (s security) defaultPort() port {
	if s.policy == implicit {
		return 465
	}
	return 587
}

// security decides the policy. Where nothing is said it is STARTTLS or nothing; only to
// this machine, where there is no network to listen on, STARTTLS if it is offered.
func (c *Config) security() (security, error) {
	s := security{policy: c.TLS.Policy, loopback: isLoopback(c.Host), reason: strings.TrimSpace(c.InsecureReason)}
	switch {
	case s.policy != "":
	case c.Secure:
		s.policy = implicit
	case c.IgnoreTLS:
		s.policy = none
	case c.RequireTLS:
		s.policy = starttls
	case c.Port == 465:
		s.policy = implicit
	case s.loopback:
		s.policy = opportunistic
	default:
		s.policy = starttls
	}
	switch s.policy {
	case starttls, implicit:
	case opportunistic, none:
		if !s.loopback && s.reason == "" {
			return s, fmt.Errorf(`tls %q would send codes in clear over a network: use "starttls" or "tls", or say in insecureReason why it has to be`, s.policy)
		}
	default:
		return s, fmt.Errorf(`tls %q is unknown: there are "starttls", "tls", "opportunistic" and "none"`, s.policy)
	}
	if c.Secure && s.policy != implicit {
		return s, fmt.Errorf(`secure is true, but tls is %q: leave one of them out`, s.policy)
	}
	return s, s.trust(c)
}

// trust sets whom a certificate is believed from.
func (s *security) trust(c *Config) error {
	s.config = &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         cmp.Or(c.TLS.ServerName, c.ServerName, strings.TrimSpace(c.Host)),
		ClientSessionCache: tls.NewLRUClientSessionCache(8), // a new connection of a pool costs no new key exchange
	}
	if c.TLS.CA != "" {
		s.config.RootCAs = x509.NewCertPool()
		if !s.config.RootCAs.AppendCertsFromPEM([]byte(c.TLS.CA)) {
			return errors.New("tls.ca holds no certificate in PEM")
		}
	}
	if c.TLS.RejectUnauthorized != nil && !*c.TLS.RejectUnauthorized {
		if !s.loopback {
			return errors.New("tls.rejectUnauthorized false would give mails and password to anybody in between: give the server's certificate in tls.ca")
		}
		s.config.InsecureSkipVerify = true // #nosec G402 -- only to this machine
	}
	return nil
}

func isLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSpace(host))
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

func isIP(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}
