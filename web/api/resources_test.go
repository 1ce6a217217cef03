package api_test

import (
	"net/http"
	"strings"
	"testing"

	"idp/store"
)

// text is a string of the body.
func (a answer) id() string {
	id, _ := a.at("id").(string)
	return id
}

func TestResources(t *testing.T) {
	t.Parallel()
	f := setup(t)
	made := f.expect(f.call("POST", "/api/resources", map[string]any{"name": "Orders", "indicator": "https://orders.example/api"}), 201)
	path := "/api/resources/" + made.id()
	if made.at("accessTokenTtl") != 3600.0 || made.at("isDefault") != false || made.at("tenantId") != "default" || len(made.id()) != 21 {
		t.Error(made.text)
	}
	taken := f.expect(f.call("POST", "/api/resources", map[string]any{"name": "Again", "indicator": "https://orders.example/api"}), 422, "entity.unique_integrity_violation")
	if !strings.Contains(taken.text, "https://orders.example/api") {
		t.Error(taken.text)
	}
	for _, indicator := range []string{"orders", "/orders", "https://", "https://a.example/#x", "https://a.example/\u0000", "https://ä.example/", "https://u:p@a.example", "urn:logto:resource:organizations", "https://a b"} {
		if got := f.expect(f.call("POST", "/api/resources", map[string]any{"name": "x", "indicator": indicator}), 422); !strings.Contains(got.text, "body.indicator") {
			t.Errorf("%s: %s", indicator, got.text)
		}
	}
	f.expect(f.call("POST", "/api/resources", map[string]any{"name": "x", "indicator": "urn:a:b", "accessTokenTtl": 1}), 400)
	f.expect(f.call("POST", "/api/resources", map[string]any{"name": "x", "indicator": "urn:a:b", "id": "mine"}), 400)

	tag := f.expect(f.call("GET", path, nil), 200).header.Get("ETag")
	changed := f.expect(f.call("PATCH", path, map[string]any{"accessTokenTtl": 600}, "If-Match", tag), 200)
	if changed.at("accessTokenTtl") != 600.0 || changed.at("name") != "Orders" {
		t.Error(changed.text)
	}
	f.expect(f.call("PATCH", path, map[string]any{"name": "x"}, "If-Match", tag), 412)
	f.expect(f.call("PATCH", path, map[string]any{"indicator": "https://other.example"}), 400)
	f.expect(f.call("PATCH", path+"/is-default", map[string]any{"isDefault": false}), 200)
	f.expect(f.call("PATCH", path+"/is-default", map[string]any{"isDefault": true}), 422)

	scope := f.expect(f.call("POST", path+"/scopes", map[string]any{"name": "read:orders", "description": "Look"}), 201)
	if scope.at("resourceId") != made.id() || scope.at("description") != "Look" {
		t.Error(scope.text)
	}
	f.expect(f.call("POST", path+"/scopes", map[string]any{"name": "read:orders"}), 422, "entity.unique_integrity_violation")
	f.expect(f.call("POST", path+"/scopes", map[string]any{"name": "read orders"}), 422)
	f.expect(f.call("POST", "/api/resources/nothing/scopes", map[string]any{"name": "x"}), 404)
	f.expect(f.call("GET", "/api/resources/nothing/scopes", nil), 404)
	f.expect(f.call("PATCH", path+"/scopes/"+scope.id(), map[string]any{"description": nil}), 200)
	f.expect(f.call("PATCH", "/api/resources/nothing/scopes/"+scope.id(), map[string]any{"name": "x"}), 404)
	f.expect(f.call("DELETE", "/api/resources/nothing/scopes/"+scope.id(), nil), 404)

	listed := f.expect(f.call("GET", "/api/resources?includeScopes=true&page_size=1&page=2", nil), 200)
	if listed.header.Get("Total-Number") != "2" || !strings.Contains(listed.text, "read:orders") || !strings.Contains(listed.header.Get("Link"), "includeScopes=true") {
		t.Error(listed.text, listed.header)
	}
	if listed := f.expect(f.call("GET", path+"/scopes?search=%25read%25", nil), 200); listed.header.Get("Total-Number") != "1" {
		t.Error(listed.text)
	}
	f.expect(f.call("DELETE", path+"/scopes/"+scope.id(), nil), 204)
	f.expect(f.call("DELETE", path, nil), 204)
	f.expect(f.call("DELETE", path, nil), 404)
	f.expect(f.call("GET", path, nil), 404)
	f.expect(f.callAs("resources:read", "DELETE", path, nil), 403)
}

func TestBuiltInStays(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const resource, role = "/api/resources/" + store.ManagementResource, "/api/roles/" + store.ManagementRole
	for _, got := range []answer{
		f.call("PATCH", resource, map[string]any{"name": "x"}),
		f.call("DELETE", resource, nil),
		f.call("POST", resource+"/scopes", map[string]any{"name": "x"}),
		f.call("PATCH", resource+"/scopes/"+store.ManagementScope, map[string]any{"name": "x"}),
		f.call("DELETE", resource+"/scopes/"+store.ManagementScope, nil),
		f.call("PATCH", role, map[string]any{"name": "x"}),
		f.call("DELETE", role, nil),
		f.call("POST", role+"/scopes", map[string]any{"scopeIds": []string{store.ManagementScope}}),
		f.call("DELETE", role+"/scopes/"+store.ManagementScope, nil),
	} {
		f.expect(got, http.StatusConflict, "entity.in_use")
	}
}

// What no database takes is refused before one is asked.
func TestUnspeakable(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, path := range []string{"/api/roles/a%00b", "/api/roles?search=a%00", "/api/roles/%ff", "/api/roles?search=%ff"} {
		f.expect(f.call("GET", path, nil), 400, "guard.invalid_input")
	}
}
