package op

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"idp/store"
)

// A request is written and read as encoding/json does it, which the releases before and
// after do: each field, filled one by one and all together, and texts of all kinds.
func TestWrittenIsWhatJSONWrites(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 22, 0, 0, 123456000, time.UTC)
	var requests []store.AuthRequest
	for _, text := range []string{"plain", "", `quo"te`, `back\slash`, "<&>", "é", "\u2028", "line\nbreak", "\x00"} {
		var all store.AuthRequest
		v := reflect.ValueOf(&all).Elem()
		for i := range v.NumField() {
			one := store.AuthRequest{ID: store.NewID(now), StartedAt: now}
			fillField(t, v.Field(i), text, now)
			reflect.ValueOf(&one).Elem().Field(i).Set(v.Field(i))
			requests = append(requests, one)
		}
		requests = append(requests, all)
	}
	for _, req := range requests {
		by := compact(contents{V: 1, Value: &req})
		if got := written(&req); !bytes.Equal(got, by) {
			t.Errorf("written %s\nby JSON %s", got, by)
		}
		var want store.AuthRequest
		if err := json.Unmarshal(by, &contents{Value: &want}); err != nil {
			t.Fatal(err)
		}
		var got store.AuthRequest
		if plain := !bytes.ContainsRune(by, '\\'); read(by, &got) != plain {
			t.Errorf("%s is read: %v", by, !plain)
		} else if plain && !reflect.DeepEqual(got, want) {
			t.Errorf("%s\nis read as %+v\nand not  %+v", by, got, want)
		}
	}
}

func fillField(t *testing.T, f reflect.Value, text string, now time.Time) {
	t.Helper()
	age := int64(len(text))
	switch f.Interface().(type) {
	case store.ID:
		f.Set(reflect.ValueOf(store.NewID(now)))
	case string, store.Screen:
		f.SetString(text)
	case bool:
		f.SetBool(true)
	case []string:
		f.Set(reflect.ValueOf([]string{text, "second"}))
	case time.Time:
		f.Set(reflect.ValueOf(now))
	case *int64:
		f.Set(reflect.ValueOf(&age))
	default:
		t.Fatalf("a field of type %s: teach written, read and this test about it", f.Type())
	}
}

// What another release may write is left to encoding/json, and so is what is broken.
func TestReadLeavesTheRestToJSON(t *testing.T) {
	t.Parallel()
	req := store.AuthRequest{ID: store.NewID(time.Now()), Client: "app", StartedAt: time.Now().UTC()}
	good := string(written(&req))
	for _, text := range []string{
		good[:len(good)-2] + `,"new":1}}`, good[:len(good)-1] + `,"b":"AA=="}`, " " + good, good + " ", good[1:], good[:len(good)-1], "", "{}", `{"v":2,"q":{}}`, `{"v":01,"q":{}}`,
		`{"v":1,"q":{"id":[1,2]}}`, `{"v":1,"q":{"id":[256,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}}`, `{"v":1,"q":{"hs":false}}`, `{"v":1,"q":{"t":"yesterday"}}`, "{\"v\":1,\"q\":{\"c\":\"\xff\"}}",
		`{"v":1,"q":{"o":["a",]}}`, `{"v":1,"q":{"o":null}}`, `{"v":1,"q":{"ma":1.5}}`,
	} {
		var got store.AuthRequest
		if read([]byte(text), &got) {
			t.Errorf("%s is read as %+v", text, got)
		}
	}
}
