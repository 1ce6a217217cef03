package mailer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"idp/mailer/mailbox"
	"idp/store"
)

// The longest a template may be: mail programs cut mails off at some 100 kB (Gmail),
// and mailbox lists subjects at some 70 characters.
const (
	MaxContent         = 256 << 10 // bytes
	maxTemplateSubject = 200       // characters
)

// TemplateError is one reason why a template cannot be saved.
type TemplateError struct {
	Field string // of the template: "usage", "locale", "subject", "content", "contentType", "replyTo" or "sendFrom"
	err   error
}

func (e *TemplateError) Error() string { return e.err.Error() }

func (e *TemplateError) Unwrap() error { return e.err }

// TemplateErrors takes an error of [CheckTemplate] apart.
func TemplateErrors(err error) (reasons []*TemplateError) {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range many.Unwrap() {
			reasons = append(reasons, TemplateErrors(one)...)
		}
		return reasons
	}
	var one *TemplateError
	if errors.As(err, &one) {
		reasons = append(reasons, one)
	}
	return reasons
}

// CheckTemplate tells whether a template can be saved; the error has a line for each
// reason, which names the template's line ([TemplateErrors]). Warnings are what can be saved and is
// probably not meant. Not strict is for the templates in a Logto
// connector's configuration: what works there is a warning at most.
func CheckTemplate(t store.MailTemplate, strict bool) (warnings []string, err error) {
	// First, and alone: nothing looks at what is far too long.
	if len(t.Content) > MaxContent {
		return nil, &TemplateError{"content", fmt.Errorf("the content has %d kB: %d at most", len(t.Content)>>10, MaxContent>>10)}
	}
	if len(t.Subject) > 4*maxTemplateSubject || utf8.RuneCountInString(t.Subject) > maxTemplateSubject {
		return nil, &TemplateError{"subject", fmt.Errorf("the subject is longer than %d characters", maxTemplateSubject)}
	}
	if !utf8.ValidString(t.Subject) || !utf8.ValidString(t.Content) {
		return nil, &TemplateError{"content", errors.New("the template is not in UTF-8")}
	}
	c := checker{strict: strict, coded: coded(t.Usage)}
	if strict {
		c.place(t)
	}
	c.field = "subject"
	c.subject(t.Subject)
	c.field = "content"
	c.content(t)
	c.field = "replyTo"
	c.mailbox("the address for answers (replyTo)", t.ReplyTo)
	c.field = "sendFrom"
	c.mailbox("the sender (sendFrom)", t.SendFrom)
	return c.warnings, errors.Join(c.errs...)
}

// checker collects what is wrong.
type checker struct {
	strict, coded bool
	field         string // that is looked at
	warnings      []string
	errs          []error
}

func (c *checker) refuse(format string, args ...any) {
	c.errs = append(c.errs, &TemplateError{c.field, fmt.Errorf(format, args...)})
}

func (c *checker) warn(format string, args ...any) {
	c.warnings = append(c.warnings, fmt.Sprintf(format, args...))
}

// object refuses when strict.
func (c *checker) object(format string, args ...any) {
	if c.strict {
		c.refuse(format, args...)
	} else {
		c.warn(format, args...)
	}
}

// maxProblems is when a check has said enough.
const maxProblems = 20

func (c *checker) full() bool { return len(c.errs)+len(c.warnings) >= maxProblems }

// place checks what the template is for.
func (c *checker) place(t store.MailTemplate) {
	c.field = "usage"
	if !slices.Contains(Usages(), t.Usage) {
		c.refuse("there is no mail for %q: there are %s", excerpt(string(t.Usage)), join(Usages()))
	}
	c.field = "locale"
	if _, err := language.Parse(t.Locale); err != nil || len(t.Locale) > 35 || strings.Contains(t.Locale, "_") {
		c.refuse("%q is no language tag: write en, pt-BR or zh-CN", excerpt(t.Locale))
	}
}

func join(usages []store.Usage) string {
	names := make([]string, len(usages))
	for i, u := range usages {
		names[i] = string(u)
	}
	return strings.Join(names, ", ")
}

func (c *checker) subject(s string) {
	if strings.TrimSpace(s) == "" {
		c.refuse("the subject is empty")
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }) {
		c.refuse("the subject has a line break or another control character")
	}
	if slices.Contains(c.variables("the subject", s), "code") {
		c.warn("the subject shows the code: locked phones and reports of bounced mail show subjects")
	}
}

