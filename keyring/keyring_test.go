package keyring_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"testing"

	"idp/keyring"
)

func secret(t *testing.T) []byte {
	t.Helper()
	b := make([]byte, keyring.SecretSize)
	_, _ = rand.Read(b)
	return b
}

func ring(t testing.TB, current []byte, previous ...[]byte) *keyring.Ring {
	t.Helper()
	r, err := keyring.New(current, previous...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSealOpensOnlyWhereItBelongs(t *testing.T) {
	t.Parallel()
	old, next := secret(t), secret(t)
	r := ring(t, old)
	plain, aad := []byte("the code is 123456"), []byte("challenge")
	sealed := r.Sealer("mail").Seal(plain, aad)
	if bytes.Contains(sealed, []byte("123456")) {
		t.Fatal("not sealed")
	}
	if again := r.Sealer("mail").Seal(plain, aad); bytes.Equal(again, sealed) {
		t.Error("the same text seals to the same bytes")
	}
	for name, s := range map[string]*keyring.Sealer{"same": r.Sealer("mail"), "after a rotation": ring(t, next, old).Sealer("mail")} {
		if got, err := s.Open(sealed, aad); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	for name, s := range map[string]*keyring.Sealer{"another purpose": r.Sealer("inbox"), "another secret": ring(t, next).Sealer("mail")} {
		if _, err := s.Open(sealed, aad); err == nil {
			t.Errorf("opens for %s", name)
		}
	}
	if _, err := r.Sealer("mail").Open(sealed, []byte("another challenge")); err == nil {
		t.Error("opens elsewhere")
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := r.Sealer("mail").Open(bad, aad); err == nil {
			t.Errorf("opens with byte %d changed", i)
		}
		if _, err := r.Sealer("mail").Open(sealed[:i], aad); err == nil {
			t.Errorf("opens cut to %d bytes", i)
		}
	}
}

func TestMACSeparatesParts(t *testing.T) {
	t.Parallel()
	old, next := secret(t), secret(t)
	m := ring(t, old).MAC("code")
	if m.Sum([]byte("ab"), []byte("c")) == m.Sum([]byte("a"), []byte("bc")) || m.Sum([]byte("x")) == ring(t, old).MAC("budget").Sum([]byte("x")) {
		t.Error("different inputs have one MAC")
	}
	if both := ring(t, next, old).MAC("code").Sums([]byte("x")); len(both) != 2 || both[1] != m.Sum([]byte("x")) || both[0] == both[1] {
		t.Error("the previous secret's MAC is missing")
	}
}

func TestParseSecret(t *testing.T) {
	t.Parallel()
	s := secret(t)
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if got, err := keyring.ParseSecret(" " + enc.EncodeToString(s) + "\n"); err != nil || !bytes.Equal(got, s) {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "short", base64.StdEncoding.EncodeToString(s[:31]), "*" + base64.StdEncoding.EncodeToString(s)[1:]} {
		if _, err := keyring.ParseSecret(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if _, err := keyring.New(s[:16]); err == nil {
		t.Error("a short secret was taken")
	}
}
