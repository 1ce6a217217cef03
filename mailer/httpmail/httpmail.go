// Package httpmail is the sender that posts each mail as JSON to a URL of the
// operator's, who sends it on:
//
//	{"id", "to", "from", "subject", "text", "html", "usageType", "locale", "code", "createdAt", "replyTo", "sender"}
//
// id is the same on every attempt, and is the Idempotency-Key header, too; from is a
// display name; code is "" in a mail without one (usageType Recovered and NoAccount);
// createdAt is when this attempt was made; replyTo and sender are what a template asks
// for, or "". With a signing key the header logto-signature-sha-256, which is that of
// Logto's webhooks, is the HMAC-SHA256 of the body in hexadecimal digits.
//
// Any 2xx takes the mail; a body {"id": "…"} gives the name under which it is found in
// the program's own records. 422 says that this address will never take it, 429 or a 503
// with Retry-After that we are too fast, another 3xx or 4xx that the connector has to be
// mended, 408 and 5xx that we should try again. After a 5xx other than 503, or no answer to a
// request that was made, the mail may have left, and counts as one (IDP_LIMIT_MAILS).
package httpmail

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
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
	key    []byte // that signs, may be empty
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
	ReplyTo   string      `json:"replyTo"`
	Sender    string      `json:"sender"`
}

// signature is the header of Logto's webhooks, so that what verifies those verifies this.
const signature = "Logto-Signature-Sha-256"

// New is the connector's [mailer.Factory].
func New(config []byte) (mailer.Sender, error) {
	u, timeout, key, err := parse(config)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64 // all workers post to one host
	return &Sender{url: u.String(), key: key, now: time.Now, client: &http.Client{
		Transport: transport,
		Timeout:   timeout,
		// A redirect would carry the code to a host that nobody configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Send posts one mail.
func (s *Sender) Send(ctx context.Context, m mailer.Rendered) (mailer.Receipt, error) {
	payload, err := json.Marshal(body{ID: m.ID, To: m.To, From: m.From, Subject: m.Subject, Text: m.Text, HTML: m.HTML,
		UsageType: m.Usage, Locale: m.Locale, Code: m.Code, CreatedAt: s.now().UTC(),
		ReplyTo: m.ReplyTo, Sender: m.Sender})
	if err != nil {
		return mailer.Receipt{}, &mailer.SendError{Class: mailer.Temporary, Err: fmt.Errorf("post mail: %w", err)}
	}
	ctx, connected := mailer.Connected(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(payload))
	if err != nil {
		return mailer.Receipt{}, &mailer.SendError{Class: mailer.Misconfigured, Err: err}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", m.ID)
	if len(s.key) > 0 {
		mac := hmac.New(sha256.New, s.key)
		mac.Write(payload)
		req.Header.Set(signature, hex.EncodeToString(mac.Sum(nil)))
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return mailer.Receipt{}, &mailer.SendError{Class: mailer.Temporary, Err: fmt.Errorf("post mail: %w", withoutURL(err)), Unsure: connected()}
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // an answer that is read to its end leaves the connection for the next mail
	if class := classOf(resp); class != "" {
		return mailer.Receipt{}, &mailer.SendError{Class: class, Err: fmt.Errorf("post mail: the server answered %s", resp.Status), Hint: hint(resp.StatusCode),
			// A program that failed may have sent the mail before, and one behind a gateway, too.
			Unsure: resp.StatusCode >= 500 && resp.StatusCode != http.StatusServiceUnavailable}
	}
	var taken struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(answer, &taken) // an answer in another form has no name for the mail
	return mailer.Receipt{Provider: taken.ID}, nil
}

// Close lets go of the connections that are not in use.
func (s *Sender) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// classOf gives the class of an answer, "" if the mail was taken.
func classOf(resp *http.Response) mailer.Class {
	switch status := resp.StatusCode; {
	case status >= 200 && status < 300:
		return ""
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "":
		return mailer.Throttled
	case status == http.StatusUnprocessableEntity:
		return mailer.Refused
	case status == http.StatusRequestTimeout, status >= 500:
		return mailer.Temporary
	}
	return mailer.Misconfigured
}

// hint is what an operator can do about an answer.
func hint(status int) string {
	switch {
	case status >= 300 && status < 400:
		return "Set url to where it redirects: a redirect is not followed, because it would carry the code along."
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return "The program at url does not take our mails: does it have the same signingKey?"
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		return "There is nothing at url that takes a POST: look at the path."
	}
	return ""
}

// withoutURL takes the address out of a transport error: it may hold a token.
func withoutURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
