package api_test

import (
	"strings"
	"testing"
	"time"

	"idp/store"
)

func TestApplications(t *testing.T) {
	t.Parallel()
	f := setup(t)
	made := f.expect(f.call("POST", "/api/applications", map[string]any{"name": "Shop & Sons", "type": "Traditional", "description": "Books", "isThirdParty": false,
		"oidcClientMetadata":   map[string]any{"redirectUris": []string{"https://sons.example/callback"}, "postLogoutRedirectUris": []string{}},
		"customClientMetadata": map[string]any{"alwaysIssueRefreshToken": true, "rotateRefreshToken": true, "corsAllowedOrigins": []string{"https://sons.example"}, "idTokenTtl": 3600, "refreshTokenTtlInDays": 14},
		"customData":           map[string]any{"team": "a"}}), 200)
	secret, _ := made.at("secret").(string)
	path := "/api/applications/" + made.id()
	if len(secret) != 32 || len(made.id()) != 21 || made.at("tenantId") != "default" || made.at("customData", "team") != "a" || made.at("customClientMetadata", "alwaysIssueRefreshToken") != true {
		t.Error(made.text)
	}
	read := f.expect(f.call("GET", path, nil), 200)
	if strings.Contains(read.text, secret) || read.at("oidcClientMetadata", "redirectUris").([]any)[0] != "https://sons.example/callback" || !strings.Contains(read.text, `"https://sons.example"`) {
		t.Error(read.text)
	}
	kept, err := f.db.FreshClient(t.Context(), made.id())
	f.must(err)
	if len(kept.Secrets) != 1 || kept.Secrets[0].Hash != store.HashOf([]byte(secret)) || !kept.PKCE || kept.IDTokenAlg != "ES256" {
		t.Errorf("%+v", kept)
	}
	changed := f.expect(f.call("PATCH", path, map[string]any{"oidcClientMetadata": map[string]any{"postLogoutRedirectUris": []string{"https://sons.example/"}}, "customData": map[string]any{"b": 1}}), 200)
	if changed.at("oidcClientMetadata", "redirectUris").([]any)[0] != "https://sons.example/callback" || changed.at("customData", "team") != nil {
		t.Error(changed.text)
	}
	if data := f.expect(f.call("PATCH", path+"/custom-data", map[string]any{"c": "x"}), 200); data.at("b") != 1.0 || data.at("c") != "x" {
		t.Error(data.text)
	}
	f.expect(f.call("PATCH", path+"/custom-data", map[string]any{"c": strings.Repeat("x", 70_000)}), 422)
	f.expect(f.call("PATCH", path+"/custom-data", []string{"c"}), 400)
	f.expect(f.call("PATCH", "/api/applications/nothing/custom-data", map[string]any{}), 404)

	machine := f.expect(f.call("POST", "/api/applications", map[string]any{"name": "Job", "type": "MachineToMachine"}), 200)
	if list := f.expect(f.call("GET", "/api/applications?types=MachineToMachine&types=Native", nil), 200); list.header.Get("Total-Number") != "1" || !strings.Contains(list.text, machine.id()) {
		t.Error(list.text)
	}
	if list := f.expect(f.call("GET", "/api/applications?search=%25sons%25", nil), 200); list.header.Get("Total-Number") != "1" || strings.Contains(list.text, `"secret"`) {
		t.Error(list.text)
	}
	if list := f.expect(f.call("GET", "/api/applications?page_size=1", nil), 200); list.header.Get("Total-Number") != "3" {
		t.Error(list.text)
	}
	if list := f.expect(f.call("GET", "/api/applications?isThirdParty=true", nil), 200); list.header.Get("Total-Number") != "0" {
		t.Error(list.text)
	}
	if spa := f.expect(f.call("POST", "/api/applications", map[string]any{"name": "Page", "type": "SPA"}), 200); spa.at("secret") != "" {
		t.Error(spa.text)
	}
}

