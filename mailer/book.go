package mailer

import (
	"idp/keyring"
	"idp/store"
)

// book writes recipients down so that a dump names nobody: a keyed hash to find them
// by, and the address sealed, with that hash as associated data, to show it.
type book struct {
	addresses  *keyring.MAC
	recipients *keyring.Sealer
}

func newBook(ring *keyring.Ring) book {
	return book{addresses: ring.MAC("recipient"), recipients: ring.Sealer("recipient's address")}
}

// recipient opens an address; "" if there is none, or its secret is gone.
func (b book) recipient(sealed []byte, hash store.Hash) store.Email {
	plain, err := b.recipients.Open(sealed, hash[:])
	if err != nil {
		return ""
	}
	return store.Email(plain)
}
