// Package reseal brings a database under a new instance secret: what is sealed is sealed
// anew, keyed hashes of addresses are made anew, and the audit log is vouched for anew.
//
// Servers that know both secrets serve meanwhile: each value opens before and after. A
// rotation that was interrupted goes on where it was when it is run again. What cannot be
// sealed anew, because the audit log's chain covers it as it is, keeps the one key that
// opens it.
package reseal

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"idp/audit"
	"idp/keyring"
	"idp/store"
)

// Store is what a rotation asks of the database.
type Store interface {
	audit.RotateStore
	SealedValues(ctx context.Context, column store.SealedColumn, after []byte, limit int) ([]store.SealedValue, error)
	Reseal(ctx context.Context, column store.SealedColumn, values []store.Resealed) error
	Emails(ctx context.Context, after string, limit int) (emails []store.Email, last string, err error)
	RehashDevices(ctx context.Context, addresses []store.Rehashed) error
	KeptKeys(ctx context.Context) ([]store.KeptKey, error)
	KeepKeys(ctx context.Context, keys []store.KeptKey) error
}

// Hashes gives the keyed hashes of an address under the current secret and the one before.
type Hashes func(store.Email) (now, former store.Hash)

// Rotation is one. Told, if set, hears of progress: how many values were sealed anew.
type Rotation struct {
	Store      Store
	Ring       *keyring.Ring
	Recipients Hashes // as in the records of mails
	Addresses  Hashes // as with known browsers
	Told       func(what string, done int)
}

// Lost is what does not open under any secret that is known.
type Lost struct {
	Column store.SealedColumn
	Values int
}

// Result is what a rotation did.
type Result struct {
	Sealed map[store.SealedColumn]int // values that were sealed anew
	Lost   []Lost
}

// columns are what is sealed, and for which purpose of the keyring.
var columns = []struct {
	store.SealedColumn
	what, purpose string
}{
	{store.SealedConnectors, "connectors", "connector"},
	{store.SealedSigningKeys, "signing keys", "signing key"},
	{store.SealedHooks, "webhooks", "webhook"},
	{store.SealedDeliveries, "deliveries of webhooks", "webhook delivery"},
	{store.SealedMails, "waiting mails", "mail"},
	{store.SealedInbox, "mails of the development mailbox", "inbox"},
	{store.SealedUserKeys, "keys of people", "audit person key"},
	{store.SealedTestCodes, "codes of test addresses", "test address code"},
	{store.SealedCertificates, "certificates", "certificate"},
	{store.SealedKeptKeys, "kept keys", "kept key"},
	{store.SealedRecipients, "recipients of mails", "recipient's address"},
	{store.SealedSuppressions, "suppressed addresses", "recipient's address"},
}

// hashed are the columns whose values are bound to a hash of the address they hold.
func hashed(c store.SealedColumn) bool {
	return c == store.SealedRecipients || c == store.SealedSuppressions
}

// batch is how many rows one transaction changes.
const batch = 500

// Run does it.
func (r *Rotation) Run(ctx context.Context) (Result, error) {
	done := Result{Sealed: map[store.SealedColumn]int{}}
	// First what must never be without: the key that opens what stays as it is.
	var keep []store.KeptKey
	for _, k := range r.Ring.Keep("audit") {
		keep = append(keep, store.KeptKey{ID: k.ID, Purpose: k.Purpose, Sealed: k.Sealed})
	}
	if len(keep) > 0 {
		if err := r.Store.KeepKeys(ctx, keep); err != nil {
			return done, err
		}
	}
	for _, c := range columns {
		n, lost, err := r.column(ctx, c.SealedColumn, c.what, c.purpose)
		if err != nil {
			return done, err
		}
		done.Sealed[c.SealedColumn] = n
		if lost > 0 {
			done.Lost = append(done.Lost, Lost{c.SealedColumn, lost})
		}
	}
	if err := r.devices(ctx); err != nil {
		return done, err
	}
	n, err := audit.Revouch(ctx, r.Store, r.Ring)
	r.tell("links of the audit log", n)
	return done, err
}

func (r *Rotation) tell(what string, n int) {
	if r.Told != nil && n > 0 {
		r.Told(what, n)
	}
}

func (r *Rotation) column(ctx context.Context, c store.SealedColumn, what, purpose string) (n, lost int, err error) {
	var after []byte
	for {
		rows, err := r.Store.SealedValues(ctx, c, after, batch)
		if err != nil {
			return n, lost, err
		}
		var values []store.Resealed
		for _, row := range rows {
			after = row.Key
			v, err := r.value(c, purpose, row)
			switch {
			case errors.Is(err, keyring.ErrOpen):
				lost++
			case err != nil:
				return n, lost, err
			case !bytes.Equal(v.Is, row.Value):
				values = append(values, v)
			}
		}
		if len(values) > 0 {
			if err := r.Store.Reseal(ctx, c, values); err != nil {
				return n, lost, err
			}
		}
		n += len(values)
		r.tell(what, n)
		if len(rows) < batch {
			return n, lost, nil
		}
	}
}

func (r *Rotation) value(c store.SealedColumn, purpose string, row store.SealedValue) (store.Resealed, error) {
	v := store.Resealed{Key: row.Key, Was: row.Value}
	var err error
	if !hashed(c) {
		v.Is, err = r.Ring.Reseal(purpose, row.Value, row.Bound)
		return v, err
	}
	// The hash that the value is bound to changes with the secret.
	address, err := r.Ring.Reveal(purpose, row.Value, row.Bound)
	if err != nil {
		return v, err
	}
	if v.HashIs, _ = r.Recipients(store.Email(address)); bytes.Equal(v.HashIs[:], row.Bound) {
		v.Is = row.Value
		return v, nil
	}
	v.Is = r.Ring.SealFor(purpose, address, v.HashIs[:])
	return v, nil
}

// devices gives what is known about browsers the hashes that it is found by.
func (r *Rotation) devices(ctx context.Context) error {
	after := ""
	for n := 0; ; {
		emails, last, err := r.Store.Emails(ctx, after, batch)
		if err != nil {
			return err
		}
		var hashes []store.Rehashed
		for _, email := range emails {
			if now, former := r.Addresses(email); !former.IsZero() {
				hashes = append(hashes, store.Rehashed{Was: former, Is: now})
			}
		}
		if len(hashes) > 0 {
			if err := r.Store.RehashDevices(ctx, hashes); err != nil {
				return fmt.Errorf("known browsers: %w", err)
			}
		}
		n += len(hashes)
		r.tell("addresses of people", n)
		if last == "" {
			return nil
		}
		after = last
	}
}
