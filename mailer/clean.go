package mailer

import (
	"strings"
	"unicode"
)

// Longest texts in a mail, in characters: longer ones come from a mistake or an
// attacker and would bury the code.
const (
	maxApp     = 60
	maxDetail  = 80
	maxError   = 300
	maxSubject = 300 // with its variables filled
)

// fallbackApp stands for an app without a printable name.
const fallbackApp = "idp"

// clean makes a text safe for one line of a mail, a header included: control
// characters and line breaks (header injection) become spaces, invisible
// direction marks (text that reads otherwise than it is) go, runs of spaces
// become one, and what is longer than limit characters is cut with an ellipsis.
func clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.IsSpace(r), unicode.In(r, unicode.Zl, unicode.Zp), r == unicode.ReplacementChar:
			return ' '
		case r == '\u200c' || r == '\u200d': // joiners: part of words in Persian and Hindi, and of emoji
			return r
		case unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > limit {
		s = strings.TrimRight(string(runes[:limit-1]), " ") + "…"
	}
	return s
}

// browserName is a browser's name fit for print, or "". It comes from a header
// that any stranger can write into any address's mail: what a mail program
// could turn into a link is left out.
func browserName(s string) string {
	s = clean(s, maxDetail)
	if strings.ContainsAny(s, ":/\\@") {
		return ""
	}
	for _, part := range strings.Split(s, ".")[1:] {
		if part != "" && !unicode.IsDigit(rune(part[0])) && part[0] != ' ' {
			return ""
		}
	}
	return s
}

// Isolates keep a name from reordering what stands around it (UAX 9 section 2.4).
const (
	isolate    = "\u2068"
	isolateEnd = "\u2069"
)

// bidi isolates a name whose letters may run against the text around it.
func bidi(name string, rtl bool) string {
	if rtl || strings.ContainsFunc(name, runsLeft) {
		return isolate + name + isolateEnd
	}
	return name
}

// runsLeft tells the letters of scripts that are written from right to left.
func runsLeft(r rune) bool {
	return r >= 0x590 && r <= 0x8ff || r >= 0xfb1d && r <= 0xfdff || r >= 0xfe70 && r <= 0xfeff || r >= 0x10800 && r <= 0x10fff || r >= 0x1e800 && r <= 0x1efff
}
