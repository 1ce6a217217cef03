package admin

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"idp/store"
)

// checkText checks a line that people read: none of it a control character or one that
// changes the direction of what follows.
func checkText(op, field, text string, least, most int) error {
	n := utf8.RuneCountInString(text)
	switch {
	case !utf8.ValidString(text):
		return store.InvalidField(op, field, "is no UTF-8")
	case n < least && n == 0:
		return store.InvalidField(op, field, "is missing")
	case n < least || n > most:
		return store.InvalidField(op, field, fmt.Sprintf("has %d characters; it is %d to %d", n, least, most))
	case strings.TrimSpace(text) != text:
		return store.InvalidField(op, field, "begins or ends with a space")
	}
	for _, r := range text {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return store.InvalidField(op, field, fmt.Sprintf("has a control character (U+%04X)", r))
		}
	}
	return nil
}
