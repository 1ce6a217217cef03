package audit

import (
	"crypto/rand"

	"idp/keyring"
	"idp/store"
)

// people opens and seals under the keys of people. Their keys are kept sealed under the
// instance's; without the row nobody can open what they sealed.
type people struct{ keys *keyring.Sealer }

func newPeople(ring *keyring.Ring) people { return people{ring.Sealer("audit person key")} }

// newKey makes a key for somebody.
func (p people) newKey(user string) store.UserKey {
	key := make([]byte, keyring.SecretSize)
	rand.Read(key)
	return store.UserKey{User: user, Sealed: p.keys.Seal(key, []byte(user))}
}

// sealer opens the key of somebody. The error is [keyring.ErrOpen].
func (p people) sealer(user string, sealed []byte) (*keyring.Sealer, error) {
	key, err := p.keys.Open(sealed, []byte(user))
	if err != nil {
		return nil, err
	}
	ring, err := keyring.New(key)
	if err != nil {
		return nil, keyring.ErrOpen
	}
	return ring.Sealer("audit person"), nil
}
