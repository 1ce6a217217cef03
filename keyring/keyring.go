// Package keyring derives every key of the instance from its one secret and
// seals and authenticates with them.
//
// Each purpose has a key of its own (HKDF-SHA-256, RFC 5869, the purpose as
// info), so that a value sealed for one purpose never opens for another. A
// secret has a four-byte id, which sealed values carry: during a rotation the
// previous secret still opens what it sealed.
package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"

	"idp/store"
)

// SecretSize is the length of an instance secret in bytes.
const SecretSize = 32

// ErrOpen says that a sealed value is not ours, was changed, belongs elsewhere,
// or was sealed under a secret that is gone.
var ErrOpen = errors.New("the sealed value does not open")

// Ring holds the instance secret and, during a rotation, the one before it.
type Ring struct {
	secrets [][]byte
	kept    map[string][]sealKey // of secrets that are gone, by purpose
}

// New makes a ring from secrets of [SecretSize] bytes, the current one first.
func New(current []byte, previous ...[]byte) (*Ring, error) {
	r := &Ring{}
	for _, s := range append([][]byte{current}, previous...) {
		if len(s) != SecretSize {
			return nil, fmt.Errorf("an instance secret is %d bytes, this one has %d", SecretSize, len(s))
		}
		r.secrets = append(r.secrets, s)
	}
	return r, nil
}

// ParseSecret reads a secret in base64 (standard or URL alphabet, padded or not).
func ParseSecret(text string) ([]byte, error) {
	text = strings.TrimRight(strings.TrimSpace(text), "=")
	text = strings.NewReplacer("-", "+", "_", "/").Replace(text)
	b, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(b) != SecretSize {
		return nil, fmt.Errorf("an instance secret is %d random bytes in base64 (make one with: openssl rand -base64 32)", SecretSize)
	}
	return b, nil
}

func derive(secret []byte, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, "idp/1/"+purpose, 32)
	if err != nil {
		panic(err) // only for an absurd length
	}
	return key
}

type keyID [4]byte

func idOf(secret []byte) keyID { return keyID(derive(secret, "key id")[:4]) }

// Sealer returns the sealer for a purpose.
func (r *Ring) Sealer(purpose string) *Sealer { return r.sealer(purpose) }

func (r *Ring) sealer(purpose string) *Sealer {
	s := &Sealer{}
	for _, secret := range r.secrets {
		s.keys = append(s.keys, sealKey{idOf(secret), newHMAC(derive(secret, "seal/"+purpose))})
	}
	s.keys = append(s.keys, r.kept[purpose]...)
	return s
}

// Sealer encrypts with AES-256-GCM. Every value gets a key of its own, derived
// from a 128-bit random salt, so that the number of values under one purpose has
// no practical bound (a bare GCM key is good for 2^32 random nonces, which
// strangers could use up by asking for pages).
type Sealer struct{ keys []sealKey }

type sealKey struct {
	id  keyID
	key *hmacPool
}

// A sealed value is: version 1, key id 4, salt 16, ciphertext, tag 16.
const (
	sealVersion = 1
	saltSize    = 16
	headSize    = 1 + 4 + saltSize
)

// Seal encrypts plaintext and binds it to aad, which [Sealer.Open] must be given again.
func (s *Sealer) Seal(plaintext, aad []byte) []byte {
	k := s.keys[0]
	out := make([]byte, headSize, headSize+len(plaintext)+16)
	out[0] = sealVersion
	copy(out[1:], k.id[:])
	rand.Read(out[5:headSize])
	return k.aead(out[5:headSize]).Seal(out, make([]byte, 12), plaintext, aad)
}

// Open decrypts what [Sealer.Seal] made with the same aad. The error is [ErrOpen].
func (s *Sealer) Open(sealed, aad []byte) ([]byte, error) {
	if len(sealed) < headSize+16 || sealed[0] != sealVersion {
		return nil, ErrOpen
	}
	for _, k := range s.keys {
		if keyID(sealed[1:5]) != k.id {
			continue
		}
		plain, err := k.aead(sealed[5:headSize]).Open(nil, make([]byte, 12), sealed[headSize:], aad)
		if err != nil {
			return nil, ErrOpen
		}
		return plain, nil
	}
	return nil, ErrOpen
}

// aead is the cipher of one value. Its key is used once, so the nonce is zero.
func (k sealKey) aead(salt []byte) cipher.AEAD {
	m := k.key.get()
	defer k.key.put(m)
	m.Write(salt)
	var key [sha256.Size]byte
	block, err := aes.NewCipher(m.Sum(key[:0]))
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return gcm
}

// MAC returns the authenticator for a purpose.
func (r *Ring) MAC(purpose string) *MAC {
	m := &MAC{}
	for _, secret := range r.secrets {
		m.keys = append(m.keys, newHMAC(derive(secret, "mac/"+purpose)))
	}
	return m
}

// MAC is HMAC-SHA-256 over length-prefixed parts.
type MAC struct{ keys []*hmacPool }

// Sum authenticates parts under the current secret.
func (m *MAC) Sum(parts ...[]byte) store.Hash { return sum(m.keys[0], parts) }

// Sums gives the value of [MAC.Sum] under each live secret, the current one first.
func (m *MAC) Sums(parts ...[]byte) []store.Hash {
	out := make([]store.Hash, len(m.keys))
	for i, k := range m.keys {
		out[i] = sum(k, parts)
	}
	return out
}

func sum(key *hmacPool, parts [][]byte) (out store.Hash) {
	h := key.get()
	defer key.put(h)
	var n [4]byte
	for _, p := range parts {
		binary.BigEndian.PutUint32(n[:], uint32(len(p)))
		h.Write(n[:])
		h.Write(p)
	}
	h.Sum(out[:0])
	return out
}

// hmacPool keeps the HMACs of one key that were made: making one costs more than its
// use on a short text.
type hmacPool struct{ pool sync.Pool }

func newHMAC(key []byte) *hmacPool {
	return &hmacPool{sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

func (p *hmacPool) get() hash.Hash { return p.pool.Get().(hash.Hash) }

func (p *hmacPool) put(h hash.Hash) {
	h.Reset()
	p.pool.Put(h)
}
