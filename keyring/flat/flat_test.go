package flat_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"idp/keyring/flat"
)

// object is what the tests write and read.
type object struct {
	Text  string    `json:"text"`
	List  []string  `json:"list,omitempty"`
	N     int64     `json:"n"`
	Yes   bool      `json:"yes,omitempty"`
	At    time.Time `json:"at"`
	Bytes [4]byte   `json:"bytes"`
}

func (o object) written() []byte {
	var w flat.Writer
	w.String("text", o.Text)
	w.OmitStrings("list", o.List)
	w.Int("n", o.N)
	w.OmitBool("yes", o.Yes)
	w.Time("at", o.At)
	w.Array("bytes", o.Bytes[:])
	return w.Bytes()
}

func read(text []byte) (o object, known bool) {
	known = flat.Read(text, func(name []byte, r *flat.Reader) {
		switch string(name) {
		case "text":
			o.Text = r.String()
		case "list":
			o.List = r.Strings()
		case "n":
			o.N = r.Int()
		case "yes":
			o.Yes = r.Bool()
		case "at":
			o.At = r.Time()
		case "bytes":
			r.Array(o.Bytes[:])
		default:
			r.Fail()
		}
	})
	return o, known
}

// What is written is what encoding/json reads.
func FuzzWritten(f *testing.F) {
	f.Add("text", "one", "two", int64(-5), true, []byte{1, 2, 3, 4})
	f.Add("\"\\\n\x00é\xff", "", "\u2028", int64(0), false, []byte{})
	f.Fuzz(func(t *testing.T, text, one, two string, n int64, yes bool, b []byte) {
		o := object{Text: text, List: []string{one, two}, N: n, Yes: yes, At: time.UnixMicro(n % (1 << 50)).UTC()}
		copy(o.Bytes[:], b)
		got := o.written()
		var by bytes.Buffer
		enc := json.NewEncoder(&by)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(o); err != nil {
			t.Fatal(err)
		}
		if want := bytes.TrimSpace(by.Bytes()); !bytes.Equal(got, want) {
			t.Errorf("written %s\nby JSON %s", got, want)
		}
	})
}

// What is read is what encoding/json reads, and all that is read is JSON.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		`{"text":"a","list":["b","c"],"n":-1,"yes":true,"at":"2026-11-28T22:00:00Z","bytes":[1,2,3,4]}`,
		`{}`, `{"n":007}`, `{"n":-0}`, `{"n":--1}`, `{"text":"\n"}`, `{"list":[]}`, `{"list":["a",]}`, `{"text":"a",}`, `{,}`, `{"bytes":[1,2,3,4,5]}`, `{"n":9223372036854775808}`, `{"at":"24:00"}`, `{"n":1}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, known := read(text)
		if !known {
			return
		}
		var want object
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatalf("%q is read: %v", text, err)
		}
		a, errA := json.Marshal(got)
		b, errB := json.Marshal(want)
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%q is read as %s and not %s (%v %v)", text, a, b, errA, errB)
		}
	})
}
