package mailer

import (
	"embed"
	"fmt"
	html "html/template"
	"strings"
	"sync"
	text "text/template"
	"unicode/utf8"

	"idp/store"
)

//go:embed templates/mail.html templates/mail.txt
var templateFiles embed.FS

// Read-only after start, checked by the tests: a broken file cannot ship.
var (
	catalogues   = loadCatalogues()
	htmlTemplate = html.Must(html.ParseFS(templateFiles, "templates/mail.html"))
	textTemplate = text.Must(text.ParseFS(templateFiles, "templates/mail.txt"))
)

// Render writes the mail in the message's locale, or in English. The subject
// never holds the code: bounces and notifications carry subjects around.
// From is the display name of the sender; the address is the sender's own.
func Render(m store.Message) (Rendered, error) { return new(renderer).render(m) }

// renderer keeps what is the same in many mails, so that a mail costs copying
// (some 5 µs) and not the execution of two templates (some 90 µs).
type renderer struct {
	mu       sync.Mutex
	frames   map[frameKey]frame
	wordings map[[3]string]wording // of templates

	templates []store.MailTemplate // the operator's, as they were read last
	read      bool                 // they were
}

// isolatesToTags: HTML has tags for what Unicode has characters for.
var isolatesToTags = strings.NewReplacer(isolate, "<bdi>", isolateEnd, "</bdi>")

// frame is a rendered mail with gaps where values go.
type frame struct {
	app, subject string
	text, html   []piece
}

// piece is a stretch of a mail and the mark of the value that follows it; 0 at the end.
type piece struct {
	text string
	mark rune
}

// The marks, as the templates print them. They are private-use characters, which
// clean takes out of every name: no value can be mistaken for one.
const (
	markCode    = '\ue000'
	markWhen    = '\ue001'
	markWhere   = '\ue002'
	markBrowser = '\ue003'
	markLink    = '\ue004'
	markNotMe   = '\ue005'
)

func cut(s string) (pieces []piece) {
	for {
		i := strings.IndexFunc(s, func(r rune) bool { return r >= markCode && r <= markNotMe })
		if i < 0 {
			return append(pieces, piece{text: s})
		}
		mark, size := utf8.DecodeRuneInString(s[i:])
		pieces = append(pieces, piece{s[:i], mark})
		s = s[i+size:]
	}
}

func fill(pieces []piece, value func(mark rune) string) string {
	const longest = 128 // most values are shorter
	size := 0
	for _, p := range pieces {
		size += len(p.text)
		if p.mark != 0 {
			size += longest
		}
	}
	var out strings.Builder
	out.Grow(size)
	for _, p := range pieces {
		out.WriteString(p.text)
		if p.mark != 0 {
			out.WriteString(value(p.mark))
		}
	}
	return out.String()
}

type frameKey struct {
	locale, app, organization string
	usage                     store.Usage
	code                      codeShape
	ttl                       int  // minutes; 0 without a code
	when, where, browser      bool // are known
	link, notMe               bool // are there
}

// codeShape is how a code is set.
type codeShape int

const (
	noCode codeShape = iota
	shortCode
	longCode
)

// maxShort is the longest code that is set in large type. A longer one, the 26
// characters of a 128-bit code, stays in one piece at 320 px in small type.
const maxShort = 10

func shapeOf(code string) codeShape {
	switch {
	case code == "":
		return noCode
	case len(code) <= maxShort:
		return shortCode
	}
	return longCode
}

// maxFrames bounds the memory of the frames, at 9 kB each; there is one for each
// app, language and usage.
const maxFrames = 1000

func (r *renderer) render(m store.Message) (Rendered, error) {
	lang, c := match(catalogues, m.Locale)
	when, where, browser := asked(c, m.Asked), clean(m.Place, maxDetail), browserName(m.Browser)
	link, notMe := webURL(m.Link), webURL(m.NotMe)
	k := frameKey{locale: lang, app: m.App, organization: m.Organization, usage: worded(m.Usage), code: shapeOf(m.Code),
		when: when != "", where: where != "", browser: browser != "", link: link != "", notMe: notMe != ""}
	if k.code != noCode {
		k.ttl = m.CodeTTL
	}
	f, err := r.frame(k)
	if err != nil {
		return Rendered{}, err
	}
	values := map[rune]string{markCode: m.Code, markWhen: when, markWhere: where, markBrowser: browser, markLink: link, markNotMe: notMe}
	plain := func(mark rune) string { return values[mark] }
	escaped := func(mark rune) string { return html.HTMLEscapeString(values[mark]) }
	return Rendered{From: f.app, To: string(m.To), Subject: f.subject, Usage: m.Usage, Code: m.Code, Locale: lang,
		Text: fill(f.text, plain), HTML: fill(f.html, escaped)}, nil
}

func (r *renderer) frame(k frameKey) (frame, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f, ok := r.frames[k]; ok {
		return f, nil
	}
	f, err := k.render()
	if err != nil {
		return frame{}, err
	}
	if r.frames == nil || len(r.frames) >= maxFrames {
		r.frames = map[frameKey]frame{}
	}
	r.frames[k] = f
	return f, nil
}

func (k frameKey) render() (frame, error) {
	p, err := k.page()
	if err != nil {
		return frame{}, err
	}
	var htmlPart, textPart strings.Builder
	if err := htmlTemplate.Execute(&htmlPart, p); err != nil {
		return frame{}, fmt.Errorf("render html: %w", err)
	}
	if err := textTemplate.Execute(&textPart, p); err != nil {
		return frame{}, fmt.Errorf("render text: %w", err)
	}
	return frame{app: p.From, subject: p.Subject, text: cut(textPart.String()), html: cut(isolatesToTags.Replace(htmlPart.String()))}, nil
}
