package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"

	"idp/cmd/idp/internal/certificate"
)

// secure has the server speak TLS, if it holds a certificate, and listens for those who
// come over http. The listener is nil if there is none.
func (s *server) secure() (redirect net.Listener, err error) {
	if !s.options.TLS() {
		return nil, nil
	}
	if s.certificate, err = s.source(); err != nil {
		return nil, err
	}
	s.sites[0].http.TLSConfig = s.certificate.TLS()
	if s.options.RedirectListen == "" {
		return nil, nil
	}
	if redirect, err = listen("--redirect-listen", s.options.RedirectListen); err != nil {
		return nil, err
	}
	s.add("redirect", redirect, s.certificate.Challenges(certificate.Redirect(s.options.endpoint.String())))
	return redirect, nil
}

func (s *server) source() (certificate.Source, error) {
	o := s.options
	if !o.ACMEAcceptTerms {
		files, err := certificate.NewFiles(o.TLSCertFile, o.TLSKeyFile, o.endpoint.Hostname(), s.log)
		if err != nil {
			return nil, usage(err, "They are named in IDP_TLS_CERT_FILE, the whole chain with the server's own first, and IDP_TLS_KEY_FILE.")
		}
		return files, nil
	}
	roots, err := roots(o.ACMERootsFile)
	if err != nil {
		return nil, usage(fmt.Errorf("IDP_ACME_ROOTS_FILE: %w", err), "")
	}
	return certificate.NewACME(certificate.ACMEConfig{
		Host: o.endpoint.Hostname(), Directory: o.ACMEDirectory, Email: o.ACMEEmail, Roots: roots,
		Cache: certificate.NewSealed(s.in.db, s.in.ring, s.log), Agent: agent(), Log: s.log,
	})
}

// roots reads certificates of authorities; nil: the system's.
func roots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New(file + " holds no certificate in PEM")
	}
	return pool, nil
}
