package keyring

import "slices"

// Reseal seals under the current secret what an earlier one has sealed for a purpose,
// bound to aad. What is under the current one already comes back as it is. The error is
// [ErrOpen].
func (r *Ring) Reseal(purpose string, sealed, aad []byte) (out []byte, err error) {
	s := r.sealer(purpose)
	if len(sealed) >= headSize && keyID(sealed[1:5]) == s.keys[0].id {
		return sealed, nil
	}
	plain, err := s.Open(sealed, aad)
	if err != nil {
		return nil, err
	}
	return s.Seal(plain, aad), nil
}

// Former tells whether the ring has the secret before a rotation.
func (r *Ring) Former() bool { return len(r.secrets) > 1 }

// Kept is a key for one purpose that outlives the secret it was derived from, for what
// cannot be sealed anew. It only opens.
type Kept struct {
	ID      []byte // names secret and purpose
	Purpose string
	Sealed  []byte // under the current secret
}

// keptPurpose seals keys that are kept.
const keptPurpose = "kept key"

// Keep gives the keys that the secrets before the current one have for a purpose.
func (r *Ring) Keep(purpose string) (keys []Kept) {
	for _, secret := range r.secrets[1:] {
		of := idOf(secret)
		id := slices.Concat(of[:], []byte(purpose))
		keys = append(keys, Kept{ID: id, Purpose: purpose, Sealed: r.sealer(keptPurpose).Seal(derive(secret, "seal/"+purpose), id)})
	}
	return keys
}

// Take has sealers of the purpose that are made from now on open what a kept key has
// sealed. The error is [ErrOpen].
func (r *Ring) Take(k Kept) error {
	key, err := r.sealer(keptPurpose).Open(k.Sealed, k.ID)
	if err != nil || len(k.ID) < len(keyID{}) {
		return ErrOpen
	}
	if r.kept == nil {
		r.kept = map[string][]sealKey{}
	}
	r.kept[k.Purpose] = append(r.kept[k.Purpose], sealKey{keyID(k.ID[:4]), newHMAC(key)})
	return nil
}

// Reveal opens what a sealer of the purpose has sealed. The error is [ErrOpen].
func (r *Ring) Reveal(purpose string, sealed, aad []byte) ([]byte, error) {
	return r.sealer(purpose).Open(sealed, aad)
}

// SealFor seals for the purpose.
func (r *Ring) SealFor(purpose string, plaintext, aad []byte) []byte {
	return r.sealer(purpose).Seal(plaintext, aad)
}
