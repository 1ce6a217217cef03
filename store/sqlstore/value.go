package sqlstore

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"idp/store"
)

// into scans a time: int64 microseconds since 1970, UTC; NULL is the zero time.
func into(t *time.Time) *timeScanner { return &timeScanner{t} }

type timeScanner struct{ t *time.Time }

// Scan implements [database/sql.Scanner].
func (s *timeScanner) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*s.t = time.Time{}
	case int64:
		*s.t = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("scan time from %T", v)
	}
	return nil
}

// hashInto and idInto scan a byte column of fixed size; NULL is the zero value.
func hashInto(h *store.Hash) *fixed { return &fixed{h[:]} }
func idInto(id *store.ID) *fixed    { return &fixed{id[:]} }

type fixed struct{ b []byte }

// Scan implements [database/sql.Scanner].
func (f *fixed) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		clear(f.b)
	case []byte:
		if len(v) != len(f.b) {
			return fmt.Errorf("scan %d bytes into %d", len(v), len(f.b))
		}
		copy(f.b, v)
	default:
		return fmt.Errorf("scan bytes from %T", v)
	}
	return nil
}

// optional gives NULL for a zero hash.
func optional(h store.Hash) any {
	if h.IsZero() {
		return nil
	}
	return h[:]
}

// object keeps a value as JSON in a text column.
type object[T any] struct{ V *T }

// jsonOf is the argument form, jsonInto the destination form.
func jsonOf[T any](v T) object[T]     { return object[T]{&v} }
func jsonInto[T any](v *T) *object[T] { return &object[T]{v} }

// Value implements [driver.Valuer].
func (o object[T]) Value() (driver.Value, error) {
	b, err := json.Marshal(o.V)
	return string(b), err
}

// Scan implements [database/sql.Scanner].
func (o *object[T]) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(v), o.V)
	case []byte:
		return json.Unmarshal(v, o.V)
	}
	return fmt.Errorf("scan JSON from %T", v)
}

// linesInto scans lines of text, none for NULL.
func linesInto(l *[]string) *lines { return &lines{l} }

type lines struct{ l *[]string }

// Scan implements [database/sql.Scanner].
func (s *lines) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*s.l = nil
	case string:
		*s.l = strings.Split(v, "\n")
	default:
		return fmt.Errorf("scan lines from %T", v)
	}
	return nil
}

func micro(d time.Duration) int64 { return d.Microseconds() }

func flag(b bool) int16 {
	if b {
		return 1
	}
	return 0
}
