// Package locales holds every text that pages show, and chooses the language.
//
// TAG.json is one flat catalogue per language, in go-i18n's format. A text may
// hold fields of the page it is on ({{.App}}), which the page's template fills and
// escapes; a text that counts has plural forms and {{.PluralCount}}. Tests hold
// that all languages have the same texts, with the same fields, and that each is
// used. What fills a field in a right-to-left text is set apart from it, so that an
// address or an app's name keeps its own direction.
package locales

import (
	"embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	i18ntemplate "github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"

	"idp/store"
)

//go:embed *.json
var files embed.FS

// spoken are the languages, the fallback first, with the name that their speakers
// know them by, and how they write a day and an instant (layouts of package time,
// which knows the names of months in English only).
var spoken = []struct{ tag, name, dir, day, instant string }{
	{"en", "English", "ltr", "2 January 2006", "2 January 2006, 15:04 MST"},
	{"de", "Deutsch", "ltr", "2.1.2006", "2.1.2006, 15:04 MST"},
	{"es", "Español", "ltr", "2/1/2006", "2/1/2006, 15:04 MST"},
	{"fr", "Français", "ltr", "02/01/2006", "02/01/2006 à 15:04 MST"},
	{"pt-BR", "Português (Brasil)", "ltr", "02/01/2006", "02/01/2006, 15:04 MST"},
	{"ja", "日本語", "ltr", "2006年1月2日", "2006年1月2日 15:04（MST）"},
	{"zh-CN", "简体中文", "ltr", "2006年1月2日", "2006年1月2日 15:04（MST）"},
	{"ko", "한국어", "ltr", "2006년 1월 2일", "2006년 1월 2일 15:04 (MST)"},
	{"ar", "العربية", "rtl", "2/1/2006", "2/1/2006، 15:04 MST"},
}

// Language is one that pages are written in.
type Language struct {
	Tag  string // BCP 47
	Name string // in the language itself
	Dir  string // "ltr" or "rtl"

	localizer    func() *i18n.Localizer
	day, instant string
}

// Set is all languages. Its methods are safe for concurrent use.
type Set struct {
	languages []*Language
	matcher   language.Matcher
	accepted  sync.Map // Accept-Language header, as sent: *Language
	known     int
	mu        sync.Mutex
}

// Load makes the set. A catalogue is read when its language is first spoken: all
// of them would cost milliseconds at every start. They are part of the binary, so
// a broken one is a bug and panics.
func Load() *Set { return Only() }

// Only is [Load] for pages that are written in some of the languages; none named is all.
func Only(named ...string) *Set {
	s := &Set{}
	var tags []language.Tag
	for _, l := range spoken {
		if len(named) > 0 && !slices.Contains(named, l.tag) {
			continue
		}
		localizer := sync.OnceValue(func() *i18n.Localizer { return read(l.tag) })
		s.languages = append(s.languages, &Language{l.tag, l.name, l.dir, localizer, l.day, l.instant})
		tags = append(tags, language.MustParse(l.tag))
	}
	s.matcher = language.NewMatcher(tags)
	return s
}

// read reads the catalogue of a language.
func read(tag string) *i18n.Localizer {
	bundle := i18n.NewBundle(language.MustParse(tag))
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	name := tag + ".json"
	text, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	if _, err := bundle.ParseMessageFileBytes(text, name); err != nil {
		panic(fmt.Sprintf("read catalogue %s: %v", name, err))
	}
	return i18n.NewLocalizer(bundle, tag)
}

// All lists the languages, the fallback first.
func (s *Set) All() []*Language { return s.languages }

