package bulk

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxRecord bounds what is kept of one person: all fields of theirs fit many times.
const maxRecord = 1 << 20

// errTooLong is a record beyond maxRecord, which was passed over.
var errTooLong = errors.New("is longer than 1 MiB")

// record is the bytes of one person.
type record struct {
	text        []byte // valid until the next one is asked for
	first, last int    // lines
	open        bool   // a quote was not closed before the end of the file
}

// splitter cuts a file into records. step follows the file byte by byte: it tells whether
// the byte belongs to a record, and whether the record ends with it.
type splitter struct {
	in   *bufio.Reader
	line int // of the next byte
	buf  []byte
	step func(c byte) (part, end bool)
	done func() error // at the end of the file: whether it may end here
}

// next gives the next record that is not empty. The errors are [io.EOF]; errTooLong, with
// the record's lines; that of done; and those of the file.
func (s *splitter) next() (record, error) {
	for {
		r, err := s.any()
		r.text = bytes.TrimRight(r.text, "\r") // of CR LF
		if err != nil || len(r.text) > 0 {
			return r, err
		}
	}
}

func (s *splitter) any() (record, error) {
	s.buf = s.buf[:0]
	r, long := record{}, false
	for {
		c, err := s.in.ReadByte()
		if errors.Is(err, io.EOF) {
			if open := s.done(); open != nil {
				r.open = true
				return r, open
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) && (len(s.buf) > 0 || long) {
				break
			}
			return r, err
		}
		part, end := s.step(c)
		if part {
			switch {
			case r.first == 0:
				r.first = s.line
				fallthrough
			case len(s.buf) < maxRecord:
				s.buf = append(s.buf, c)
			default:
				long = true
			}
			r.last = s.line
		}
		if c == '\n' {
			s.line++
		}
		if end && r.first > 0 {
			break
		}
	}
	r.text = s.buf
	if long {
		return r, errTooLong
	}
	return r, nil
}

// lines cuts at the ends of lines; empty ones are none.
func lines() func(byte) (bool, bool) {
	return func(c byte) (part, end bool) { return c != '\n', c == '\n' }
}

// quoted follows CSV: the end of a line inside of quotes ends nothing.
type quoted struct {
	inside bool // of quotes
	start  bool // of a field
	quote  bool // the byte before was a quote inside of quotes: its end, or the first of two
}

func (q *quoted) step(c byte) (part, end bool) {
	if q.quote {
		q.quote = false
		if c == '"' {
			return true, false
		}
		q.inside = false
	}
	if q.inside {
		q.quote = c == '"'
		return true, false
	}
	q.inside = q.start && c == '"'
	q.start = c == ',' || c == '\n'
	return c != '\n', c == '\n'
}

func (q *quoted) done() error {
	if q.inside && !q.quote {
		return errors.New("a quote is never closed: this line, and all that follow, were not read")
	}
	return nil
}

// elements follows a JSON array, and cuts it into its elements.
type elements struct {
	depth           int
	inText, escaped bool
	began, closed   bool // the array
}

func (e *elements) step(c byte) (part, end bool) {
	switch {
	case e.inText:
		e.inText = e.escaped || c != '"'
		e.escaped = !e.escaped && c == '\\'
		return true, false
	case !e.began:
		e.began = c == '['
		return false, false
	case c == '[' || c == '{':
		e.depth++
	case (c == ']' || c == '}') && e.depth == 0:
		e.closed = true
		return false, true
	case c == ']' || c == '}':
		e.depth--
	case c == '"':
		e.inText = true
	case e.depth == 0 && c == ',':
		return false, true
	case e.depth == 0 && (c == ' ' || c == '\t' || c == '\r' || c == '\n'):
		return false, false
	}
	return true, false
}

func (e *elements) done() error {
	if !e.closed {
		return errors.New("the list is never closed: the end of the file is missing, or a quote or bracket before it")
	}
	return nil
}
