// Package turnstile asks Cloudflare Turnstile whether a person is behind a browser.
//
// The page shows Turnstile's widget, which gives the browser a token; the server shows
// the token to siteverify, and learns for which page, action and subject it was made:
// https://developers.cloudflare.com/turnstile/get-started/server-side-validation/.
package turnstile

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Endpoint is where the service is.
const Endpoint = "https://challenges.cloudflare.com/turnstile/v0"

// Action is what the page's widget says it is for.
const Action = "code"

const (
	timeout   = 5 * time.Second
	maxToken  = 2048     // the service's own bound
	maxAnswer = 64 << 10 // an answer has a few hundred bytes
	// turn is how long somebody waits for theirs.
	turn = time.Second
)

// Config is what the operator has of the service.
type Config struct {
	SiteKey  string
	Secret   string
	Endpoint string // "" for [Endpoint]; tests have their own
	Host     string // of the pages, without a port
}

// Client asks the service. It is safe for concurrent use.
type Client struct {
	config Config
	origin string
	http   *http.Client
	turns  *turns
}

// New makes a client.
func New(c Config) (*Client, error) {
	if c.SiteKey == "" || c.Secret == "" || c.Host == "" {
		return nil, errors.New("turnstile: site key, secret and host are needed")
	}
	if c.Endpoint == "" {
		c.Endpoint = Endpoint
	}
	c.Endpoint = strings.TrimRight(c.Endpoint, "/")
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("turnstile: %q is no URL", c.Endpoint)
	}
	return &Client{config: c, origin: u.Scheme + "://" + u.Host, turns: newTurns(), http: &http.Client{
		Timeout: timeout,
		// The secret is for this address only.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// SiteKey is what the page shows the service, for everybody to see.
func (c *Client) SiteKey() string { return c.config.SiteKey }

// Script is the address of the widget's script, which waits to be called.
func (c *Client) Script() string { return c.config.Endpoint + "/api.js?render=explicit" }

// Origin is where script and frame of the widget are from.
func (c *Client) Origin() string { return c.origin }

// answer is what siteverify says.
type answer struct {
	Success  bool     `json:"success"`
	Errors   []string `json:"error-codes"`
	Hostname string   `json:"hostname"`
	Action   string   `json:"action"`
	CData    string   `json:"cdata"`
}

// ofToken are the error codes that tell about the token, which is whatever a stranger
// sends. A request that is malformed is one of them: nothing else in it is a stranger's, and
// nobody is to switch the service off by what he sends. All others are the service's
// or the operator's.
var ofToken = []string{"missing-input-response", "invalid-input-response", "timeout-or-duplicate", "bad-request"}

// Passed tells whether the service has made a token for a person, on a page of this host
// and for this subject. The error is that it cannot be asked now. While too many are being asked
// about, nobody passes, who may try again: that is no error, since a stranger can bring it about.
func (c *Client) Passed(ctx context.Context, token, subject string, ip netip.Addr) (bool, error) {
	if !plausible(token) {
		return false, nil
	}
	form := url.Values{
		"secret": {c.config.Secret}, "response": {token},
		// A token is taken once; a form that is sent twice asks for the same answer again.
		"idempotency_key": {uuid(token, subject)},
	}
	if ip.IsValid() {
		form.Set("remoteip", ip.Unmap().WithZone("").String())
	}
	wait, stop := context.WithTimeout(ctx, turn)
	defer stop()
	giveBack, ok := c.turns.take(wait, ip)
	if !ok {
		return false, ctx.Err()
	}
	defer giveBack()
	a, err := c.ask(ctx, form)
	switch {
	case err != nil:
		return false, fmt.Errorf("ask Turnstile: %w", err)
	case a.Success:
		return strings.EqualFold(a.Hostname, c.config.Host) && a.Action == Action && a.CData == subject, nil
	case len(a.Errors) > 0 && !slices.ContainsFunc(a.Errors, func(code string) bool { return !slices.Contains(ofToken, code) }):
		return false, nil
	}
	return false, fmt.Errorf("ask Turnstile: it says %q", a.Errors)
}

func (c *Client) ask(ctx context.Context, form url.Values) (a answer, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.config.Endpoint+"/siteverify", strings.NewReader(form.Encode()))
	if err != nil {
		return a, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := c.http.Do(req)
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return a, err
	case len(body) > maxAnswer:
		return a, errors.New("the answer has no end")
	}
	// What is refused may come with status 400, and says so in the same words.
	if err := json.Unmarshal(body, &a); err != nil || !a.Success && len(a.Errors) == 0 || a.Success && res.StatusCode != http.StatusOK {
		return a, fmt.Errorf("the answer is none: status %d", res.StatusCode)
	}
	return a, nil
}

// plausible leaves out what no token is made of.
func plausible(token string) bool {
	return token != "" && len(token) <= maxToken && !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })
}

// uuid names what is asked: version 8 of RFC 9562, which is for names of one's own making.
func uuid(token, subject string) string {
	b := sha256.Sum256([]byte(subject + " " + token))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