// Choose takes the first wish that can be met: what the app asked for
// (ui_locales), what the person chose here before, what the browser accepts, unless the
// operator does not want that looked at, and the operator's fallback.
func (s *Set) Choose(info store.LanguageInfo, uiLocales []string, chosen, accept string) *Language {
	for _, wish := range uiLocales {
		if l := s.Find(wish); l != nil {
			return l
		}
	}
	if l := s.Find(chosen); l != nil {
		return l
	}
	if info.AutoDetect {
		if l := s.accept(accept); l != nil {
			return l
		}
	}
	if l := s.Find(info.Fallback); l != nil {
		return l
	}
	return s.languages[0]
}

// Find is the language that serves speakers of the tag, or nil.
func (s *Set) Find(tag string) *Language {
	for _, l := range s.languages {
		if l.Tag == tag {
			return l
		}
	}
	if tag == "" || len(tag) > 35 {
		return nil
	}
	parsed, err := language.Parse(tag)
	if err != nil {
		return nil
	}
	// High: the matcher knows near strangers, and a single wish is followed by others.
	return s.match(language.High, parsed)
}

func (s *Set) match(atLeast language.Confidence, tags ...language.Tag) *Language {
	_, i, confidence := s.matcher.Match(tags...)
	if confidence < atLeast {
		return nil
	}
	return s.languages[i]
}

// maxKnown bounds the memory of headers: browsers send a few hundred different
// ones, strangers as many as they like.
const maxKnown = 1000

// accept reads an Accept-Language header. Reading one costs as much as the rest
// of a page, so the answers are kept. Nil: there is no such language.
func (s *Set) accept(header string) *Language {
	if header == "" || len(header) > 256 {
		return nil
	}
	if l, ok := s.accepted.Load(header); ok {
		return l.(*Language)
	}
	var found *Language
	if tags, _, err := language.ParseAcceptLanguage(header); err == nil {
		if l := s.match(language.Low, tags...); l != nil {
			found = l
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known < maxKnown {
		s.known++
		s.accepted.Store(strings.Clone(header), found)
	}
	return found
}

// Text is a text with its fields unfilled; an unknown key is a bug and panics.
func (l *Language) Text(key string) string {
	text := l.localize(&i18n.LocalizeConfig{MessageID: key, TemplateParser: i18ntemplate.IdentityParser{}})
	if l.Dir == "rtl" {
		text = field.ReplaceAllStringFunc(text, isolated)
	}
	return text
}

var field = regexp.MustCompile(`\{\{[^{}]*\}\}`)

// isolated sets a field apart from the text around it (Unicode Standard Annex 9,
// section 2.4). These characters, not <bdi>: texts stand in titles and attributes,
// too. Addresses read from left to right even where they begin with Arabic.
func isolated(field string) string {
	const ltr, own, end = "\u2066", "\u2068", "\u2069"
	switch field {
	case "{{.Email}}", "{{.Hint}}", "{{.To}}":
		return ltr + field + end
	}
	return own + field + end
}

// Count is a text that counts, in the plural form for n.
func (l *Language) Count(key string, n int) string {
	return l.localize(&i18n.LocalizeConfig{MessageID: key, PluralCount: n})
}

// Wait writes a wait, rounded up, as what follows "in": up to an hour and a half in minutes,
// of which there is at least one, then in hours.
func (l *Language) Wait(d time.Duration) string {
	const most = 90 * time.Minute
	if d > most {
		return l.Count("wait.hours", int((d+time.Hour-1)/time.Hour))
	}
	return l.Count("wait.minutes", max(int((d+time.Minute-1)/time.Minute), 1))
}

// Day writes the day of an instant. The server knows nobody's time zone: UTC.
func (l *Language) Day(t time.Time) string { return t.UTC().Format(l.day) }

// Instant writes day and time, with the zone.
func (l *Language) Instant(t time.Time) string { return t.UTC().Format(l.instant) }

func (l *Language) localize(c *i18n.LocalizeConfig) string {
	text, tag, err := l.localizer().LocalizeWithTag(c)
	if err != nil || tag.String() != l.Tag {
		panic(fmt.Sprintf("text %q in %s: %v", c.MessageID, l.Tag, err))
	}
	return text
}