func (c *checker) content(t store.MailTemplate) {
	if strings.TrimSpace(t.Content) == "" {
		c.refuse("the content is empty")
		return
	}
	if i := strings.IndexFunc(t.Content, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\r\n", r) }); i >= 0 {
		c.object("%s: a control character", lineAt(t.Content, i))
	}
	named := c.variables("", t.Content)
	shown := named
	if !isPlain(t) { // what a comment or a tag that does not end swallows is not read
		shown = names(plainText(t.Content))
	}
	code, link := slices.Contains(shown, "code"), slices.Contains(shown, "link")
	switch {
	case c.coded && !code && !link && (slices.Contains(named, "code") || slices.Contains(named, "link")):
		c.object("the code and the link of a mail for %s stand where nobody reads them: in a comment, or in a tag that does not end", t.Usage)
	case c.coded && !code && !link:
		c.object("a mail for %s needs {{ code }} (or {{ link }}) in its content", t.Usage)
	case c.coded && !code:
		c.warn("without {{ code }} there is nothing to type where the link does not work: in another browser, or where links are off")
	case !c.coded && slices.Contains(named, "code"):
		c.object("a mail for %s has no code: {{ code }} would be empty", t.Usage)
	}
	switch t.ContentType {
	case typeHTML, "":
		c.html(t.Content)
	case typePlain:
	default:
		c.field = "contentType"
		c.refuse("the content type is %q: text/html or text/plain", t.ContentType)
	}
}

// names are the variables in a text.
func names(s string) (found []string) {
	for _, m := range variable.FindAllStringSubmatch(s, -1) {
		found = append(found, m[1])
	}
	return found
}

// variables checks all that stands in double braces and gives the names.
func (c *checker) variables(where, s string) (found []string) {
	for from := 0; ; {
		i := strings.Index(s[from:], "{{")
		if i < 0 || c.full() {
			return found
		}
		at := from + i
		place := where
		if place == "" {
			place = lineAt(s, at)
		}
		inside, _, closed := strings.Cut(s[at+2:], "}}")
		if next := strings.Index(inside, "{{"); !closed || next >= 0 || strings.ContainsAny(inside, "\r\n") {
			c.refuse("%s: {{ is not closed with }}", place)
			from = at + 2
			continue
		}
		from = at + 2 + len(inside) + 2
		match := variable.FindStringSubmatch(s[at:from])
		if match == nil || match[0] != s[at:from] {
			c.object("%s: {{%s}} is no variable: it is a name like code or application.name, without helpers", place, excerpt(inside))
			continue
		}
		c.name(place, match[1])
		found = append(found, match[1])
	}
}

// name checks one variable's name. Logto has more than we have values for: those are
// empty here.
func (c *checker) name(place, name string) {
	if _, ok := variables[name]; ok {
		return
	}
	root, _, deep := strings.Cut(name, ".")
	near, distance := nearest(name)
	switch {
	case distance <= 2:
		c.object("%s: there is no variable %q: did you mean %q?", place, name, near)
	case roots[root] && deep:
		c.warn("%s: there is no value for %q here: it will be empty", place, name)
	default:
		c.object("%s: there is no variable %q: there are %s", place, name, strings.Join(slices.Sorted(maps.Keys(variables)), ", "))
	}
}

// nearest finds the variable with the fewest edits to a name.
func nearest(name string) (near string, distance int) {
	distance = len(name) + 1
	for _, known := range slices.Sorted(maps.Keys(variables)) {
		if d := edits(strings.ToLower(name), strings.ToLower(known)); d < distance {
			near, distance = known, d
		}
	}
	return near, distance
}

// edits is the Levenshtein distance. Names longer than any of ours are cut.
func edits(a, b string) int {
	a = a[:min(len(a), 40)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		before := row[0]
		row[0] = i + 1
		for j := range b {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// mailbox checks an address that stands in a header, as senders read it. It is refused
// from anybody: a sender that cannot read it counts as misconfigured, with all mails.
func (c *checker) mailbox(what, s string) {
	if s == "" {
		return
	}
	if strings.Contains(s, "{{") {
		c.refuse("%s has a variable in it: here they are not filled", what)
		return
	}
	if _, err := mailbox.Parse(s); err != nil {
		c.refuse("%s %w: %s", what, err, mailbox.Form)
	}
}

// lineAt names the line of a place in a template.
func lineAt(s string, i int) string { return fmt.Sprintf("line %d", 1+strings.Count(s[:i], "\n")) }

// excerpt is a piece of a template that can be printed.
func excerpt(s string) string { return clean(s, 40) }
