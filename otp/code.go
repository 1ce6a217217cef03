package otp

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"idp/keyring"
	"idp/store"
)

// newCode gives n uniform decimal digits, leading zeros kept.
func newCode(n int) string {
	var buf [8]byte
	limit := uint64(1)
	for range n {
		limit *= 10
	}
	// Values at or above the largest multiple of limit are thrown away: a modulo
	// alone would favour the low codes.
	top := ^uint64(0) - ^uint64(0)%limit
	for {
		rand.Read(buf[:])
		v := binary.BigEndian.Uint64(buf[:])
		if v >= top {
			continue
		}
		v %= limit
		out := make([]byte, n)
		for i := n - 1; i >= 0; i-- {
			out[i] = byte('0' + v%10)
			v /= 10
		}
		return string(out)
	}
}

// errNotACode says that what was typed cannot be a code: it costs no try.
var errNotACode = errors.New("not a code")

// normalize turns what people type or paste into a code: full-width digits become
// plain ones, spaces and dashes go. A code has one of the lengths.
func normalize(text string, lengths ...int) (string, error) {
	if len(text) > 256 {
		return "", errNotACode
	}
	var b strings.Builder
	for _, r := range norm.NFKC.String(text) {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case unicode.IsSpace(r), r == '-', r == '‐', r == '–', r == '—', r == '.', r == '\u200b', r == '\ufeff':
		case r == 'o', r == 'O':
			b.WriteByte('0') // read aloud, or copied by hand
		case r == 'l', r == 'I':
			b.WriteByte('1')
		default:
			return "", errNotACode
		}
	}
	if !slices.Contains(lengths, b.Len()) {
		return "", errNotACode
	}
	return b.String(), nil
}

// macs gives the MACs of a code under each live key, over length-prefixed purpose,
// challenge, canonical address and code.
func macs(m *keyring.MAC, p store.Purpose, challenge store.ID, to store.Email, code string) []store.Hash {
	return m.Sums([]byte{byte(p)}, challenge[:], []byte(to), []byte(code))
}
