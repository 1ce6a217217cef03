package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"idp/web/serve"
)

func TestWhoMayCall(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const path = "/api/applications/shop"
	none := f.expect(f.callAs("", "GET", path, nil), 401, "auth.authorization_header_missing")
	if none.header.Get("WWW-Authenticate") != "Bearer" || none.header.Get("Cache-Control") != "no-store" {
		t.Error(none.header)
	}
	f.expect(f.callAs("", "GET", path, nil, "Authorization", "Basic YTpi"), 401, "auth.authorization_token_type_not_supported")
	f.expect(f.callAs("bad", "GET", path, nil), 401, "auth.unauthorized")
	f.expect(f.callAs("users:read", "GET", path, nil), 403, "auth.forbidden")
	f.expect(f.callAs("applications:read", "GET", path, nil), 200)
	f.expect(f.callAs("applications:write", "GET", path, nil), 200)
	f.expect(f.callAs("applications:read", "PATCH", path, map[string]any{"name": "x"}), 403, "auth.forbidden")
	f.expect(f.callAs("applications:read", "DELETE", path, nil), 403, "auth.forbidden")
	f.expect(f.callAs("bad", "PATCH", path, "no JSON"), 401) // before anything else is looked at
	f.expect(f.call("GET", "/api/nothing", nil), 404, "entity.not_found")
	other := f.expect(f.call("PUT", path, nil), 405, "request.method_not_allowed")
	if allow := strings.Join(other.header.Values("Allow"), ","); !strings.HasPrefix(allow, "GET,") || !strings.HasSuffix(allow, "PATCH,DELETE") {
		t.Error(allow)
	}
	named := f.expect(f.call("PUT", "/api/configs/oidc/private-keys/rotate", nil), 405) // rotate is no key
	if allow := named.header.Values("Allow"); len(allow) != 1 || allow[0] != "POST" {
		t.Error(allow)
	}
}

func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const path = "/api/applications/shop"
	read := f.expect(f.call("GET", path, nil), 200)
	tag := read.header.Get("ETag")
	first := f.expect(f.call("PATCH", path, map[string]any{"name": "First"}, "If-Match", tag), 200)
	f.expect(f.call("PATCH", path, map[string]any{"name": "Second"}, "If-Match", tag), 412, "entity.changed")
	f.expect(f.call("PATCH", path, map[string]any{"name": "Third"}, "If-Match", "W/nonsense"), 412, "entity.changed")
	f.expect(f.call("DELETE", path, nil, "If-Match", tag), 412, "entity.changed")
	if now := f.call("GET", path, nil); now.at("name") != "First" || now.header.Get("ETag") != first.header.Get("ETag") || now.header.Get("ETag") == tag {
		t.Errorf("%s %v", now.text, now.header)
	}
	f.expect(f.call("PATCH", path, map[string]any{"description": "Books"}), 200)
	if cleared := f.expect(f.call("PATCH", path, map[string]any{"description": nil}), 200); cleared.at("description") != nil || cleared.at("name") != "First" {
		t.Error(cleared.text)
	}
	f.expect(f.call("DELETE", path, nil), 204)
	f.expect(f.call("DELETE", path, nil), 404, "entity.not_found")
	f.expect(f.call("PATCH", path, map[string]any{"name": "x"}), 404, "entity.not_found")
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const path = "/api/applications/shop"
	unknown := f.expect(f.call("PATCH", path, map[string]any{"title": "x"}), 400, "guard.invalid_input")
	if !strings.Contains(unknown.text, "title") {
		t.Errorf("the field is not named: %s", unknown.text)
	}
	f.expect(f.call("PATCH", path, map[string]any{"id": "other"}), 400, "guard.invalid_input")
	for _, body := range []string{`{"name":"a","name":"b"}`, `{"customData":{"a":[{"b":1,"b":2}]}}`} {
		if twice := f.expect(f.call("PATCH", path, body), 400, "guard.invalid_input"); !strings.Contains(twice.text, "twice") {
			t.Errorf("the name is not named: %s", twice.text)
		}
	}
	f.expect(f.call("PATCH", path, `{"name":"Bookstore","customData":{"name":"a","a":[{"a":1},{"a":2,"b":["a","a"]}]}}`), 200)
	f.expect(f.call("GET", "/api/applications?page=1&page=2", nil), 400, "guard.invalid_input")
	f.expect(f.call("GET", "/api/users?search=a&search=b", nil), 200)
	f.expect(f.call("PATCH", path, "{"), 400, "guard.invalid_input")
	f.expect(f.call("PATCH", path, `"text"`), 400, "guard.invalid_input")
	f.expect(f.call("PATCH", path, map[string]any{"name": ""}), 400, "guard.invalid_input")
	field := f.expect(f.call("PATCH", path, map[string]any{"name": "a\u202eb"}), 422, "entity.invalid_input")
	if !strings.Contains(field.text, `"body.name"`) {
		t.Errorf("the field is not named: %s", field.text)
	}
	f.expect(f.call("GET", path+"?title=1", nil), 400, "guard.invalid_input")
	if got := f.call("PATCH", path, map[string]any{"name": strings.Repeat("x", 2<<20)}); got.status != http.StatusRequestEntityTooLarge {
		t.Error(got.status)
	}
	if now := f.call("GET", path, nil); now.at("name") != "Bookstore" {
		t.Error(now.text)
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	f := setup(t)
	got := f.expect(f.callAs("", "GET", "/api/swagger.json", nil), 200)
	if got.at("openapi") != "3.1.0" || got.at("paths", "/applications/{id}", "patch") == nil {
		t.Error(got.text)
	}
}

// Whoever breaks calls off makes no errors of ours: those wake operators.
func TestWhoLeavesIsNoFault(t *testing.T) {
	t.Parallel()
	f := setup(t)
	left, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequestWithContext(left, http.MethodGet, "/api/users", nil)
	r.Header.Set("Authorization", "Bearer all")
	w := httptest.NewRecorder()
	f.router.ServeHTTP(w, r)
	if w.Code != serve.StatusLeft || strings.Contains(f.log.String(), "level=ERROR") {
		t.Errorf("status %d, log: %s", w.Code, f.log)
	}
}
