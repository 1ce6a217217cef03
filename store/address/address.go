// Package address reads email addresses that strangers type.
//
// It accepts less than RFC 5322 does: one address, ASCII local part of atoms and
// dots, a domain name with at least two labels. Quoted local parts, comments,
// address literals and control characters are refused: no mailbox of a person
// needs them, and each has been a hole somewhere.
package address

import (
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"idp/store"
)

// The limits of RFC 5321 section 4.5.3.1.
const (
	maxLocal   = 64
	maxAddress = 254
)

// ErrInvalid says that the text is no address this product takes.
var ErrInvalid = errors.New("not an email address")

// domains is strict IDNA 2008: lookup rules, no bad hyphens, no mixed directions,
// every label within DNS limits.
var domains = idna.New(idna.MapForLookup(), idna.StrictDomainName(true), idna.BidiRule(), idna.VerifyDNSLength(true), idna.Transitional(false))

// Parse reads an address into its canonical form: lower case, domain in punycode.
// Dots and plus tags stay: they are significant for identity. The error is
// [ErrInvalid].
func Parse(text string) (store.Email, error) {
	text = strings.Trim(text, " \t\u00a0\u3000")
	if len(text) > 4*maxAddress || !utf8.ValidString(text) {
		return "", ErrInvalid
	}
	at := strings.LastIndexByte(text, '@')
	if at < 1 {
		return "", ErrInvalid
	}
	local, domain := lower(text[:at]), text[at+1:]
	if len(local) > maxLocal || !isDotAtom(local) {
		return "", ErrInvalid
	}
	domain, err := domains.ToASCII(domain)
	if err != nil || !isHost(domain) || len(local)+1+len(domain) > maxAddress {
		return "", ErrInvalid
	}
	return store.Email(local + "@" + domain), nil
}

// lower is lower case for ASCII only: Unicode's would make the Kelvin sign a k, and
// one person's address another's.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// isDotAtom tells whether s is an RFC 5322 dot-atom in ASCII.
func isDotAtom(s string) bool {
	last := byte('.')
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '.':
			if last == '.' {
				return false
			}
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0:
		default:
			return false
		}
		last = c
	}
	return last != '.'
}

// isHost tells whether s is a domain name with at least two labels whose last is
// not a number (an IPv4 address has no mailboxes here).
func isHost(s string) bool {
	dot := strings.LastIndexByte(s, '.')
	if dot < 1 || dot == len(s)-1 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c != '.' && c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s[dot+1] < '0' || s[dot+1] > '9'
}

// Fold gives the key under which sends to an address are counted: without a plus
// tag and without dots in the local part, so that one mailbox cannot be bombed
// under many spellings. It never decides who somebody is.
func Fold(e store.Email) string {
	local, domain, _ := strings.Cut(string(e), "@")
	if tag := strings.IndexByte(local, '+'); tag > 0 {
		local = local[:tag]
	}
	return strings.ReplaceAll(local, ".", "") + "@" + domain
}

// Mask hides most of the local part, for logs and lists: "a…@example.com".
func Mask(e store.Email) string {
	local, domain, ok := strings.Cut(string(e), "@")
	if !ok || local == "" {
		return "…"
	}
	return local[:1] + "…@" + domain
}
