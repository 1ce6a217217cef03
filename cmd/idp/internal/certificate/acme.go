package certificate

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// ACMEConfig says which authority makes the certificate, and for whom.
type ACMEConfig struct {
	Host      string         // of the endpoint
	Directory string         // URL of the authority's directory
	Email     string         // of the account; may be empty
	Roots     *x509.CertPool // what a private authority's own certificate is checked against; nil: the system's
	Cache     autocert.Cache // shared by all replicas
	Agent     string         // User-Agent
	Log       *slog.Logger
}

// ACME has an authority make the certificate of one host, and renew it in its last third.
// The authority looks whether the host is ours by a handshake on port 443 (TLS-ALPN-01,
// RFC 8737), or over http on port 80 (HTTP-01) where [ACME.Challenges] is served. Challenges
// are in the cache while they last, so any replica answers for any other.
type ACME struct {
	config   ACMEConfig
	manager  *autocert.Manager
	standIn  *tls.Certificate // until there is another one
	refusals *refusals
	now      atomic.Pointer[tls.Certificate]

	mu     sync.Mutex
	failed time.Time // when it last did not work
	pause  time.Duration
}

// Bounds of the pause after a failure. Let's Encrypt lets a host fail five times an hour
// and then nothing more: visitors, each of whom would have it tried again, must not use
// that up.
const (
	firstPause = 2 * time.Minute
	longPause  = 30 * time.Minute
)

// NewACME makes a source; nothing is asked of the authority before [ACME.Run] or the first visitor.
func NewACME(c ACMEConfig) (*ACME, error) {
	standIn, err := selfSigned(c.Host)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck,forcetypeassert // it is one
	transport.TLSClientConfig = &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12}
	heard := &refusals{next: transport}
	client := &acme.Client{DirectoryURL: c.Directory, UserAgent: c.Agent, HTTPClient: &http.Client{Transport: heard, Timeout: time.Minute}}
	return &ACME{config: c, standIn: standIn, refusals: heard, manager: &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: c.Cache, HostPolicy: autocert.HostWhitelist(c.Host), Client: client, Email: c.Email,
	}}, nil
}

// TLS implements [Source].
func (a *ACME) TLS() *tls.Config { return config(a.get, acme.ALPNProto) }

// Until implements [Source].
func (a *ACME) Until() time.Time {
	if c := a.now.Load(); c != nil {
		return c.Leaf.NotAfter
	}
	return time.Time{}
}

// Challenges implements [Source], and lets the authority use HTTP-01.
func (a *ACME) Challenges(next http.Handler) http.Handler {
	answers := a.manager.HTTPHandler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, _, err := net.SplitHostPort(r.Host); err == nil { // a private authority may use another port
			r.Host = host
		}
		answers.ServeHTTP(w, r)
	})
}

func (a *ACME) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := strings.TrimSuffix(hello.ServerName, ".")
	switch {
	case name == "":
		if c := a.now.Load(); c != nil {
			return c, nil
		}
		return a.standIn, nil
	case !strings.EqualFold(name, a.config.Host): // also of an authority: no stranger's handshake has the database asked for a name
		return nil, errors.New("there is no certificate for this name")
	case len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == acme.ALPNProto:
		return a.manager.GetCertificate(hello)
	}
	return a.certificate()
}

// certificate gives the one that is there, or has one made.
func (a *ACME) certificate() (*tls.Certificate, error) {
	a.mu.Lock()
	wait := a.pause - time.Since(a.failed)
	a.mu.Unlock()
	if a.now.Load() == nil && wait > 0 {
		return nil, fmt.Errorf("the authority made no certificate; it is asked again in %s", wait.Round(time.Second))
	}
	// What the visitor can do is left out: one without ECDSA would have a second
	// certificate made, with an RSA key.
	got, err := a.manager.GetCertificate(&tls.ClientHelloInfo{
		ServerName: a.config.Host, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		if time.Since(a.failed) > firstPause/2 { // all who waited for one attempt learn of its failure
			a.failed, a.pause = time.Now(), min(max(2*a.pause, firstPause), longPause)
			log := a.config.Log
			if said := a.refusals.take(); said != nil {
				log = log.With("reason", said)
			}
			log.Error("the ACME authority made no certificate", "err", err, "wait", a.pause, "hint", hint(err))
		}
		return nil, err
	}
	if old := a.now.Swap(got); old == nil || !old.Leaf.Equal(got.Leaf) {
		a.config.Log.Info("the certificate is there", "address", a.config.Host, "issuer", got.Leaf.Issuer.String(), "wait", time.Until(got.Leaf.NotAfter).Round(time.Hour))
	}
	a.pause = 0
	return got, nil
}

// hint tells what an operator can do about a failure.
func hint(err error) string {
	var e *acme.Error
	if errors.As(err, &e) && e.StatusCode == http.StatusTooManyRequests {
		return "wait, and try with the authority's staging directory (IDP_ACME_DIRECTORY) until it works"
	}
	var unreachable *url.Error
	if errors.As(err, &unreachable) {
		return "can this machine reach the authority at IDP_ACME_DIRECTORY?"
	}
	return "does the name in IDP_ENDPOINT lead here, and does port 443 outside arrive at IDP_LISTEN?"
}

// look ends the pause if another replica had more luck.
func (a *ACME) look(ctx context.Context) {
	if _, err := a.config.Cache.Get(ctx, a.config.Host); err == nil {
		a.mu.Lock()
		a.pause = 0
		a.mu.Unlock()
	}
}

// Run has the certificate made before the first visitor comes, and says when it is not
// renewed.
func (a *ACME) Run(ctx context.Context) {
	warned := time.Time{}
	for {
		if a.now.Load() == nil {
			a.look(ctx)
		}
		if _, err := a.certificate(); err == nil && time.Since(warned) > warnEvery {
			warned = time.Now()
			warnOfEnd(a.config.Log, a.now.Load().Leaf)
		}
		wait := time.Hour
		if a.now.Load() == nil {
			wait = 10 * time.Second // most often that is within the pause
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// selfSigned makes a certificate that nobody has to believe.
func selfSigned(host string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "idp: no certificate yet"}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make a stand-in certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
