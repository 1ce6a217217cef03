package webhook

import (
	"encoding/json"
	"fmt"

	"idp/keyring"
	"idp/store"
)

// secret is what of a hook is sealed.
type secret struct {
	SigningKey string            `json:"signingKey"`
	Headers    map[string]string `json:"headers,omitempty"`
	Retries    *int              `json:"retries,omitempty"`
}

// vault seals what hooks must not show, and what waits in the queue.
type vault struct{ hooks, deliveries *keyring.Sealer }

func newVault(ring *keyring.Ring) vault {
	return vault{ring.Sealer("webhook"), ring.Sealer("webhook delivery")}
}

// seal puts a configuration and a signing key into a hook.
func (v vault) seal(h *store.Hook, c Config, key string) error {
	text, err := json.Marshal(secret{key, c.Headers, c.Retries})
	if err != nil {
		return fmt.Errorf("seal hook: %w", err)
	}
	h.URL, h.Sealed = c.URL, v.hooks.Seal(text, []byte(h.ID))
	return nil
}

func (v vault) open(h store.Hook) (c Config, key string, err error) {
	text, err := v.hooks.Open(h.Sealed, []byte(h.ID))
	if err != nil {
		return c, "", fmt.Errorf("open hook %s: %w", h.ID, err)
	}
	var s secret
	if err := json.Unmarshal(text, &s); err != nil {
		return c, "", fmt.Errorf("open hook %s: %w", h.ID, err)
	}
	return Config{URL: h.URL, Headers: s.Headers, Retries: s.Retries}, s.SigningKey, nil
}

func (v vault) sealNote(id store.ID, n note) ([]byte, error) {
	text, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("seal delivery: %w", err)
	}
	return v.deliveries.Seal(text, id[:]), nil
}

func (v vault) openNote(d store.HookDelivery) (n note, err error) {
	text, err := v.deliveries.Open(d.Payload, d.ID[:])
	if err != nil {
		return n, fmt.Errorf("open delivery: %w", err)
	}
	return n, json.Unmarshal(text, &n)
}
