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

// Recipients gives the keyed hashes of addresses that records of mails, and suppressed
// addresses, are kept under.
type Recipients struct{ book }

// NewRecipients makes them for an instance.
func NewRecipients(ring *keyring.Ring) Recipients { return Recipients{newBook(ring)} }

// Address gives the hash under the secret, and under the one before a rotation, or zero.
func (r Recipients) Address(of store.Email) (now, former store.Hash) {
	sums := r.addresses.Sums([]byte(of))
	if len(sums) > 1 {
		former = sums[1]
	}
	return sums[0], former
}
