// Package mailbox reads what operators write down as a sender: one address, with or
// without a name, as it stands in a mail's header.
package mailbox

import (
	"errors"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"idp/store/address"
)

// Mailbox is one address with or without a name. The zero Mailbox is none.
type Mailbox struct {
	Name    string // "" for none
	Address string // a@b, the domain in punycode
	text    string
}

// Form tells an operator what [Parse] takes.
const Form = "write Name <a@example.com>, <a@example.com> or a@example.com"

// Parse reads "Name<a@b>", "<a@b>" and "a@b". The error says what is wrong, to be put behind the
// name of what was read.
func Parse(text string) (Mailbox, error) {
	if !utf8.ValidString(text) || HasControl(text) {
		return Mailbox{}, errors.New("has a line break or another control character in it")
	}
	text = strings.TrimSpace(text)
	name, bare := "", text
	if strings.HasSuffix(text, ">") {
		open := strings.LastIndexByte(text, '<')
		if open < 0 {
			return Mailbox{}, errors.New("has a > without a <")
		}
		name, bare = strings.TrimSpace(text[:open]), text[open+1:len(text)-1]
	}
	name, plain, err := parseName(name)
	if err != nil {
		return Mailbox{}, err
	}
	if strings.Count(bare, "@") > 1 || strings.ContainsAny(bare, ",;<>") {
		return Mailbox{}, errors.New("is more than one address")
	}
	canonical, err := address.Parse(bare)
	if err != nil {
		return Mailbox{}, errors.New("is not an email address")
	}
	// The local part keeps its case: an address that was verified in capitals is another identity.
	m := Mailbox{Name: name, Address: bare, text: text}
	if !isASCII(bare) {
		local, _, _ := strings.Cut(bare, "@")
		_, domain, _ := strings.Cut(string(canonical), "@")
		m.Address = local + "@" + domain
	}
	if !plain || !isASCII(text) {
		m.text = format(name, m.Address)
	}
	return m, nil
}

// Text is the mailbox as it was written, if that is ASCII and reads the same way everywhere; else
// with its name encoded (RFC 2047) or quoted. "" for the zero Mailbox.
func (m Mailbox) Text() string { return m.text }

// Header is the mailbox as a mail's header has it (RFC 5322 section 3.4).
func (m Mailbox) Header() string { return (&mail.Address{Name: m.Name, Address: m.Address}).String() }

// Named gives the mailbox a name, on one line.
func (m Mailbox) Named(name string) Mailbox {
	name = OneLine(name)
	if name == "" {
		return m
	}
	return Mailbox{Name: name, Address: m.Address, text: format(name, m.Address)}
}

// Domain is the part behind the @, in lower case.
func (m Mailbox) Domain() string {
	_, domain, _ := strings.Cut(m.Address, "@")
	return strings.ToLower(domain)
}

// parseName reads what stands before the <. plain tells that it can go into a header
// as it was written.
func parseName(text string) (name string, plain bool, err error) {
	if strings.HasPrefix(text, `"`) {
		inner, quoted := strings.CutSuffix(text[1:], `"`)
		inner = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(inner)
		if !quoted || strings.ContainsAny(inner, `"\`) {
			return "", false, errors.New("has a name with quotes in it")
		}
		return inner, isASCII(text), nil
	}
	if strings.ContainsAny(text, "<>@") {
		return "", false, errors.New("is more than one address")
	}
	return text, isASCII(text) && !strings.ContainsAny(text, `()[]:;\,."`), nil
}

func format(name, bare string) string {
	if name == "" {
		return bare
	}
	return (&mail.Address{Name: name, Address: bare}).String()
}

// OneLine keeps a text from ending its header.
func OneLine(text string) string {
	if utf8.ValidString(text) && !HasControl(text) {
		return strings.TrimSpace(text)
	}
	text = strings.Map(func(r rune) rune {
		if isControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " "))
	return strings.Join(strings.Fields(text), " ")
}

// HasControl tells that a text would end its header, or hide something in it.
func HasControl(s string) bool {
	return strings.ContainsFunc(s, isControl)
}

// isControl also counts the separators of lines and paragraphs.
func isControl(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
