package page

import (
	"bytes"
	"crypto/rand"
	"html"
	"net/http"
	"strings"
	"sync"

	"idp/web/locales"
)

// maxShells bounds the memory of shells: pages times languages times apps, a few
// kilobytes each.
const maxShells = 2000

// shells are pages that were rendered with marks in the place of values.
type shells struct {
	mu    sync.RWMutex
	known map[shellKey]shell
	marks []string
}

type shellKey struct {
	key
	variant any
}

// shell is a page cut at its marks: text, value, text, value, …, text.
type shell struct {
	texts  []string
	values []int
}

// maxValues is how many values a page can have.
const maxValues = 8

// newMarks makes texts that no page has and that no escaper changes.
func newMarks() []string {
	marks := make([]string, maxValues)
	for i := range marks {
		marks[i] = "m" + strings.ToLower(rand.Text())
	}
	return marks
}

// Splice is [Set.Render] for the pages of every sign-in, at a tenth of the cost: the
// template is executed once for each variant, with the data that build makes of
// marks, and from then on values are put where their marks were. The variant is a
// comparable value that holds all else that the page depends on.
//
// A value may stand in text or in a quoted attribute: it is escaped for both. In an
// address it may stand only if it is base64url.
func (s *Set) Splice(w http.ResponseWriter, status int, l *locales.Language, name string, variant any, build func(marks []string) any, values ...string) error {
	k := shellKey{key{name, l.Tag}, variant}
	s.shells.mu.RLock()
	sh, ok := s.shells.known[k]
	s.shells.mu.RUnlock()
	if !ok {
		var b bytes.Buffer
		if err := s.execute(&b, l, name, build(s.shells.marks)); err != nil {
			return err
		}
		sh = cut(b.String(), s.shells.marks)
		s.shells.mu.Lock()
		if len(s.shells.known) >= maxShells { // of looks that are gone, most of them
			clear(s.shells.known)
		}
		s.shells.known[k] = sh
		s.shells.mu.Unlock()
	}
	b := s.buffer()
	defer s.buffers.Put(b)
	for i, text := range sh.texts {
		b.WriteString(text)
		if i < len(sh.values) {
			b.WriteString(html.EscapeString(values[sh.values[i]]))
		}
	}
	write(w, status, l, b)
	return nil
}

// cut finds the marks in a page.
func cut(text string, marks []string) (s shell) {
	for {
		at, which := -1, 0
		for i, m := range marks {
			if n := strings.Index(text, m); n >= 0 && (at < 0 || n < at) {
				at, which = n, i
			}
		}
		if at < 0 {
			s.texts = append(s.texts, text)
			return s
		}
		s.texts, s.values = append(s.texts, text[:at]), append(s.values, which)
		text = text[at+len(marks[which]):]
	}
}
