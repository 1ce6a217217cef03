// Package audit keeps the record of who did what: it makes entries, whose personal part
// only the instance can read, for the store to write in the same transaction as what they
// tell; and it chains them, so that a cut or an edit shows.
//
// # How an entry goes
//
//	Book.Entry, Trace ──► written with what it tells; personal part under the instance's key
//	     │  about a second
//	     ▼
//	Sealer.Seal ──► personal part under the key of whom it is about ──► leaf
//	     │          (is there no such person any more: dropped)
//	     └──► batch: Merkle root of the leaves, hash over it and the batch before, MAC
//	          └──► with it, in the same transaction, what webhooks are told (Deliver)
//	     │  the account is deleted, and its key
//	     ▼
//	the personal part opens no more; the leaf covers it sealed, so the chain holds
//	     │  older than it is kept
//	     ▼
//	Sealer.Cut ──► whole batches from the front, behind an anchor with a MAC
//
// [Verifier] reads it all and names the first place that is not as it was made.
//
//	audit.go    entries
//	changes.go  before and after
//	sealer.go   batches, and what is too old
//	chain.go    what is hashed, and how
//	person.go   the keys of people
//	open.go     reading what is personal
//	verify.go   checking
package audit
