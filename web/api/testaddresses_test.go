package api_test

import (
	"strings"
	"testing"
	"time"

	"idp/store"
)

func TestTestAddresses(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const path = "/api/test-addresses"
	until := func(d time.Duration) string { return f.db.Now().Add(d).Format(time.RFC3339) }
	body := func(email, code, until string) map[string]any {
		return map[string]any{"email": email, "code": code, "until": until}
	}
	made := f.expect(f.call("POST", path, body("Review@example.com", "246810", until(time.Hour))), 201)
	list := f.expect(f.call("GET", path, nil), 200)
	for _, a := range []answer{made, list} {
		if !strings.Contains(a.text, `"review@example.com"`) || strings.Contains(a.text, "246810") || strings.Contains(a.text, "ode") {
			t.Error(a.text)
		}
	}
	f.expect(f.call("POST", path, body("no address", "246810", until(time.Hour))), 422)
	f.expect(f.call("POST", path, body("a@example.com", "24681", until(time.Hour))), 422)
	f.expect(f.call("POST", path, body("a@example.com", "246810", until(-time.Hour))), 422)
	f.expect(f.call("POST", path, body("a@example.com", "246810", until(100*24*time.Hour))), 422)
	f.must(f.db.AddOperator(t.Context(), "boss@example.com", store.RoleViewer))
	f.expect(f.call("POST", path, body("boss@example.com", "246810", until(time.Hour))), 422)
	f.expect(f.call("DELETE", path+"/review@example.com", nil), 204)
	f.expect(f.call("DELETE", path+"/review@example.com", nil), 404)
	f.expect(f.call("DELETE", path+"/none", nil), 404)
	set := f.events("test_address.set")
	if len(set) != 1 || len(f.events("test_address.removed")) != 1 || strings.Contains(set[0], "246810") {
		t.Error(set)
	}
}
