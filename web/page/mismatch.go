package page

import "idp/store"

// Mismatch sets an address that an app sent, and wants the browser sent back to,
// against those that it has registered, for the part of that name. Only developers are
// shown it: on a loopback endpoint.
type Mismatch struct {
	Client     string
	Sent       Difference
	Registered []Difference
}

// Difference is a text cut at the first character that differs from another's.
type Difference struct{ Same, First, Rest string }

// NewMismatch marks in each registered address where it first differs from the sent one, and
// in the sent one where it differs from the one most like it.
func NewMismatch(why store.Problem) *Mismatch {
	m := &Mismatch{Client: why.Client}
	longest := 0
	for _, registered := range why.Registered {
		n := common(why.Sent, registered)
		m.Registered = append(m.Registered, differsAt(registered, n))
		longest = max(longest, n)
	}
	m.Sent = differsAt(why.Sent, longest)
	return m
}

// common is the length in bytes of the longest common beginning.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// differsAt marks the character at byte n, or the end by a mark without one.
func differsAt(text string, n int) Difference {
	for n > 0 && n < len(text) && text[n]&0xC0 == 0x80 { // not inside a character
		n--
	}
	if n >= len(text) {
		return Difference{Same: text, First: "\u00a0"}
	}
	size := len(string([]rune(text[n:])[:1]))
	return Difference{text[:n], text[n : n+size], text[n+size:]}
}
