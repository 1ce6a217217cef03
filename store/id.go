package store

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

// ID names a challenge, a mail, a grant or an authorization request: 16 bytes,
// the first six a millisecond timestamp, so that new rows land at the end of an
// index (the layout of a UUID version 7, RFC 9562 section 5.7, without its
// version bits). An ID is no secret.
type ID [16]byte

// NewID makes an ID for the instant now.
func NewID(now time.Time) ID {
	var id ID
	rand.Read(id[6:])
	ms := uint64(now.UnixMilli())
	binary.BigEndian.PutUint16(id[0:], uint16(ms>>32))
	binary.BigEndian.PutUint32(id[2:], uint32(ms))
	return id
}

// String gives the 22 characters of the ID in unpadded base64url.
func (id ID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// Time is the instant that the ID was made for, cut to the millisecond.
func (id ID) Time() time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint16(id[0:]))<<32 | int64(binary.BigEndian.Uint32(id[2:]))).UTC()
}

// IsZero tells whether the ID was never set.
func (id ID) IsZero() bool { return id == ID{} }

// ParseID reads what [ID.String] wrote.
func ParseID(s string) (ID, error) {
	b, err := DecodeBase64URL(s)
	if err != nil || len(b) != len(ID{}) {
		return ID{}, errors.New("an id is 22 characters of base64url")
	}
	return ID(b), nil
}

// DecodeBase64URL reads base64url as this program writes it: without padding, and in one way
// only. The standard library's strict decoder still skips line breaks (RFC 4648 section 3.3
// leaves that to us), and two spellings of one token are one too many.
func DecodeBase64URL(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("base64url has no line breaks")
	}
	return base64.RawURLEncoding.Strict().DecodeString(s)
}

// Hash is the SHA-256 or HMAC-SHA-256 of a secret: what the database keeps
// instead of the secret itself.
type Hash [32]byte

// HashOf is the SHA-256 of a 256-bit random secret (session, token, client
// secret, browser cookie). Never use it on anything guessable.
func HashOf(secret []byte) Hash { return sha256.Sum256(secret) }

// IsZero tells whether the hash was never set.
func (h Hash) IsZero() bool { return h == Hash{} }

// Equal compares in constant time.
func (h Hash) Equal(o Hash) bool { return subtle.ConstantTimeCompare(h[:], o[:]) == 1 }

// alphabet keeps client ids, user ids and client secrets inside [0-9A-Za-z], so
// that they survive Basic credentials with and without URL encoding.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// RandomText gives n uniform characters of [0-9A-Za-z], 5.95 bits each.
func RandomText(n int) string {
	out := make([]byte, 0, n)
	var buf [64]byte
	for len(out) < n {
		rand.Read(buf[:])
		for _, b := range buf {
			if b < 248 && len(out) < n { // 248 = 4 x 62: no modulo bias
				out = append(out, alphabet[b%62])
			}
		}
	}
	return string(out)
}
