package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// signatureHeader carries the hex HMAC-SHA-256 of the body under the hook's signing key.
const signatureHeader = "Logto-Signature-Sha-256"

// Bounds of one post.
const (
	postTimeout = 10 * time.Second // name, connection, request and answer together
	maxAnswer   = 64 << 10         // bytes of the answer that are read, so that the connection can be used again; of tests the beginning is kept
	answerTime  = time.Second      // for which they are read
	maxHead     = 16 << 10         // bytes of the answer's head
)

// client posts.
type client struct {
	http  http.Client
	agent string
}

func newClient(allowed []netip.Prefix, agent string) *client {
	c := &client{agent: agent}
	c.http = http.Client{
		Timeout: postTimeout,
		// Where it would lead is somebody else's choice.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  nil, // a proxy of the environment would connect for us, to anywhere
			DialContext:            dialer(allowed),
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    5 * time.Second,
			ForceAttemptHTTP2:      true,
			DisableCompression:     true, // an answer is read as it is
			MaxResponseHeaderBytes: maxHead,
			MaxIdleConns:           100,
			MaxIdleConnsPerHost:    perHook,
			IdleConnTimeout:        30 * time.Second,
		},
	}
	return c
}

// answer is what came back.
type answer struct {
	status int       // 0 for none
	at     time.Time // when its head was there, or there was none
	begins []byte    // its body, as far as it was to be kept
}

// post posts a body to a hook and answers the status, 0 if there was none. An error tells
// what went wrong, in words that hold nothing of the body or the headers.
func (c *client) post(ctx context.Context, to Config, key, delivery string, body []byte) (status int, err error) {
	a, err := c.exchange(ctx, to, key, delivery, body, 0)
	return a.status, err
}

// exchange is post for who looks at the answer: it keeps some bytes of its body.
func (c *client) exchange(ctx context.Context, to Config, key, delivery string, body []byte, keep int64) (a answer, err error) {
	plain := strings.HasPrefix(strings.ToLower(to.URL), "http:")
	ctx, cancel := context.WithCancel(context.WithValue(ctx, plainKey{}, plain))
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(body))
	if err != nil {
		return a, errors.New("the URL is none")
	}
	r.Header.Set("User-Agent", c.agent)
	r.Header.Set("Content-Type", "application/json")
	for name, value := range to.Headers {
		r.Header.Set(name, value)
	}
	r.Header.Set("Idempotency-Key", delivery)
	r.Header.Set(signatureHeader, sign(key, body))
	got, err := c.http.Do(r)
	a.at = time.Now()
	if err != nil {
		return a, plainly(err)
	}
	defer got.Body.Close()
	defer time.AfterFunc(answerTime, cancel).Stop()
	a.status = got.StatusCode
	a.begins, _ = io.ReadAll(io.LimitReader(got.Body, keep)) // the status counts, whatever follows
	_, _ = io.CopyN(io.Discard, got.Body, maxAnswer-keep)
	switch {
	case a.status >= 200 && a.status < 300:
		return a, nil
	case a.status >= 300 && a.status < 400:
		return a, fmt.Errorf("answered %d: redirects are not followed", a.status)
	}
	return a, fmt.Errorf("answered %d", a.status)
}

// sign is the signature of a body.
func sign(key string, body []byte) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

// Plainly words the failure of a request through [Dialer] for people.
func Plainly(err error) error { return plainly(err) }

// plainly words the failure of a post. The library's words hold the URL, which may hold a
// secret.
func plainly(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case errors.Is(err, errDestination):
		return errDestination
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &name) && name.IsNotFound:
		return errors.New("the host is not found")
	case errors.As(err, &certificate):
		return errors.New("the host shows no valid certificate")
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("no answer within %s", postTimeout)
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return errors.New("the host takes no connection")
	}
	return errors.New("the connection broke before there was an answer")
}
