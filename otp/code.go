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

// longCode is the length of the codes that are mailed while a budget of guesses is spent:
// 26 letters of five bits, 128 bits and two to spare. Nobody guesses one.
const longCode = 26

// letters are those of Crockford's base32: neither I and L, which look like 1, nor O,
// which looks like 0, nor U.
const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// newLongCode gives uniform letters.
func newLongCode() string {
	var code [longCode]byte
	rand.Read(code[:])
	for i, b := range code {
		code[i] = letters[b%32]
	}
	return string(code[:])
}

// grouped is a code as it is mailed: a long one in groups, for whoever has to type it.
func grouped(code string) string {
	if len(code) != longCode {
		return code
	}
	return code[:5] + "-" + code[5:10] + "-" + code[10:15] + "-" + code[15:20] + "-" + code[20:]
}

// newCode gives a code of n characters: a long one, or uniform decimal digits, leading zeros
// kept.
func newCode(n int) string {
	if n == longCode {
		return newLongCode()
	}
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

// normalize turns what people type or paste into a code, of one of the numbers of digits or
// a long one: full-width characters become plain ones and small letters capitals, spaces
// and dashes go, and letters that look like digits are these.
func normalize(text string, digits ...int) (string, error) {
	if len(text) > 256 {
		return "", errNotACode
	}
	var b strings.Builder
	decimal := true
	for _, r := range norm.NFKC.String(text) {
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case unicode.IsSpace(r), r == '-', r == '‐', r == '‑', r == '–', r == '—', r == '.', r == '\u200b', r == '\ufeff':
		case r == 'O':
			b.WriteByte('0') // read aloud, or copied by hand
		case r == 'I', r == 'L':
			b.WriteByte('1')
		case r < unicode.MaxASCII && strings.ContainsRune(letters, r):
			b.WriteRune(r)
			decimal = false
		default:
			return "", errNotACode
		}
	}
	if b.Len() != longCode && (!decimal || !slices.Contains(digits, b.Len())) {
		return "", errNotACode
	}
	return b.String(), nil
}

// macs gives the MACs of a code under each live key, over length-prefixed purpose,
// challenge, canonical address and code.
func macs(m *keyring.MAC, p store.Purpose, challenge store.ID, to store.Email, code string) []store.Hash {
	return m.Sums([]byte{byte(p)}, challenge[:], []byte(to), []byte(code))
}
