// Package httpmail is the sender that posts each mail as JSON to a URL of the
// operator's, who sends it on:
//
//	{"id", "to", "from", "subject", "text", "html", "usageType", "locale", "code", "createdAt"}
//
// id is the same on every attempt; from is a display name; code is "" in a mail
// without one (usageType Recovered and NoAccount). Any 2xx takes the mail. 422
// says that this address will never take it, 429 that we are too fast, another
// 3xx or 4xx that the connector has to be mended, 408 and 5xx that we should try again.
package httpmail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"idp/mailer"
	"idp/store"
)

// ID is the connector's id.
const ID = "http"

// maxAnswer is how much of an answer is read, so that the connection can be used again.
const maxAnswer = 4 << 10

// Sender posts mails. It is safe for concurrent use.
type Sender struct {
	url    string
	client *http.Client
	now    func() time.Time
}

type body struct {
	ID        string      `json:"id"`
	To        string      `json:"to"`
	From      string      `json:"from"`
	Subject   string      `json:"subject"`
	Text      string      `json:"text"`
	HTML      string      `json:"html"`
	UsageType store.Usage `json:"usageType"`
	Locale    string      `json:"locale"`
	Code      string      `json:"code"`
	CreatedAt time.Time   `json:"createdAt"`
}

// New is the connector's [mailer.Factory].
func New(config []byte) (mailer.Sender, error) {
	u, timeout, err := parse(config)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 16 // all workers post to one host
	return &Sender{url: u.String(), now: time.Now, client: &http.Client{
		Transport: transport,
		Timeout:   timeout,
		// A redirect would carry the code to a host that nobody configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Send posts one mail.
func (s *Sender) Send(ctx context.Context, m mailer.Rendered) (mailer.Receipt, error) {
	payload, err := json.Marshal(body{ID: m.ID, To: m.To, From: m.From, Subject: m.Subject, Text: m.Text, HTML: m.HTML,
		UsageType: m.Usage, Locale: m.Locale, Code: m.Code, CreatedAt: s.now().UTC()})
	if err != nil {
		return mailer.Receipt{}, fmt.Errorf("post mail: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(payload))
	if err != nil {
		return mailer.Receipt{}, &mailer.SendError{Class: mailer.Misconfigured, Err: err}
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return mailer.Receipt{}, &mailer.SendError{Class: mailer.Temporary, Err: fmt.Errorf("post mail: %w", withoutURL(err))}
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) // lets the connection be used again
	if class := classOf(resp.StatusCode); class != "" {
		return mailer.Receipt{}, &mailer.SendError{Class: class, Err: fmt.Errorf("post mail: the server answered %s", resp.Status)}
	}
	return mailer.Receipt{}, nil
}

// classOf gives the class of an answer, "" if the mail was taken.
func classOf(status int) mailer.Class {
	switch {
	case status >= 200 && status < 300:
		return ""
	case status == http.StatusTooManyRequests:
		return mailer.Throttled
	case status == http.StatusUnprocessableEntity:
		return mailer.Refused
	case status == http.StatusRequestTimeout, status >= 500:
		return mailer.Temporary
	}
	return mailer.Misconfigured
}

// withoutURL takes the address out of a transport error: it may hold a token.
func withoutURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
