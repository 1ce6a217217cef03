package mailer

import (
	"embed"
	"fmt"
	html "html/template"
	"strconv"
	"strings"
	"sync"
	text "text/template"
	"time"
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

// preheaderPadding keeps what follows the preheader out of a mailbox's preview line.
var preheaderPadding = html.HTML(strings.Repeat("&#847;&zwnj;&nbsp;", 60))

// page is what the two templates print.
type page struct {
	Lang, App, Subject, First, Use, Ignore, Colon string

	Code, Life, Share string // all "" in a mail without a code
	Steps             []step // to take if it was somebody else, may be none

	Details []detail
	Long    bool
	Padding html.HTML
}

// step is one thing to do, numbered from 1.
type step struct {
	Number int
	Text   string
}

// detail is one line about how the mail came about.
type detail struct{ Label, Value string }

// Render writes the mail in the message's locale, or in English. The subject
// never holds the code: bounces and notifications carry subjects around.
// From is the display name of the sender; the address is the sender's own.
func Render(m store.Message) (Rendered, error) { return new(renderer).render(m) }

// renderer keeps what is the same in many mails, so that a mail costs copying
// (some 5 µs) and not the execution of two templates (some 90 µs).
type renderer struct {
	mu     sync.Mutex
	frames map[frameKey]frame
}

// frame is a rendered mail with gaps where values go.
type frame struct {
	lang, app, subject string
	text, html         []piece
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
)

func cut(s string) (pieces []piece) {
	for {
		i := strings.IndexFunc(s, func(r rune) bool { return r >= markCode && r <= markBrowser })
		if i < 0 {
			return append(pieces, piece{text: s})
		}
		mark, size := utf8.DecodeRuneInString(s[i:])
		pieces = append(pieces, piece{s[:i], mark})
		s = s[i+size:]
	}
}

func fill(pieces []piece, value func(mark rune) string) string {
	var out strings.Builder
	for _, p := range pieces {
		out.WriteString(p.text)
		if p.mark != 0 {
			out.WriteString(value(p.mark))
		}
	}
	return out.String()
}

type frameKey struct {
	locale, app          string
	usage                store.Usage
	code                 codeShape
	ttl                  int  // minutes; 0 without a code
	when, where, browser bool // are known
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
	_, c := match(catalogues, m.Locale)
	when, where, browser := asked(c, m.Asked), clean(m.Place, maxDetail), browserName(m.Browser)
	k := frameKey{locale: m.Locale, app: m.App, usage: m.Usage, code: shapeOf(m.Code), when: when != "", where: where != "", browser: browser != ""}
	if k.code != noCode {
		k.ttl = m.CodeTTL
	}
	f, err := r.frame(k)
	if err != nil {
		return Rendered{}, err
	}
	values := map[rune]string{markCode: m.Code, markWhen: when, markWhere: where, markBrowser: browser}
	plain := func(mark rune) string { return values[mark] }
	escaped := func(mark rune) string { return html.HTMLEscapeString(values[mark]) }
	return Rendered{From: f.app, To: string(m.To), Subject: f.subject, Usage: m.Usage, Code: m.Code, Locale: f.lang,
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
	return frame{lang: p.Lang, app: p.App, subject: p.Subject, text: cut(textPart.String()), html: cut(htmlPart.String())}, nil
}

func (k frameKey) page() (page, error) {
	lang, c := match(catalogues, k.locale)
	usage := string(k.usage)
	if c["subject."+usage] == "" {
		return page{}, fmt.Errorf("no mail for usage %q", k.usage)
	}
	app := clean(k.app, maxApp)
	if app == "" {
		app = fallbackApp
	}
	// A usage whose mail has a first line of its own has no code.
	first := "first." + usage
	if (c[first] == "") != (k.code != noCode) {
		return page{}, fmt.Errorf("a mail for usage %q has a code: %t, should be %t", k.usage, k.code != noCode, c[first] == "")
	}
	p := page{
		Lang: lang, App: app, Padding: preheaderPadding, Colon: c.text("colon"),
		Subject: c.text("subject."+usage, "{app}", app),
		First:   c.text(first, "{app}", app),
		Use:     c.text("use."+usage, "{app}", app),
		Ignore:  c.text("ignore."+usage, "{app}", app),
		Steps:   c.steps(usage, app),
	}
	if k.code != noCode {
		life := "life.other"
		if k.ttl == 1 {
			life = "life.one"
		}
		p.Code, p.Long = string(markCode), k.code == longCode
		p.First = c.text("first", "{app}", app, "{code}", string(markCode))
		p.Life = c.text(life, "{minutes}", strconv.Itoa(k.ttl))
		p.Share = c.text("share", "{app}", app)
	}
	p.add(k.when, c.text("when"), markWhen)
	p.add(k.where, c.text("where"), markWhere)
	p.add(k.browser, c.text("browser"), markBrowser)
	return p, nil
}

// steps are the texts "step.USAGE.1", "step.USAGE.2", and so on.
func (c catalogue) steps(usage, app string) (steps []step) {
	for n := 1; ; n++ {
		key := "step." + usage + "." + strconv.Itoa(n)
		if c[key] == "" {
			return steps
		}
		steps = append(steps, step{n, c.text(key, "{app}", app)})
	}
}

func (p *page) add(known bool, label string, mark rune) {
	if known {
		p.Details = append(p.Details, detail{label, string(mark)})
	}
}

// asked prints an instant in UTC with the zone named: we do not know the
// reader's zone, and a bare local time would be wrong for most.
func asked(c catalogue, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(c.text("time.layout"))
}