func TestApplicationsThatDoNotFit(t *testing.T) {
	t.Parallel()
	f := setup(t)
	oidc := func(field string, value any) map[string]any {
		return map[string]any{"oidcClientMetadata": map[string]any{field: value}}
	}
	custom := func(field string, value any) map[string]any {
		return map[string]any{"customClientMetadata": map[string]any{field: value}}
	}
	for _, c := range []struct {
		body   map[string]any
		status int
		field  string
	}{
		{map[string]any{"type": "SAML"}, 422, "body.type"},
		{map[string]any{"type": "Protected"}, 422, "body.type"},
		{map[string]any{"type": "Other"}, 400, "body.type"},
		{map[string]any{"isThirdParty": true}, 422, "body.isThirdParty"},
		{map[string]any{"secret": "mine"}, 400, "secret"},
		{map[string]any{"id": "mine"}, 400, "body.id"},
		{map[string]any{"tenantId": "other"}, 400, "body.tenantId"},
		{map[string]any{"name": "a\u0000b"}, 422, "body.name"},
		{map[string]any{"description": strings.Repeat("x", 300)}, 422, "body.description"},
		{map[string]any{"customData": "text"}, 400, "body.customData"},
		{oidc("redirectUris", []string{"https://ok.example/", "http://shop.example/"}), 422, "body.oidcClientMetadata.redirectUris[1]"},
		{oidc("redirectUris", []string{"https://ok.example/*"}), 422, "body.oidcClientMetadata.redirectUris[0]"},
		{oidc("postLogoutRedirectUris", []string{"javascript:alert(1)"}), 422, "body.oidcClientMetadata.postLogoutRedirectUris[0]"},
		{oidc("backchannelLogoutUri", "https://ok.example/"), 422, "backchannelLogoutUri"},
		{custom("idTokenTtl", 60), 422, "customClientMetadata.idTokenTtl"},
		{custom("refreshTokenTtlInDays", 90), 422, "customClientMetadata.refreshTokenTtlInDays"},
		{custom("rotateRefreshToken", false), 422, "customClientMetadata.rotateRefreshToken"},
		{custom("allowTokenExchange", true), 422, "customClientMetadata.allowTokenExchange"},
		{custom("corsAllowedOrigins", []string{"https://other.example"}), 422, "customClientMetadata.corsAllowedOrigins[0]"},
	} {
		if c.body["name"] == nil {
			c.body["name"] = "App"
		}
		if c.body["type"] == nil {
			c.body["type"] = "SPA"
		}
		if got := f.expect(f.call("POST", "/api/applications", c.body), c.status); !strings.Contains(got.text, c.field) {
			t.Errorf("%v: %s", c.body, got.text)
		}
	}
	machine := f.expect(f.call("POST", "/api/applications", map[string]any{"name": "Job", "type": "MachineToMachine"}), 200)
	f.expect(f.call("PATCH", "/api/applications/"+machine.id(), oidc("redirectUris", []string{"https://ok.example/"})), 422)
	f.expect(f.call("PATCH", "/api/applications/shop", map[string]any{"type": "Native"}), 400)
	if list := f.expect(f.call("GET", "/api/applications", nil), 200); list.header.Get("Total-Number") != "2" {
		t.Error(list.text)
	}
}

