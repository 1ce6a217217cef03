package otp

import (
	"idp/keyring"
	"idp/store"
)

// Addresses gives the keyed hashes of addresses that challenges, known browsers and mutes
// are kept under.
type Addresses struct{ mac *keyring.MAC }

// NewAddresses makes them for an instance.
func NewAddresses(ring *keyring.Ring) Addresses { return Addresses{ring.MAC("address")} }

// Address gives the hash under the secret, and under the one before a rotation, or zero.
func (a Addresses) Address(of store.Email) (now, former store.Hash) {
	sums := a.mac.Sums([]byte(of))
	if len(sums) > 1 {
		former = sums[1]
	}
	return sums[0], former
}
