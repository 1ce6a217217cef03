package sns

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// Verifier believes messages of some topics. Its methods are safe for concurrent use.
type Verifier struct {
	topics []string
	http   *http.Client
	now    func() time.Time
	certs  *certificates
}

// Config is what a verifier needs. A zero field has the default.
type Config struct {
	Topics    []Topic           // whose messages are believed
	Transport http.RoundTripper // to SNS, and to who issued its certificate
	Roots     *x509.CertPool    // nil: those of the system
	Now       func() time.Time
}

// fetchTimeout bounds a request of ours: SNS waits 15 s for an answer.
const fetchTimeout = 5 * time.Second

// New makes a verifier. It asks nobody before the first message.
func New(c Config) *Verifier {
	v := &Verifier{now: c.Now, http: &http.Client{
		Transport: c.Transport, Timeout: fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if v.now == nil {
		v.now = time.Now
	}
	for _, t := range c.Topics {
		v.topics = append(v.topics, t.ARN)
	}
	v.certs = &certificates{fetch: v.fetch, roots: c.Roots, now: v.now, asking: make(chan struct{}, 1),
		known: map[string]*x509.Certificate{}, refused: map[string]time.Time{}}
	return v
}

// Verify tells whether SNS has signed a message of one of the topics. The error is
// [ErrTopic], [ErrCertificate], [ErrSignature] or [ErrUnreachable].
func (v *Verifier) Verify(ctx context.Context, m Message) error {
	if !slices.Contains(v.topics, m.TopicARN) {
		return ErrTopic
	}
	signature, err := m.signature()
	if err != nil {
		return err
	}
	// SHA-1 is what version 1 is, and a topic's default. It only has to stand a second
	// preimage here: who wants to pass a message off as SNS's cannot choose what SNS signs.
	algorithm := map[string]x509.SignatureAlgorithm{"1": x509.SHA1WithRSA, "2": x509.SHA256WithRSA}[m.SignatureVersion]
	if algorithm == x509.UnknownSignatureAlgorithm {
		return fmt.Errorf("%w: its version is unknown", ErrSignature)
	}
	cert, err := v.certs.get(ctx, m.Topic, m.SigningCertURL)
	if err != nil {
		return err
	}
	if err := check(cert, algorithm, m.signed(), signature); err != nil {
		return ErrSignature
	}
	return nil
}

// Confirm confirms the subscription of a verified message. The error is
// [ErrUnreachable], or says that SNS refused.
func (v *Verifier) Confirm(ctx context.Context, m Message) error {
	_, err := v.fetch(ctx, m.Topic.confirmURL(m.Token))
	if err != nil {
		return fmt.Errorf("confirm the subscription to %s: %w", m.TopicARN, err)
	}
	return nil
}

// maxFetch bounds what is read of an answer.
const maxFetch = 64 << 10

// refusedError is an answer that will be the same next time.
type refusedError int

func (e refusedError) Error() string { return fmt.Sprintf("refused with status %d", int(e)) }

func (v *Verifier) fetch(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := v.http.Do(r)
	if err != nil {
		// Without the address, which can hold a token.
		var why interface{ Unwrap() error }
		if errors.As(err, &why) {
			err = why.Unwrap()
		}
		return nil, fmt.Errorf("%w: %s: %w", ErrUnreachable, r.URL.Host, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxFetch+1))
	switch {
	case err != nil || res.StatusCode >= http.StatusInternalServerError || res.StatusCode == http.StatusTooManyRequests:
		return nil, fmt.Errorf("%w: %s: status %d", ErrUnreachable, r.URL.Host, res.StatusCode)
	case res.StatusCode != http.StatusOK:
		return nil, refusedError(res.StatusCode)
	case len(body) > maxFetch:
		return nil, errors.New("the answer is too long")
	}
	return body, nil
}

func check(cert *x509.Certificate, algorithm x509.SignatureAlgorithm, signed, signature []byte) error {
	if _, ok := cert.PublicKey.(*rsa.PublicKey); !ok {
		return ErrSignature
	}
	if algorithm == x509.SHA1WithRSA {
		return checkSHA1(cert, signed, signature)
	}
	return cert.CheckSignature(algorithm, signed, signature)
}
