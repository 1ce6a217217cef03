package address

import (
	"errors"
	"strings"
	"unicode/utf8"

	"idp/store"
)

// maxStars bounds the work of a match: a pattern needs one or two.
const maxStars = 4

// ErrPattern says that a text is no entry of an address list.
var ErrPattern = errors.New(`no address ("ada@example.com"), domain ("@example.com") or pattern of them ("ada*@example.com", "@*.example.com")`)

// ParsePattern reads an entry of an address list into its canonical form. The error is
// [ErrPattern].
func ParsePattern(text string) (string, error) {
	text = strings.TrimSpace(text)
	at := strings.LastIndexByte(text, '@')
	if at < 0 || len(text) > maxAddress || !utf8.ValidString(text) || strings.Count(text, "*") > maxStars {
		return "", ErrPattern
	}
	local, domain := lower(text[:at]), text[at+1:]
	// A star is read as a letter of its own, so that what it stands in is held to the
	// rules of addresses.
	const star = "zzstarzz"
	if local != "" && (len(local) > maxLocal || !isDotAtom(strings.ReplaceAll(local, "*", star))) {
		return "", ErrPattern
	}
	if strings.Contains(domain, star) || local == "" && strings.Trim(domain, "*.") == "" {
		return "", ErrPattern
	}
	domain, err := domains.ToASCII(strings.ReplaceAll(domain, "*", star))
	if err != nil || !isHost(domain) && strings.Trim(domain, ".") != star {
		return "", ErrPattern
	}
	return local + "@" + strings.ReplaceAll(domain, star, "*"), nil
}

// matches tells whether an address is one that a canonical entry means.
func matches(pattern string, local, domain string) bool {
	at := strings.LastIndexByte(pattern, '@')
	if at < 0 {
		return false
	}
	return (at == 0 || glob(pattern[:at], local)) && glob(pattern[at+1:], domain)
}

// glob matches a text with a pattern whose stars stand for anything.
func glob(pattern, text string) bool {
	first, rest, found := strings.Cut(pattern, "*")
	if !found {
		return pattern == text
	}
	if !strings.HasPrefix(text, first) {
		return false
	}
	text = text[len(first):]
	parts := strings.Split(rest, "*")
	last := parts[len(parts)-1]
	for _, part := range parts[:len(parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return strings.HasSuffix(text, last)
}

// Admits tells whether a new account may have the address. An allow list that is not
// empty lets nothing else in, and takes an address that it means off the list of
// throw-away domains; but not off the operator's own block list.
func Admits(p store.AddressPolicy, e store.Email) bool {
	at := strings.LastIndexByte(string(e), '@')
	if at < 0 {
		return false
	}
	local, domain := string(e[:at]), string(e[at+1:])
	if p.BlockSubaddressing && strings.Contains(local, "+") {
		return false
	}
	for _, pattern := range p.Block {
		if matches(pattern, local, domain) {
			return false
		}
	}
	if len(p.Allow) == 0 {
		return !p.BlockDisposable || !Disposable(domain)
	}
	for _, pattern := range p.Allow {
		if matches(pattern, local, domain) {
			return true
		}
	}
	return false
}
