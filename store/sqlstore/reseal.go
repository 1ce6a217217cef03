package sqlstore

import (
	"context"
	"fmt"
	"strconv"

	"idp/store"
)

// sealedAt says where the values of a column are.
type sealedAt struct {
	table, key, value, bound string
	text                     bool   // the key is text
	hash                     string // the column of the keyed hash that changes with the value, or ""
}

var sealedColumns = map[store.SealedColumn]sealedAt{
	store.SealedConnectors:   {table: "connector", key: "id", value: "sealed", bound: "id", text: true},
	store.SealedSigningKeys:  {table: "signing_key", key: "id", value: "sealed", bound: "id", text: true},
	store.SealedHooks:        {table: "hook", key: "id", value: "sealed", bound: "id", text: true},
	store.SealedDeliveries:   {table: "hook_delivery", key: "id", value: "payload", bound: "id"},
	store.SealedMails:        {table: "mail", key: "id", value: "payload", bound: "challenge"},
	store.SealedInbox:        {table: "inbox", key: "id", value: "sealed", bound: "id"},
	store.SealedUserKeys:     {table: "user_key", key: "user_id", value: "sealed", bound: "user_id", text: true},
	store.SealedTestCodes:    {table: "test_address", key: "email", value: "code", bound: "email", text: true},
	store.SealedCertificates: {table: "certificate", key: "name", value: "sealed", bound: "name", text: true},
	store.SealedKeptKeys:     {table: "kept_key", key: "id", value: "sealed", bound: "id"},
	store.SealedRecipients:   {table: "mail", key: "id", value: "recipient", bound: "address", hash: "address"},
	store.SealedSuppressions: {table: "suppression", key: "address", value: "recipient", bound: "address", hash: "address"},
}

// keyArg is a key as the column takes it.
func (c sealedAt) keyArg(key []byte) any {
	if c.text {
		return string(key)
	}
	if key == nil {
		return []byte{}
	}
	return key
}

// SealedValues reads the values of a column in the order of their rows' keys, behind one of
// them (nil: from the first).
func (db *DB) SealedValues(ctx context.Context, column store.SealedColumn, after []byte, limit int) ([]store.SealedValue, error) {
	c := sealedColumns[column]
	var out []store.SealedValue
	err := db.engine.Read(ctx, `SELECT `+c.key+`, `+c.bound+`, `+c.value+` FROM `+c.table+`
		WHERE `+c.value+` IS NOT NULL AND `+c.key+` > $1 ORDER BY `+c.key+` LIMIT `+strconv.Itoa(limit), []any{c.keyArg(after)},
		func(scan func(...any) error) error {
			var v store.SealedValue
			var err error
			if c.text {
				var key, bound string
				err = scan(&key, &bound, &v.Value)
				v.Key, v.Bound = []byte(key), []byte(bound)
			} else {
				err = scan(&v.Key, &v.Bound, &v.Value)
			}
			out = append(out, v)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read what is sealed in %s: %w", c.table, err)
	}
	return out, nil
}

// Reseal puts values in the place of others, each only where the other still stands: what was
// changed meanwhile is under the current secret already.
func (db *DB) Reseal(ctx context.Context, column store.SealedColumn, values []store.Resealed) error {
	c := sealedColumns[column]
	s := Script{Idempotent: true}
	for _, v := range values {
		key := c.keyArg(v.Key)
		switch {
		case c.hash == "":
			s.Do(`UPDATE `+c.table+` SET `+c.value+` = $3 WHERE `+c.key+` = $1 AND `+c.value+` = $2`, key, v.Was, v.Is)
		case c.hash != c.key:
			s.Do(`UPDATE `+c.table+` SET `+c.value+` = $3, `+c.hash+` = $4 WHERE `+c.key+` = $1 AND `+c.value+` = $2`, key, v.Was, v.Is, v.HashIs[:])
		default: // the address may be on the list under both hashes
			s.Do(`UPDATE `+c.table+` SET `+c.value+` = $2, `+c.hash+` = $3 WHERE `+c.key+` = $1 AND NOT EXISTS (SELECT 1 FROM `+c.table+` WHERE `+c.key+` = $3)`,
				key, v.Is, v.HashIs[:])
			s.Do(`DELETE FROM `+c.table+` WHERE `+c.key+` = $1 AND EXISTS (SELECT 1 FROM `+c.table+` WHERE `+c.key+` = $2)`, key, v.HashIs[:])
		}
	}
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("seal %s anew: %w", c.table, err)
	}
	return nil
}

