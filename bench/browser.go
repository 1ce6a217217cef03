package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// browser is one person's browser: cookies of its own, connections that stay
// open, and no redirect followed unasked.
type browser struct {
	http    http.Client
	network string // what X-Forwarded-For says; "" for none
	page    *url.URL
}

// newTransport keeps the connections of one user.
func newTransport() *http.Transport {
	return &http.Transport{MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute}
}

// newBrowser makes a browser without cookies. It takes over the connections of
// the one before it, so that no sign-in pays for a TCP handshake.
func newBrowser(t *http.Transport, network string) *browser {
	jar, _ := cookiejar.New(nil) // never fails without options
	return &browser{network: network, http: http.Client{
		Transport: t, Jar: jar, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is a response that was read to its end.
type answer struct {
	request  *http.Request
	status   int
	location string
	body     []byte
}

// get opens a page, as a link or a redirect does.
func (b *browser) get(ctx context.Context, address string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, err
	}
	a, err := b.send(req)
	b.page = req.URL
	return a, err
}

// submit posts a form of the page that is open.
func (b *browser) submit(ctx context.Context, f form, field, value string) (answer, error) {
	target, err := b.page.Parse(f.action)
	if err != nil {
		return answer{}, err
	}
	f.fields.Set(field, value)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(f.fields.Encode()))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", target.Scheme+"://"+target.Host)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.send(req)
}

func (b *browser) send(req *http.Request) (answer, error) {
	h := req.Header
	h.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	h.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	h.Set("Accept-Language", "en-US,en;q=0.5")
	h.Set("Sec-Fetch-Mode", "navigate")
	h.Set("Sec-Fetch-Dest", "document")
	if b.network != "" {
		h.Set("X-Forwarded-For", b.network)
	}
	return send(&b.http, req)
}

// send sends a request and reads the whole answer, so that the connection can be
// used again.
func send(c *http.Client, req *http.Request) (answer, error) {
	resp, err := c.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{request: req, status: resp.StatusCode, location: resp.Header.Get("Location"), body: body}, err
}

// expect makes an answer with another status an error that says what came instead.
func (a answer) expect(status int) error {
	if a.status == status {
		return nil
	}
	return fmt.Errorf("%s %s answered %d instead of %d: %s", a.request.Method, a.request.URL.Path, a.status, status, words(a.body))
}