func TestApplicationSecrets(t *testing.T) {
	t.Parallel()
	f := setup(t)
	made := f.expect(f.call("POST", "/api/applications", map[string]any{"name": "Job", "type": "MachineToMachine"}), 200)
	path := "/api/applications/" + made.id() + "/secrets"
	first := f.expect(f.call("GET", path, nil), 200)
	if strings.Contains(first.text, made.at("secret").(string)) || !strings.Contains(first.text, made.at("secret").(string)[:4]+"****") || !strings.Contains(first.text, "Default secret") {
		t.Error(first.text)
	}
	second := f.expect(f.call("POST", path, map[string]any{"name": "Next/one", "expiresAt": 4102444800000}), 201)
	value, _ := second.at("value").(string)
	if len(value) != 32 || second.at("expiresAt") != 4102444800000.0 || second.at("createdAt").(float64) < 1e12 {
		t.Error(second.text)
	}
	f.expect(f.call("POST", path, map[string]any{"name": "Next/one"}), 422, "entity.unique_integrity_violation")
	f.expect(f.call("POST", path, map[string]any{"name": "x", "expiresAt": 1000}), 422, "entity.invalid_input")
	f.expect(f.call("POST", path, map[string]any{"name": "x", "value": "mine"}), 400)
	f.expect(f.call("POST", "/api/applications/shop/secrets", map[string]any{"name": "x"}), 422) // it has none
	f.expect(f.call("POST", "/api/applications/nothing/secrets", map[string]any{"name": "x"}), 404)
	renamed := f.expect(f.call("PATCH", path+"/Next%2Fone", map[string]any{"name": "Next"}), 200)
	if renamed.at("name") != "Next" || renamed.at("value") != value[:4]+"****" {
		t.Error(renamed.text)
	}
	f.expect(f.call("PATCH", path+"/Next", map[string]any{"name": "Default secret"}), 422)
	f.expect(f.call("DELETE", path+"/Default%20secret", nil), 204)
	f.expect(f.call("DELETE", path+"/Default%20secret", nil), 404)
	f.expect(f.call("PATCH", path+"/gone", map[string]any{"name": "x"}), 404)
	for i := range 19 {
		f.expect(f.call("POST", path, map[string]any{"name": strings.Repeat("x", i+1)}), 201)
	}
	if full := f.expect(f.call("POST", path, map[string]any{"name": "more"}), 422); !strings.Contains(full.text, "delete one") {
		t.Error(full.text)
	}
	if strings.Contains(f.log.String(), value) {
		t.Error("the secret is in the log")
	}
}

// A secret of a machine is all that the machine may do.
func TestNobodyMakesSecretsOfStrongerMachines(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.machine("strong")
	f.machine("plain")
	f.must(f.db.SetClientRoles(t.Context(), "strong", []string{store.ManagementRole}, time.Time{}))
	f.expect(f.callAs("applications:write", "POST", "/api/applications/strong/secrets", map[string]any{"name": "mine"}), 403, "auth.forbidden")
	f.expect(f.callAs("applications:write", "POST", "/api/applications/plain/secrets", map[string]any{"name": "mine"}), 201)
	f.expect(f.callAs("all", "POST", "/api/applications/strong/secrets", map[string]any{"name": "mine"}), 201)
}

func TestApplicationExperience(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const path = "/api/applications/shop/sign-in-experience"
	if none := f.expect(f.call("GET", path, nil), 200); none.at("displayName") != nil || none.at("applicationId") != "shop" {
		t.Error(none.text)
	}
	set := f.expect(f.call("PUT", path, map[string]any{"displayName": "The shop", "color": map[string]any{"primaryColor": "#A00"},
		"branding": map[string]any{"logoUrl": "https://shop.example/logo.svg"}, "termsOfUseUrl": "https://shop.example/terms", "privacyPolicyUrl": nil}), 200)
	if set.at("displayName") != "The shop" || set.at("color", "primaryColor") != "#aa0000" || set.at("branding", "logoUrl") != "https://shop.example/logo.svg" || set.at("privacyPolicyUrl") != nil {
		t.Error(set.text)
	}
	for _, bad := range []map[string]any{
		{"color": map[string]any{"primaryColor": "red"}}, {"branding": map[string]any{"logoUrl": "javascript:alert(1)"}}, {"termsOfUseUrl": "http://shop.example"},
		{"displayName": "a\u202eb"}, {"customCss": "body{}"},
	} {
		f.expect(f.call("PUT", path, bad), 422, "entity.invalid_input")
	}
	f.expect(f.call("PUT", path, map[string]any{"branding": map[string]any{"favicon": "https://shop.example/i.ico"}}), 400)
	if whole := f.expect(f.call("PUT", path, map[string]any{"termsOfUseUrl": nil, "privacyPolicyUrl": nil}, "If-Match", set.header.Get("ETag")), 200); whole.at("displayName") != nil {
		t.Error(whole.text)
	}
	f.expect(f.call("PUT", path, map[string]any{}, "If-Match", set.header.Get("ETag")), 412)
	f.expect(f.call("GET", "/api/applications/nothing/sign-in-experience", nil), 404)
	f.expect(f.call("PUT", "/api/applications/nothing/sign-in-experience", map[string]any{}), 404)
}
