package ses

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"idp/store/address"
)

// mailbox is one address with or without a name, ready for a header.
type mailbox struct {
	name    string // "" for none
	address string // a@b, the domain in punycode
	text    string // as it goes to SES, ASCII
}

// optionalMailbox reads a field of the configuration; "" is the zero mailbox.
func optionalMailbox(field, text string) (mailbox, error) {
	if text == "" {
		return mailbox{}, nil
	}
	m, err := parseMailbox(text)
	if err != nil {
		return m, fmt.Errorf("%s %w: write Name<a@example.com>, <a@example.com> or a@example.com", field, err)
	}
	return m, nil
}

// parseMailbox reads "Name<a@b>", "<a@b>" and "a@b". What SES reads the same way
// stays as it was written, so that it gets the text that Logto would send; names that
// are not ASCII or hold special characters are encoded (RFC 2047) or quoted.
func parseMailbox(text string) (mailbox, error) {
	if !utf8.ValidString(text) || hasControl(text) {
		return mailbox{}, errors.New("has a line break or another control character in it")
	}
	text = strings.TrimSpace(text)
	name, bare := "", text
	if strings.HasSuffix(text, ">") {
		open := strings.LastIndexByte(text, '<')
		if open < 0 {
			return mailbox{}, errors.New("has a > without a <")
		}
		name, bare = strings.TrimSpace(text[:open]), text[open+1:len(text)-1]
	}
	name, plain, err := parseName(name)
	if err != nil {
		return mailbox{}, err
	}
	if strings.Count(bare, "@") > 1 || strings.ContainsAny(bare, ",;<>") {
		return mailbox{}, errors.New("is more than one address")
	}
	canonical, err := address.Parse(bare)
	if err != nil {
		return mailbox{}, errors.New("is not an email address")
	}
	// The local part keeps its case: an address that was verified in capitals is another identity.
	m := mailbox{name: name, address: bare, text: text}
	if !isASCII(bare) {
		local, _, _ := strings.Cut(bare, "@")
		_, domain, _ := strings.Cut(string(canonical), "@")
		m.address = local + "@" + domain
	}
	if !plain || !isASCII(text) {
		m.text = format(name, m.address)
	}
	return m, nil
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

// named gives the mailbox a name.
func (m mailbox) named(name string) mailbox {
	name = oneLine(name)
	if name == "" {
		return m
	}
	return mailbox{name: name, address: m.address, text: format(name, m.address)}
}

// domain is the part behind the @, in lower case.
func (m mailbox) domain() string {
	_, domain, _ := strings.Cut(m.address, "@")
	return strings.ToLower(domain)
}

func format(name, bare string) string {
	if name == "" {
		return bare
	}
	return (&mail.Address{Name: name, Address: bare}).String()
}

// oneLine keeps a text from ending its header.
func oneLine(text string) string {
	if utf8.ValidString(text) && !hasControl(text) {
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

func hasControl(s string) bool {
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
