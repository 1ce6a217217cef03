package api_test

import (
	"strings"
	"testing"

	"idp/op"
)

func TestSigningKeys(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, alg := range []string{"ES256", "EdDSA"} {
		key, err := op.NewSigningKey(f.ring, alg)
		f.must(err)
		f.must(f.db.AddSigningKey(t.Context(), key))
	}
	const path = "/api/configs/oidc/private-keys"
	before := f.expect(f.call("GET", path, nil), 200)
	if keys := before.body.([]any); len(keys) != 2 || strings.Contains(before.text, "ealed") {
		t.Fatal(before.text)
	}
	f.expect(f.call("POST", path+"/rotate", map[string]any{"signingKeyAlgorithm": "RSA"}), 422)
	f.expect(f.call("POST", path+"/rotate", map[string]any{"signingKeyAlgorithm": "none"}), 400)
	after := f.expect(f.call("POST", path+"/rotate", map[string]any{"signingKeyAlgorithm": "EC"}), 200)
	current, previous := 0, ""
	for _, one := range after.body.([]any) {
		key := one.(map[string]any)
		if key["status"] == "Previous" {
			previous, _ = key["id"].(string)
			continue
		}
		current++
		if strings.Contains(before.text, key["id"].(string)) == (key["algorithm"] == "ES256") {
			t.Errorf("not rotated, or what was not to be: %s", after.text)
		}
		f.expect(f.call("DELETE", path+"/"+key["id"].(string), nil), 409, "entity.in_use")
	}
	if current != 2 || previous == "" {
		t.Fatal(after.text)
	}
	f.expect(f.call("DELETE", path+"/"+previous, nil), 204)
	f.expect(f.call("DELETE", path+"/"+previous, nil), 404)
	f.expect(f.call("POST", path+"/rotate", nil), 200)
	if len(f.events("key.rotated")) != 2 || len(f.events("key.deleted")) != 1 {
		t.Error("not all is in the log")
	}
	if got := f.expect(f.call("GET", "/api/configs/oidc/cookie-keys", nil), 200); got.text != "[]\n" && got.text != "[]" {
		t.Error(got.text)
	}
	f.expect(f.call("POST", "/api/configs/oidc/cookie-keys/rotate", nil), 422)
	f.expect(f.call("GET", "/api/configs/oidc/pigeons", nil), 400)
}
