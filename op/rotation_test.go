package op_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/op"
	"idp/store"
)

// A new key is published at once and signs when every replica publishes it; what the one
// before it has signed can be verified for long enough.
func TestRotatedKeys(t *testing.T) {
	t.Parallel()
	f := setup(t)
	kid := func() string {
		t.Helper()
		head, _, _ := strings.Cut(f.tokens(f.exchange(f.code())).ID, ".")
		text, err := base64.RawURLEncoding.DecodeString(head)
		f.must(err)
		var header struct{ Alg, Kid string }
		f.must(json.Unmarshal(text, &header))
		if header.Alg != "ES256" {
			t.Fatalf("%+v", header)
		}
		return header.Kid
	}
	old := kid()
	key, err := op.NewSigningKey(ring, "ES256")
	f.must(err)
	f.must(f.db.RotateSigningKeys(t.Context(), []store.SigningKey{key}))
	if now := kid(); now != old {
		t.Error("the new key signs before other replicas can know it")
	}
	if algs := published(f); !slices.Equal(algs, []string{"ES256", "ES256", "RS256"}) {
		t.Errorf("published: %v", algs)
	}
	f.db.AdvanceForTest(11 * time.Second)
	if now := kid(); now != key.ID {
		t.Errorf("%s signs, not the new key", now)
	}
	if algs := published(f); len(algs) != 3 {
		t.Errorf("published: %v", algs)
	}
	f.must(f.db.DeleteSigningKey(t.Context(), old))
	if algs := published(f); len(algs) != 2 {
		t.Errorf("published: %v", algs)
	}
}
