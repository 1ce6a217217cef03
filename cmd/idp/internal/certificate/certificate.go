// Package certificate gives the server's port its TLS certificate, and the port of
// http beside it something to say.
//
//	Files   a certificate and its key from files, read again when they change
//	ACME    made and renewed by an ACME authority (RFC 8555), kept in the database
//
// A handshake that names no server is a health check by address, as load balancers and
// Kubernetes make them: it gets a certificate and never has one made.
package certificate

import (
	"context"
	"crypto/tls"
	"net/http"
	"strings"
	"time"
)

// Source is where the certificate comes from.
type Source interface {
	// TLS is the configuration of the port.
	TLS() *tls.Config
	// Until is when the certificate that is served ends; zero: there is none yet.
	Until() time.Time
	// Run looks after the certificate until ctx ends.
	Run(ctx context.Context)
	// Challenges answers what an authority asks over http, and has next answer the rest.
	Challenges(next http.Handler) http.Handler
}

// config is what all sources share. Go's own choice of cipher suites and curves is the
// one to have; versions before 1.2 are broken (RFC 8996).
func config(get func(*tls.ClientHelloInfo) (*tls.Certificate, error), protocols ...string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: get, NextProtos: append([]string{"h2", "http/1.1"}, protocols...)}
}

// Redirect leads everybody to endpoint, the public https base URL without a slash at its
// end. Where it leads is never taken from the request. What was sent to http in a form
// has been read on the way: that is refused rather than sent once more.
func Redirect(endpoint string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Connection", "close")
			http.Error(w, "This server speaks https only: "+endpoint, http.StatusForbidden)
			return
		}
		// A path that begins with // would not stay one: the URL is put together as text.
		target := "/" + strings.TrimLeft(r.URL.EscapedPath(), "/")
		if r.URL.RawQuery != "" {
			target += "?" + r.URL.RawQuery
		}
		w.Header().Set("Location", endpoint+target)
		w.WriteHeader(http.StatusMovedPermanently)
	})
}
