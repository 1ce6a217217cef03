package store

// SealedColumn is a column whose values are sealed under the instance secret.
type SealedColumn string

// The columns that a rotation of the secret seals anew.
const (
	SealedConnectors   SealedColumn = "connector"
	SealedSigningKeys  SealedColumn = "signing_key"
	SealedHooks        SealedColumn = "hook"
	SealedDeliveries   SealedColumn = "hook_delivery"
	SealedMails        SealedColumn = "mail"
	SealedInbox        SealedColumn = "inbox"
	SealedUserKeys     SealedColumn = "user_key"
	SealedCertificates SealedColumn = "certificate"
	SealedTestCodes    SealedColumn = "test_address"
	SealedKeptKeys     SealedColumn = "kept_key"
	SealedRecipients   SealedColumn = "mail recipient" // by the hash of the address
	SealedSuppressions SealedColumn = "suppression"    // the same
)

// SealedValue is one of them.
type SealedValue struct {
	Key   []byte // of its row
	Bound []byte // what else the value is bound to
	Value []byte
}

// Resealed is the value that takes the place of another. Hashed columns get a new hash of
// the address, too, which is what the value is bound to.
type Resealed struct {
	Key, Was, Is []byte
	HashIs       Hash
}

// KeptKey is a key of a secret that is gone, for what cannot be sealed anew.
type KeptKey struct {
	ID      []byte
	Purpose string
	Sealed  []byte
}

// Rehashed is the keyed hash of an address under the secret before a rotation, and under
// the secret.
type Rehashed struct{ Was, Is Hash }

// BatchMAC is the MAC of a batch of the audit log that takes the place of another.
type BatchMAC struct {
	No      int64
	Was, Is Hash
}
