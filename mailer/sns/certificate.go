package sns

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // signature version 1
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"
)

// certificates keeps SNS's certificates that were found good, by address. There is one
// a region, replaced about once a year.
type certificates struct {
	fetch func(ctx context.Context, url string) ([]byte, error)
	roots *x509.CertPool
	now   func() time.Time

	asking chan struct{} // holds one while SNS is asked: strangers cannot make us ask many at once

	mu      sync.Mutex
	known   map[string]*x509.Certificate
	refused map[string]time.Time // when an address led to none, so that one message sent again and again is one question
}

// maxKnown bounds both lists; only messages that name a topic of ours get here, and
// only addresses at SNS.
const maxKnown = 32

// refusedFor is how long an address that led to no good certificate is not asked again.
const refusedFor = 5 * time.Minute

// get gives the certificate that a message names. The error is [ErrCertificate] or
// [ErrUnreachable].
func (c *certificates) get(ctx context.Context, t Topic, address string) (*x509.Certificate, error) {
	from, err := t.certURL(address)
	if err != nil {
		return nil, err
	}
	if cert, err := c.seen(from); cert != nil || err != nil {
		return cert, err
	}
	select {
	case c.asking <- struct{}{}:
		defer func() { <-c.asking }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: other certificates are asked for", ErrUnreachable)
	}
	if cert, err := c.seen(from); cert != nil || err != nil { // while we waited
		return cert, err
	}
	cert, err := c.load(ctx, t, from)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case errors.Is(err, ErrUnreachable):
		return nil, err
	case err != nil:
		if len(c.refused) >= maxKnown {
			clear(c.refused)
		}
		c.refused[from] = c.now()
		return nil, fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	if len(c.known) >= maxKnown {
		clear(c.known)
	}
	c.known[from] = cert
	return cert, nil
}

// seen gives what is known about an address: nothing is neither.
func (c *certificates) seen(from string) (*x509.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.refused[from]; ok && c.now().Before(at.Add(refusedFor)) {
		return nil, fmt.Errorf("%w: it was refused a moment ago", ErrCertificate)
	}
	cert := c.known[from]
	if cert != nil && c.now().After(cert.NotAfter) {
		return nil, fmt.Errorf("%w: it has expired", ErrCertificate)
	}
	return cert, nil
}

func (c *certificates) load(ctx context.Context, t Topic, from string) (*x509.Certificate, error) {
	text, err := c.fetch(ctx, from)
	if err != nil {
		return nil, err
	}
	chain, err := parse(text)
	if err != nil {
		return nil, err
	}
	leaf, between := chain[0], x509.NewCertPool()
	for _, one := range chain[1:] {
		between.AddCert(one)
	}
	how := x509.VerifyOptions{Roots: c.roots, Intermediates: between, CurrentTime: c.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	_, err = leaf.Verify(how)
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) { // the file holds the certificate alone: it says where its issuer's is
		if err := c.addIssuer(ctx, leaf, between); err != nil {
			return nil, err
		}
		_, err = leaf.Verify(how)
	}
	if err != nil {
		return nil, err
	}
	for _, name := range t.names() {
		if leaf.VerifyHostname(name) == nil {
			return leaf, nil
		}
	}
	return nil, errors.New("it is for another name")
}

// addIssuer fetches the certificate that leaf was issued by (RFC 5280 section 4.2.2.1).
// The address is in a certificate that came from SNS itself, and what is found there
// counts only if it chains to a root; the hosts are Amazon's authority all the same.
func (c *certificates) addIssuer(ctx context.Context, leaf *x509.Certificate, between *x509.CertPool) error {
	for _, address := range leaf.IssuingCertificateURL {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Port() != "" || u.User != nil || !strings.HasSuffix(u.Hostname(), ".amazontrust.com") {
			continue
		}
		found, err := c.fetch(ctx, address)
		if err != nil {
			return err
		}
		chain, err := parse(found)
		if err != nil {
			return err
		}
		for _, one := range chain {
			between.AddCert(one)
		}
		return nil
	}
	return errors.New("who issued it is unknown")
}

// parse reads certificates, PEM or a single one in DER.
func parse(text []byte) (chain []*x509.Certificate, err error) {
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		chain = append(chain, one)
	}
	if chain == nil && bytes.HasPrefix(text, []byte{0x30}) {
		one, err := x509.ParseCertificate(text)
		return []*x509.Certificate{one}, err
	}
	if chain == nil {
		return nil, errors.New("there is none in the file")
	}
	return chain, nil
}

// checkSHA1 is signature version 1; crypto/x509 takes no SHA-1 any more.
func checkSHA1(cert *x509.Certificate, signed, signature []byte) error {
	sum := sha1.Sum(signed) //nolint:gosec // as above
	return rsa.VerifyPKCS1v15(cert.PublicKey.(*rsa.PublicKey), crypto.SHA1, sum[:], signature)
}
