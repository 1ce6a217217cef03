package api

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// sent is a field of a PATCH: absent, null, or a value.
type sent[T any] struct {
	Is    bool // it was there, as null or as a value
	Null  bool
	Value T
}

// UnmarshalJSON implements json.Unmarshaler, which is called only for what is there.
func (s *sent[T]) UnmarshalJSON(b []byte) error {
	s.Is = true
	if bytes.Equal(b, []byte("null")) {
		s.Null = true
		return nil
	}
	return json.Unmarshal(b, &s.Value)
}

// Schema implements huma.SchemaProvider: the document says nullable.
func (s sent[T]) Schema(r huma.Registry) *huma.Schema {
	schema := *r.Schema(reflect.TypeFor[T](), true, "")
	schema.Nullable = true
	return &schema
}

// to puts what was sent where it belongs; null is the zero value.
func (s sent[T]) to(target *T) {
	if s.Is {
		*target = s.Value
	}
}