// Emails reads addresses of people in the order of their ids, behind one of them ("": from the
// first), and tells the last id.
func (db *DB) Emails(ctx context.Context, after string, limit int) (emails []store.Email, last string, err error) {
	err = db.engine.Read(ctx, `SELECT id, email FROM users WHERE id > $1 ORDER BY id LIMIT `+strconv.Itoa(limit), []any{after},
		func(scan func(...any) error) error {
			var email *string
			if err := scan(&last, &email); err != nil {
				return err
			}
			if email != nil {
				emails = append(emails, store.Email(*email))
			}
			return nil
		})
	if err != nil {
		return nil, "", fmt.Errorf("read addresses: %w", err)
	}
	return emails, last, nil
}

// RehashDevices has known browsers, and mutes, of addresses found under other hashes.
func (db *DB) RehashDevices(ctx context.Context, addresses []store.Rehashed) error {
	s := Script{Idempotent: true}
	for _, a := range addresses {
		s.Do(`
			UPDATE device SET address = $2 WHERE address = $1
			  AND NOT EXISTS (SELECT 1 FROM device AS other WHERE other.address = $2 AND other.browser = device.browser)`, a.Was[:], a.Is[:])
		s.Do(`UPDATE mute SET address = $2 WHERE address = $1 AND NOT EXISTS (SELECT 1 FROM mute WHERE address = $2)`, a.Was[:], a.Is[:])
	}
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("give known browsers new hashes: %w", err)
	}
	return nil
}

// RemacBatches puts MACs of the audit log's batches in the place of others.
func (db *DB) RemacBatches(ctx context.Context, macs []store.BatchMAC) error {
	s := Script{Idempotent: true}
	for _, m := range macs {
		s.Do(`UPDATE event_batch SET mac = $3 WHERE no = $1 AND mac = $2`, m.No, m.Was[:], m.Is[:])
	}
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("vouch anew for the audit log: %w", err)
	}
	return nil
}

// RemacAnchor does the same for the anchor of the audit log.
func (db *DB) RemacAnchor(ctx context.Context, a store.EventAnchor, was store.Hash) error {
	s := Script{Idempotent: true}
	s.Do(`UPDATE event_anchor SET mac = $3 WHERE no = $1 AND mac = $2`, a.No, was[:], a.MAC[:])
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("vouch anew for where the audit log begins: %w", err)
	}
	return nil
}

// KeptKeys reads the keys of secrets that are gone.
func (db *DB) KeptKeys(ctx context.Context) ([]store.KeptKey, error) {
	var out []store.KeptKey
	err := db.engine.Read(ctx, `SELECT id, purpose, sealed FROM kept_key ORDER BY id`, nil, func(scan func(...any) error) error {
		var k store.KeptKey
		err := scan(&k.ID, &k.Purpose, &k.Sealed)
		out = append(out, k)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read kept keys: %w", err)
	}
	return out, nil
}

// KeepKeys adds keys; one that is there stays.
func (db *DB) KeepKeys(ctx context.Context, keys []store.KeptKey) error {
	s := Script{Idempotent: true}
	for _, k := range keys {
		s.Do(`INSERT INTO kept_key (id, purpose, sealed) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING`, k.ID, k.Purpose, k.Sealed)
	}
	if err := db.engine.Run(ctx, &s); err != nil {
		return fmt.Errorf("keep keys: %w", err)
	}
	return nil
}

// ChangeSecret has the database belong to a secret: is and was are the fingerprints of it and
// of the one before. The error is [store.Conflict] if it belongs to neither.
func (db *DB) ChangeSecret(ctx context.Context, was, is store.Hash, told ...store.Event) error {
	const op = "change the secret"
	var s Script
	s.Do(`UPDATE instance SET secret_check = $2 WHERE id = 1 AND secret_check IN ($1, $2)`, was[:], is[:]).Need(op, store.Conflict)
	return db.administer(ctx, op, &s, told...)
}

// UnderSecret tells whether a fingerprint is that of the secret that the database belongs to.
func (db *DB) UnderSecret(ctx context.Context, fingerprint store.Hash) (bool, error) {
	var stored store.Hash
	err := db.one(ctx, "read the secret's fingerprint", `SELECT secret_check FROM instance WHERE id = 1`, nil, hashInto(&stored))
	return stored.Equal(fingerprint), err
}
