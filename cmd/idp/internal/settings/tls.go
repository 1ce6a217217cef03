package settings

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"idp/store/address"
)

// TLS tells whether the server speaks TLS by itself.
func (s *Server) TLS() bool { return s.TLSCertFile != "" || s.ACMEAcceptTerms }

// letsEncrypt is the default of ACMEDirectory.
const letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

// CheckTLS tells what does not fit together, for the endpoint that [ParseEndpoint] read.
func (s *Server) CheckTLS(endpoint *url.URL) error {
	switch {
	case (s.TLSCertFile == "") != (s.TLSKeyFile == ""):
		return errors.New("IDP_TLS_CERT_FILE and IDP_TLS_KEY_FILE belong together: set both")
	case s.TLSCertFile != "" && s.ACMEAcceptTerms:
		return errors.New("IDP_TLS_CERT_FILE and IDP_ACME_ACCEPT_TERMS are both set: the certificate comes from files or from an ACME authority, keep one")
	case s.TLS() && endpoint.Scheme != "https":
		return fmt.Errorf("IDP_ENDPOINT is %s: with a certificate it starts with https://", endpoint)
	case s.RedirectListen != "" && !s.TLS():
		return errors.New("IDP_REDIRECT_LISTEN leads to https, which this server does not speak: set IDP_TLS_CERT_FILE or IDP_ACME_ACCEPT_TERMS, or leave it to the proxy")
	case !s.ACMEAcceptTerms:
		for name, set := range map[string]bool{"IDP_ACME_EMAIL": s.ACMEEmail != "", "IDP_ACME_ROOTS_FILE": s.ACMERootsFile != "", "IDP_ACME_DIRECTORY": s.ACMEDirectory != "" && s.ACMEDirectory != letsEncrypt} {
			if set {
				return fmt.Errorf("%s has no effect without IDP_ACME_ACCEPT_TERMS=true, by which you accept the terms of the authority", name)
			}
		}
		return nil
	}
	return s.checkACME(endpoint)
}

func (s *Server) checkACME(endpoint *url.URL) error {
	host := endpoint.Hostname()
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(strings.Trim(host, "."), ".") {
		return fmt.Errorf("IDP_ACME_ACCEPT_TERMS: no authority makes a certificate for %q, the host of IDP_ENDPOINT: it takes a name like id.example.com", host)
	}
	if u, err := url.Parse(s.ACMEDirectory); err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("IDP_ACME_DIRECTORY %q is no https:// URL", s.ACMEDirectory)
	}
	if s.ACMEEmail != "" {
		if _, err := address.Parse(s.ACMEEmail); err != nil {
			return fmt.Errorf("IDP_ACME_EMAIL %q is no email address", s.ACMEEmail)
		}
	}
	return nil
}

// Contacts are URIs at which people report vulnerabilities (RFC 9116 section 2.5.3).
type Contacts []string

// UnmarshalText reads addresses, and URLs of https:, mailto: and tel:, separated by commas.
func (c *Contacts) UnmarshalText(text []byte) error {
	*c = nil
	for part := range strings.SplitSeq(string(text), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		if _, err := address.Parse(part); err == nil {
			part = "mailto:" + part
		}
		if err := checkURI(part, "https", "mailto", "tel"); err != nil {
			return fmt.Errorf("%q is no contact: write an address, or a URL with the scheme https, mailto or tel", part)
		}
		*c = append(*c, part)
	}
	return nil
}

// checkURI refuses what could begin another line, too.
func checkURI(text string, schemes ...string) error {
	u, err := url.Parse(text)
	if err != nil {
		return err
	}
	for _, scheme := range schemes {
		if u.Scheme == scheme && (u.Host != "" || u.Opaque != "" && scheme != "https") && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil
		}
	}
	return errors.New("another kind of URL")
}

// CheckSecurity tells what is wrong with the settings of security.txt.
func (s *Server) CheckSecurity() error {
	switch {
	case s.SecurityPolicy == "":
		return nil
	case len(s.SecurityContact) == 0:
		return errors.New("IDP_SECURITY_POLICY has no effect without IDP_SECURITY_CONTACT")
	case checkURI(s.SecurityPolicy, "https") != nil:
		return fmt.Errorf("IDP_SECURITY_POLICY %q is no https:// URL", s.SecurityPolicy)
	}
	return nil
}
