package keyring_test

import (
	"bytes"
	"testing"
)

// A sealed value opens as it was, with what it was bound to, and in no other form.
func FuzzSealer(f *testing.F) {
	s := ring(f, bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)).Sealer("fuzz")
	f.Add([]byte("text"), []byte("browser"), []byte("browseR"), uint16(3), byte(1))
	f.Add([]byte{}, []byte{}, []byte{0}, uint16(0), byte(0x80))
	f.Add(bytes.Repeat([]byte("x"), 100), []byte("a"), []byte("a"), uint16(50), byte(0))
	f.Fuzz(func(t *testing.T, text, aad, other []byte, at uint16, flip byte) {
		sealed := s.Seal(text, aad)
		if got, err := s.Open(sealed, aad); err != nil || !bytes.Equal(got, text) {
			t.Fatalf("%q opens as %q (%v)", text, got, err)
		}
		if _, err := s.Open(sealed, other); (err == nil) != bytes.Equal(aad, other) {
			t.Fatalf("bound to %q, opened with %q: %v", aad, other, err)
		}
		changed := bytes.Clone(sealed)
		changed[int(at)%len(changed)] ^= flip
		if _, err := s.Open(changed, aad); (err == nil) != (flip == 0) {
			t.Fatalf("byte %d of %x changed by %x: %v", int(at)%len(changed), sealed, flip, err)
		}
		if cut := sealed[:int(at)%len(sealed)]; opens(s, cut, aad) {
			t.Fatalf("%x opens without its end", cut)
		}
		if opens(s, append(sealed, flip), aad) || opens(s, text, aad) {
			t.Fatal("something else opens")
		}
	})
}

func opens(s interface {
	Open(sealed, aad []byte) ([]byte, error)
}, sealed, aad []byte) bool {
	_, err := s.Open(sealed, aad)
	return err == nil
}
