package audit_test

import (
	"bytes"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"idp/audit"
	"idp/keyring"
)

func TestEntry(t *testing.T) {
	t.Parallel()
	ring, err := keyring.New([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	book := audit.New(ring, time.Now)
	e := book.Entry(audit.Actor{ID: "client:c", IP: netip.MustParseAddr("192.0.2.7"), Request: "r"},
		audit.Record{Kind: "user.created", User: "u", Detail: map[string]any{"n": 1}, Personal: map[string]any{"email": "ada@example.com"}})
	if e.ID.IsZero() || e.Kind != "user.created" || e.Actor != "client:c" || e.User != "u" || e.Request != "r" || string(e.Detail) != `{"n":1}` {
		t.Errorf("%+v", e)
	}
	if len(e.Personal) == 0 || bytes.Contains(e.Personal, []byte("ada")) || bytes.Contains(e.Personal, []byte("192.0.2.7")) {
		t.Errorf("what is personal is not sealed: %q", e.Personal)
	}
	if e := book.Entry(audit.Command(), audit.Record{Kind: "key.rotated"}); e.Personal != nil || e.Detail != nil || e.Actor != "command" {
		t.Errorf("%+v", e)
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	type thing struct {
		Name string   `json:"name"`
		URIs []string `json:"uris,omitempty"`
	}
	got := audit.Changes(thing{"a", []string{"x"}}, thing{"a", []string{"x", "y"}})
	want := map[string]any{"before": map[string]any{"uris": []any{"x"}}, "after": map[string]any{"uris": []any{"x", "y"}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := audit.Changes(nil, thing{Name: "a"}); !reflect.DeepEqual(got, map[string]any{"after": map[string]any{"name": "a"}}) {
		t.Errorf("made: %v", got)
	}
	if got := audit.Changes(thing{Name: "a"}, thing{Name: "a"}); len(got) != 0 {
		t.Errorf("the same: %v", got)
	}
}
