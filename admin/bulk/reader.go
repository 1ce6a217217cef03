package bulk

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"idp/admin"
)

// Format is the form of a file.
type Format string

// The forms.
const (
	CSV   Format = "csv"
	Lines Format = "jsonl" // a JSON object a line, or a list of them
)

// FormatOf tells the form by the name of a file, "" if it does not tell.
func FormatOf(name string) Format {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv":
		return CSV
	case ".jsonl", ".ndjson", ".json":
		return Lines
	}
	return ""
}

// Refusal says why a line made no account.
type Refusal struct {
	Line   int    `json:"line"`            // where the record begins, from 1
	ID     string `json:"id,omitempty"`    // of whom, as far as that could be read
	Email  string `json:"email,omitempty"` // likewise
	Field  string `json:"field,omitempty"` // "" for the line as a whole
	Reason string `json:"reason"`
	There  bool   `json:"-"` // the account is there, with another value of Field
}

func (r *Refusal) Error() string {
	if r.Field == "" {
		return fmt.Sprintf("line %d %s", r.Line, r.Reason)
	}
	return fmt.Sprintf("line %d: %s %s", r.Line, r.Field, r.Reason)
}

// Reader reads people.
type Reader struct {
	split         splitter
	titles        []string // of a CSV file
	ignoreUnknown bool
	ended         bool

	Passed map[string]int // how often a field was passed over, by its name
}

// NewReader begins to read a file. With ignoreUnknown, fields that nobody knows are passed
// over and counted. The error says what is wrong with the file as a whole.
func NewReader(file io.Reader, format Format, ignoreUnknown bool) (*Reader, error) {
	in := bufio.NewReaderSize(file, 64<<10)
	r := &Reader{split: splitter{in: in, line: 1}, ignoreUnknown: ignoreUnknown, Passed: map[string]int{}}
	mark, err := in.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.Equal(mark, []byte("\xef\xbb\xbf")):
		_, _ = in.Discard(3)
	case bytes.HasPrefix(mark, []byte("\xff\xfe")), bytes.HasPrefix(mark, []byte("\xfe\xff")):
		return nil, errors.New("the file is UTF-16: save it as UTF-8")
	}
	if format == CSV {
		q := &quoted{start: true}
		r.split.step, r.split.done = q.step, q.done
		return r, r.readTitles()
	}
	r.split.step, r.split.done = lines(), func() error { return nil }
	if first, err := firstByte(in); err != nil || first != '[' {
		return r, err
	}
	var e elements
	r.split.step, r.split.done = e.step, e.done
	return r, nil
}

// firstByte looks for the first byte that is no space, among the first few.
func firstByte(in *bufio.Reader) (byte, error) {
	some, err := in.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if some = bytes.TrimLeft(some, " \t\r\n"); len(some) == 0 {
		return 0, nil
	}
	return some[0], nil
}

// readTitles reads the first line of a CSV file.
func (r *Reader) readTitles() error {
	head, err := r.split.next()
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty: its first line holds the names of the columns")
	}
	if err == nil {
		r.titles, err = cells(head.text)
	}
	if err != nil {
		return fmt.Errorf("the names of the columns cannot be read: %w", err)
	}
	var unknown []string
	for i, title := range r.titles {
		title = strings.TrimSpace(title)
		r.titles[i] = title
		if slices.Contains(r.titles[:i], title) {
			return fmt.Errorf("the column %q is there twice", title)
		}
		if !known(title) {
			unknown = append(unknown, fmt.Sprintf("%q", title))
		}
	}
	switch {
	case len(unknown) > 0 && !r.ignoreUnknown:
		return &UnknownColumns{unknown}
	case !slices.Contains(r.titles, "email") && !slices.Contains(r.titles, "primaryEmail"):
		return errors.New("there is no column email")
	}
	return nil
}

// UnknownColumns is the error of a CSV file with columns that nobody knows.
type UnknownColumns struct{ names []string }

func (u *UnknownColumns) Error() string {
	return "there is no field " + strings.Join(u.names, ", ")
}

// Next reads the next person, and the line where they begin. The error is a [*Refusal] for
// one that cannot be read, after which reading goes on; [io.EOF] at the end.
func (r *Reader) Next() (n admin.Newcomer, line int, err error) {
	if r.ended {
		return n, 0, io.EOF
	}
	rec, err := r.split.next()
	switch {
	case errors.Is(err, io.EOF):
		return n, 0, err
	case rec.open:
		r.ended = true
		return n, rec.first, &Refusal{Line: max(rec.first, 1), Reason: err.Error()}
	case errors.Is(err, errTooLong):
		return n, rec.first, &Refusal{Line: rec.first, Reason: err.Error()}
	case err != nil:
		return n, rec.first, err
	}
	n, refused := r.read(rec)
	if refused != nil {
		refused.Line, refused.ID, refused.Email = rec.first, n.ID, string(n.Email)
		return n, rec.first, refused
	}
	return n, rec.first, nil
}

func (r *Reader) read(rec record) (admin.Newcomer, *Refusal) {
	if !utf8.Valid(rec.text) {
		return admin.Newcomer{}, &Refusal{Reason: "is no UTF-8"}
	}
	given := map[string]json.RawMessage{}
	if r.titles == nil {
		if err := json.Unmarshal(rec.text, &given); err != nil || given == nil {
			return admin.Newcomer{}, &Refusal{Reason: "is no JSON object"}
		}
		return r.person(fieldsOfJSON(given), given)
	}
	row, err := cells(rec.text)
	switch {
	case err != nil && rec.last > rec.first:
		return admin.Newcomer{}, &Refusal{Reason: fmt.Sprintf("to line %d is one record whose quotes do not match", rec.last)}
	case err != nil:
		return admin.Newcomer{}, &Refusal{Reason: "has quotes that do not match"}
	case len(row) != len(r.titles):
		return admin.Newcomer{}, &Refusal{Reason: fmt.Sprintf("has %d fields; there are %d columns", len(row), len(r.titles))}
	}
	texts := make(map[string]string, len(row))
	for i, cell := range row {
		if cell != "" {
			texts[r.titles[i]], given[r.titles[i]] = cell, nil
		}
	}
	return r.person(fieldsOfCSV(texts), given)
}

// person reads the fields that were given.
func (r *Reader) person(f fields, given map[string]json.RawMessage) (n admin.Newcomer, refused *Refusal) {
	var unknown string
	for _, name := range slices.Sorted(maps.Keys(given)) {
		switch {
		case passed[name], !known(name) && r.ignoreUnknown:
			r.Passed[name]++
		case !known(name) && unknown == "":
			unknown = name
		}
	}
	n, refused = newcomer(f)
	if unknown != "" {
		refused = &Refusal{Field: unknown, Reason: "is no field of a person"}
	}
	return n, refused
}

// cells reads one CSV record.
func cells(text []byte) ([]string, error) {
	in := csv.NewReader(bytes.NewReader(text))
	in.FieldsPerRecord = -1
	row, err := in.Read()
	if err != nil {
		return nil, errors.New("quotes do not match")
	}
	if in.InputOffset() != int64(len(text)) {
		return nil, errors.New("more than a record")
	}
	return row, nil
}
