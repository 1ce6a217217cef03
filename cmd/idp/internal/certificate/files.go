package certificate

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// Files serves the certificate in two PEM files.
type Files struct {
	// Every is how often the files are looked at.
	Every time.Duration

	cert, key string
	host      string
	log       *slog.Logger
	now       atomic.Pointer[tls.Certificate]
}

// NewFiles reads the certificate chain in the file cert and the key in the file key, for
// an endpoint on host. One that does not name the host is taken, with a warning: behind a
// balancer that speaks TLS to us, only the balancer sees it.
func NewFiles(cert, key, host string, log *slog.Logger) (*Files, error) {
	f := &Files{Every: 10 * time.Second, cert: cert, key: key, host: host, log: log}
	found, err := Load(cert, key)
	if err != nil {
		return nil, err
	}
	f.take(found)
	return f, nil
}

// Load reads a pair of PEM files and parses the certificate.
func Load(cert, key string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	return &pair, nil
}

// take makes a certificate the one that is served.
func (f *Files) take(c *tls.Certificate) {
	f.now.Store(c)
	log := f.log.With("file", f.cert)
	if err := c.Leaf.VerifyHostname(f.host); err != nil {
		log.Warn("the certificate is not for the host of IDP_ENDPOINT", "err", err)
	}
	warnOfEnd(log, c.Leaf)
}

// TLS implements [Source].
func (f *Files) TLS() *tls.Config {
	return config(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.now.Load(), nil })
}

// Until implements [Source].
func (f *Files) Until() time.Time { return f.now.Load().Leaf.NotAfter }

// Challenges implements [Source]: who made the files answers for them.
func (f *Files) Challenges(next http.Handler) http.Handler { return next }

// Run looks at the files now and then. While one of a pair is replaced the two do not
// fit: the certificate that is there stays until they do. What is compared is the
// content, as a time may stay the same when a folder is swapped behind a link.
func (f *Files) Run(ctx context.Context) {
	tick := time.NewTicker(f.Every)
	defer tick.Stop()
	said, warned := "", time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		found, err := Load(f.cert, f.key)
		switch {
		case err != nil && err.Error() != said:
			said = err.Error()
			f.log.Warn("the certificate cannot be read again, the one before stays", "file", f.cert, "err", err)
		case err == nil && !slices.EqualFunc(found.Certificate, f.now.Load().Certificate, bytes.Equal):
			said, warned = "", time.Now()
			f.take(found)
			f.log.Info("the certificate was read again", "file", f.cert)
		case err == nil:
			said = ""
		}
		if time.Since(warned) > warnEvery {
			warned = time.Now()
			warnOfEnd(f.log.With("file", f.cert), f.now.Load().Leaf)
		}
	}
}

// warnEvery is how often a certificate's nearing end is told in the log.
const warnEvery = 12 * time.Hour

// warnOfEnd warns in the last fifth of a certificate's life: whatever renews it should
// have done so in the last third.
func warnOfEnd(log *slog.Logger, c *x509.Certificate) {
	left, life := time.Until(c.NotAfter), c.NotAfter.Sub(c.NotBefore)
	switch {
	case left <= 0:
		log.Error("the certificate has expired: browsers and apps refuse the server", "age", -left.Round(time.Minute))
	case left < life/5:
		log.Warn("the certificate ends soon and was not renewed", "wait", left.Round(time.Minute))
	}
}
