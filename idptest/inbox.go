package idptest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Mail is one that idp dev keeps in its mailbox.
type Mail struct {
	ID        string    `json:"id"`
	To        string    `json:"to"`
	From      string    `json:"from"`
	Subject   string    `json:"subject"`
	Text      string    `json:"text"`
	HTML      string    `json:"html"`
	UsageType string    `json:"usageType"` // SignIn, Register, ForgotPassword, …
	Code      string    `json:"code"`
	CreatedAt time.Time `json:"createdAt"`
}

// Inbox is the mailbox of an idp dev. Its methods are safe for concurrent use.
type Inbox struct {
	endpoint string
	since    time.Time

	mu    sync.Mutex
	given map[string]bool // ids of mails
}

// NewInbox is the mailbox of the idp dev at an endpoint, like http://localhost:3001. Mails
// from before do not count: make it before a code is asked for.
func NewInbox(endpoint string) *Inbox {
	return &Inbox{endpoint: strings.TrimSuffix(endpoint, "/"), since: time.Now().Truncate(time.Microsecond), given: map[string]bool{}}
}

// patience is how long a mail may take where the context has no end that comes earlier: it is
// written to the same machine, which may be busy.
const patience = 20 * time.Second

// Code gives the code of the newest mail to an address, and waits until there is one. A mail is
// given once: the next call waits for the next mail.
func (i *Inbox) Code(ctx context.Context, email string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		mails, err := i.Mails(ctx, email)
		if err != nil {
			return "", err
		}
		if code := i.take(mails); code != "" {
			return code, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("idptest: no code came to %s: %w", email, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (i *Inbox) take(mails []Mail) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, m := range mails { // newest first
		if i.given[m.ID] {
			return "" // and those before it are older
		}
		if m.Code != "" && !m.CreatedAt.Before(i.since) {
			i.given[m.ID] = true
			return m.Code
		}
	}
	return ""
}

// Mails gives the mails to an address, newest first, at most 100.
func (i *Inbox) Mails(ctx context.Context, email string) ([]Mail, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, i.endpoint+"/dev/inbox.json?to="+url.QueryEscape(strings.ToLower(email)), nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, errors.New("idptest: there is no mailbox at " + i.endpoint + ": it is a part of idp dev")
	default:
		return nil, fmt.Errorf("idptest: the mailbox at %s answered %s", i.endpoint, res.Status)
	}
	var mails []Mail
	if err := json.NewDecoder(res.Body).Decode(&mails); err != nil {
		return nil, fmt.Errorf("idptest: the mailbox at %s: %w", i.endpoint, err)
	}
	return mails, nil
}
