package webhook

import (
	"net/netip"

	"idp/keyring"
	"idp/store"
)

// Desk is where hooks are set up and tried. It works without a database.
type Desk struct {
	vault  vault
	allow  []netip.Prefix
	client *client
}

// NewDesk makes one. allow and agent are as in [Deps].
func NewDesk(ring *keyring.Ring, allow []netip.Prefix, agent string) *Desk {
	return &Desk{vault: newVault(ring), allow: allow, client: newClient(allow, agent)}
}

// Seal puts a configuration and a signing key into a hook, whose id is set. What cannot be
// used is a [store.Invalid] error.
func (d *Desk) Seal(op string, h *store.Hook, c Config, key string) error {
	if err := c.Check(op, d.allow); err != nil {
		return err
	}
	return d.vault.seal(h, c, key)
}

// Open reads what [Desk.Seal] sealed.
func (d *Desk) Open(h store.Hook) (c Config, key string, err error) { return d.vault.open(h) }
