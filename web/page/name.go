package page

import (
	"strings"

	"golang.org/x/text/unicode/bidi"
)

// Name is somebody's or some app's name as a text can hold it: characters that turn
// the direction of what follows are left out, and one that is written from right to
// left is set apart (Unicode Standard Annex 9, section 2.4). A right-to-left text
// sets apart whatever fills it.
func Name(name string) string {
	isRight := false
	plain := strings.Map(func(r rune) rune {
		p, _ := bidi.LookupRune(r)
		switch p.Class() {
		case bidi.LRE, bidi.RLE, bidi.LRO, bidi.RLO, bidi.PDF, bidi.LRI, bidi.RLI, bidi.FSI, bidi.PDI:
			return -1
		case bidi.R, bidi.AL:
			isRight = true
		}
		return r
	}, name)
	if isRight {
		return "\u2068" + plain + "\u2069"
	}
	return plain
}
