package mailer

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"idp/store"
	"idp/store/address"
)

// words is an error as it may be logged and stored.
func (q *Queue) words(err error, j job) string { return hide(err.Error(), j.message) }

// hide takes the address of a mail, its code and its links out of an error, which
// providers like to quote.
func hide(text string, m store.Message) string {
	text = withoutLinks(withoutAddress(text, m.To), m.Link, m.NotMe)
	if local, _, _ := strings.Cut(string(m.To), "@"); len(local) > 2 {
		text = withoutName(text, local)
	}
	if m.Code != "" {
		text = regexp.MustCompile(spacedOut(m.Code)).ReplaceAllString(text, "[code]")
	}
	return clean(text, maxError)
}

// wordsOf is words of an error that there may be none of.
func (q *Queue) wordsOf(err error, j job) string {
	if err == nil {
		return ""
	}
	return q.words(err, j)
}

// withoutAddress masks an address, in each spelling that programs give it: other case,
// the domain in its own letters, encoded for a URL, a header or a web page, and with
// another character for the @ as in addresses for bounces.
func withoutAddress(text string, to store.Email) string {
	local, domain, ok := strings.Cut(string(to), "@")
	if !ok || !mayHold(text, local) {
		return text
	}
	domains := spelled(domain)
	if unicode, err := idna.ToUnicode(domain); err == nil && unicode != domain {
		domains = "(?:" + domains + "|" + spelled(unicode) + ")"
	}
	pattern := `(?i)` + spelled(local) + `(?:` + spelled("@") + `|=|#| ?[(\[]?at[)\]]? ?)` + domains
	return regexp.MustCompile(pattern).ReplaceAllLiteralString(text, address.Mask(to))
}

// mayHold tells whether a text can hold a name in any spelling; the usual text of a
// provider is an id of its own, and making a pattern for each mail costs more than
// rendering it. The letters of ASCII and the digits of a name stand in all spellings as
// they are; a text with other characters is left to the pattern, which knows what else
// counts as one of these letters.
func mayHold(text, name string) bool {
	run := longestRun(name)
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf || i+len(run) <= len(text) && strings.EqualFold(text[i:i+len(run)], run) {
			return true
		}
	}
	return false
}

// longestRun is the longest part of a name that [spelled] leaves as it is.
func longestRun(name string) (longest string) {
	for run := range strings.FieldsFuncSeq(name, func(r rune) bool { return !isSame(r) }) {
		if len(run) > len(longest) {
			longest = run
		}
	}
	return longest
}

// isSame tells whether a character stands as it is in all spellings.
func isSame(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// withoutName takes the name before the @ out, where it stands as a word.
func withoutName(text, local string) string {
	return regexp.MustCompile(`(?i)(^|[^\pL\pN])`+spelled(local)+`([^\pL\pN]|$)`).ReplaceAllString(text, "$1…$2")
}

// spelled is a pattern for a text in plain, percent, quoted-printable, xtext (RFC 3461),
// HTML and JSON spelling. Letters of ASCII and digits stay as they are in all of them.
func spelled(text string) string {
	var out strings.Builder
	for _, r := range text {
		if isSame(r) {
			out.WriteRune(r)
			continue
		}
		var hex strings.Builder // of its bytes
		for _, b := range []byte(string(r)) {
			fmt.Fprintf(&hex, `[%%=+]%02x`, b)
		}
		fmt.Fprintf(&out, `(?:%s|%s|&#0*%d;|&#x0*%x;|\\u%04x)`, regexp.QuoteMeta(string(r)), hex.String(), r, r, r)
	}
	return out.String()
}

// secret is what opens something in a link of ours.
var secret = regexp.MustCompile(`[\w-]{12,}`)

// withoutLinks takes what our links open by out of a text: filters of mail quote the
// links that they do not like.
func withoutLinks(text string, links ...string) string {
	for _, link := range links {
		_, after, _ := strings.Cut(link, "://")
		_, path, _ := strings.Cut(after, "/")
		for _, s := range secret.FindAllString(path, -1) {
			text = regexp.MustCompile(`(?i)`+s).ReplaceAllLiteralString(text, "…")
		}
	}
	return text
}

// spacedOut is a pattern for a code, also in groups or broken over lines.
func spacedOut(code string) string {
	var out strings.Builder
	out.WriteString(`(?i)`)
	for i, r := range code {
		if i > 0 {
			out.WriteString(`[-=\s\x{a0}]{0,3}`)
		}
		out.WriteString(regexp.QuoteMeta(string(r)))
	}
	return out.String()
}
