package mailer

import (
	"fmt"
	"sync"
	"time"

	"idp/keyring"
	"idp/store"
)

// senders keeps the sender built from each connector until its configuration
// changes, so that connections stay open between mails.
type senders struct {
	kinds  Kinds
	sealer *keyring.Sealer

	mu    sync.Mutex
	built map[string]built
}

type built struct {
	updated time.Time
	sender  Sender
	err     error
}

// get gives the sender of a connector. The error is Misconfigured.
func (s *senders) get(c store.Connector) (Sender, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := s.built[c.ID]; ok && b.updated.Equal(c.UpdatedAt) {
		return b.sender, b.err
	}
	b := built{updated: c.UpdatedAt}
	if b.sender, b.err = s.build(c); b.err != nil {
		b.err = &SendError{Class: Misconfigured, Err: b.err}
	}
	s.built[c.ID] = b
	return b.sender, b.err
}

func (s *senders) build(c store.Connector) (Sender, error) {
	config, err := s.sealer.Open(c.Sealed, []byte(c.ID))
	if err != nil {
		return nil, fmt.Errorf("open the configuration of connector %q: %w", c.ID, err)
	}
	return s.kinds.make(c.ID, config)
}
