package op

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"idp/keyring"
	"idp/store"
)

// keySet is the signing keys, opened and ready for use.
type keySet struct {
	source   []store.SigningKey // what it was made from
	until    time.Time          // when a retired key is to be dropped; zero: never
	signers  map[string]*signer // the live key of each algorithm
	document document           // the JWKS

	published map[string]jose.JSONWebKey // what is in it, by kid
}

// currentKeys gives the keys as the store has them, which is at most 5 s old: a
// key that another replica made is published by then. When the store does not
// answer, the keys known before are as good.
func (p *Provider) currentKeys(ctx context.Context) (*keySet, error) {
	set := p.keys.Load()
	stored, err := p.store.SigningKeys(ctx)
	switch {
	case err != nil && set != nil:
		return set, nil
	case err != nil:
		return nil, fmt.Errorf("read signing keys: %w", err)
	case set != nil && set.is(stored, p.store.Now()):
		return set, nil
	}
	p.keyMu.Lock()
	defer p.keyMu.Unlock()
	return p.loadKeys(ctx)
}

// is tells whether the set was made from these keys.
func (s *keySet) is(stored []store.SigningKey, now time.Time) bool {
	return (s.until.IsZero() || now.Before(s.until)) && slices.EqualFunc(s.source, stored, func(a, b store.SigningKey) bool {
		return a.ID == b.ID && a.RetiredAt.Equal(b.RetiredAt)
	})
}

// loadKeys opens the store's keys; keyMu is held, so that an older reading never
// replaces a newer one.
func (p *Provider) loadKeys(ctx context.Context) (*keySet, error) {
	stored, err := p.store.SigningKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	now, old := p.store.Now(), p.keys.Load()
	if old != nil && old.is(stored, now) {
		return old, nil
	}
	set := &keySet{source: slices.Clone(stored), signers: map[string]*signer{}, published: map[string]jose.JSONWebKey{}}
	published := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range stored {
		if gone := k.PublishedUntil(); !gone.IsZero() {
			if !now.Before(gone) {
				continue
			}
			if set.until.IsZero() || gone.Before(set.until) {
				set.until = gone
			}
		} else {
			signs, until := signing(k, stored, now)
			if !until.IsZero() && (set.until.IsZero() || until.Before(set.until)) {
				set.until = until
			}
			if set.signers[k.Alg], err = p.openKey(signs, old); err != nil {
				return nil, err
			}
		}
		public, err := x509.ParsePKIXPublicKey(k.Public)
		if err != nil {
			return nil, fmt.Errorf("read signing key %s: %w", k.ID, err)
		}
		key := jose.JSONWebKey{Key: public, KeyID: k.ID, Algorithm: k.Alg, Use: "sig"}
		published.Keys, set.published[k.ID] = append(published.Keys, key), key
	}
	// Always revalidated, at the price of a 304: a key made for a client's new
	// algorithm signs at once, and a cached set without it would fail sign-ins.
	if set.document, err = newDocument(published, "public, no-cache"); err != nil {
		return nil, err
	}
	p.keys.Store(set)
	return set, nil
}

// signing gives the key that signs where k is the live one: the one that it replaced, until
// all replicas publish k.
func signing(k store.SigningKey, stored []store.SigningKey, now time.Time) (signs store.SigningKey, until time.Time) {
	until = k.CreatedAt.Add(store.KeyAnnounced)
	i := slices.IndexFunc(stored, func(o store.SigningKey) bool { return o.Alg == k.Alg && o.RetiredAt.Equal(k.CreatedAt) })
	if i < 0 || !now.Before(until) {
		return k, time.Time{}
	}
	return stored[i], until
}

// openKey opens the private half of a live key, unless old has it open.
func (p *Provider) openKey(k store.SigningKey, old *keySet) (*signer, error) {
	if old != nil && old.signers[k.Alg] != nil && old.signers[k.Alg].kid == k.ID {
		return old.signers[k.Alg], nil
	}
	der, err := p.keySealer.Open(k.Sealed, []byte(k.ID))
	if err != nil {
		return nil, fmt.Errorf("open signing key %s: %w", k.ID, err)
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("read signing key %s: %w", k.ID, err)
	}
	return newSigner(k.ID, k.Alg, private)
}

// signerFor gives the key of an algorithm, made if there is none yet. Of replicas
// that make one at the same time the first wins, and the others sign with its.
func (p *Provider) signerFor(ctx context.Context, alg string) (*signer, error) {
	set, err := p.currentKeys(ctx)
	if err != nil {
		return nil, err
	}
	if s := set.signers[alg]; s != nil {
		return s, nil
	}
	p.keyMu.Lock()
	defer p.keyMu.Unlock()
	if s := p.keys.Load().signers[alg]; s != nil {
		return s, nil
	}
	made, err := p.newKey(alg)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	if err := p.store.AddSigningKey(ctx, made); err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	if set, err = p.loadKeys(ctx); err != nil {
		return nil, err
	}
	if s := set.signers[alg]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("make signing key: the store has none for %s after one was added", alg)
}

// newKey makes a key of the provider's.
func (p *Provider) newKey(alg string) (store.SigningKey, error) {
	return newSigningKey(p.keySealer, alg)
}

// NewSigningKey makes a key for an algorithm, to be stored.
func NewSigningKey(ring *keyring.Ring, alg string) (store.SigningKey, error) {
	return newSigningKey(ring.Sealer("signing key"), alg)
}

// newSigningKey names the key by its thumbprint (RFC 7638).
func newSigningKey(sealer *keyring.Sealer, alg string) (store.SigningKey, error) {
	key, err := generate(alg)
	if err != nil {
		return store.SigningKey{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return store.SigningKey{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return store.SigningKey{}, err
	}
	thumbprint, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		return store.SigningKey{}, err
	}
	kid := encode(thumbprint)
	return store.SigningKey{ID: kid, Alg: alg, Sealed: sealer.Seal(private, []byte(kid)), Public: public}, nil
}
