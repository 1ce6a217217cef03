package api_test

import (
	"strings"
	"testing"
)

func TestEmailTemplates(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const path = "/api/email-templates"
	wording := func(usage, locale, content string) map[string]any {
		return map[string]any{"templateType": usage, "languageTag": locale, "details": map[string]any{"subject": "Welcome", "content": content}}
	}
	put := func(templates ...any) answer { return f.call("PUT", path, map[string]any{"templates": templates}) }

	made := f.expect(put(wording("SignIn", "pt-BR", "<p>{{code}}</p>"), wording("Register", "en", "<p>{{code}}</p>")), 200)
	first, _ := made.body.([]any)[0].(map[string]any)
	id, _ := first["id"].(string)
	if len(id) != 21 || first["languageTag"] != "pt-BR" || first["tenantId"] != "default" {
		t.Fatal(made.text)
	}
	again := f.expect(put(wording("SignIn", "pt-br", "<p>Oi {{code}}</p>")), 200)
	if !strings.Contains(again.text, id) || !strings.Contains(again.text, "pt-BR") {
		t.Errorf("another one was made: %s", again.text)
	}
	if got := f.expect(f.call("GET", path+"?languageTag=en", nil), 200); len(got.body.([]any)) != 1 {
		t.Error(got.text)
	}
	if got := f.expect(f.call("GET", path+"?templateType=SignIn", nil), 200); len(got.body.([]any)) != 1 {
		t.Error(got.text)
	}
	f.expect(f.call("GET", path+"?templateType=Pigeon", nil), 400)

	// All or none, and the place of the mistake is named.
	wrong := f.expect(put(wording("SignIn", "en", "{{code}}"), wording("Generic", "en", "no code")), 422, "entity.invalid_input")
	if !strings.Contains(wrong.text, "body.templates[1].details") {
		t.Error(wrong.text)
	}
	f.expect(put(wording("SignIn", "en", "{{code}}"), wording("SignIn", "EN", "{{code}}")), 422)
	f.expect(put(wording("Pigeon", "en", "{{code}}")), 422)
	f.expect(put(), 400)
	if got := f.expect(f.call("GET", path, nil), 200); len(got.body.([]any)) != 2 {
		t.Error(got.text)
	}

	one := f.expect(f.call("GET", path+"/"+id, nil), 200)
	tag := one.header.Get("ETag")
	if got := f.expect(f.call("PATCH", path+"/"+id+"/details", map[string]any{"replyTo": "help@example.com"}, "If-Match", tag), 200); got.at("details", "replyTo") != "help@example.com" ||
		got.at("details", "content") != "<p>Oi {{code}}</p>" {
		t.Error(got.text)
	}
	f.expect(f.call("PATCH", path+"/"+id+"/details", map[string]any{"subject": "x"}, "If-Match", tag), 412)
	f.expect(f.call("PATCH", path+"/"+id+"/details", map[string]any{"replyTo": "nobody"}), 422)
	f.expect(f.call("PATCH", path+"/none/details", map[string]any{"subject": "x"}), 404)
	f.expect(f.call("DELETE", path+"/"+id, nil, "If-Match", tag), 412)
	f.expect(f.call("DELETE", path+"/"+id, nil), 204)
	f.expect(f.call("GET", path+"/"+id, nil), 404)

	f.expect(f.call("DELETE", path, nil), 422)
	if got := f.expect(f.call("DELETE", path+"?languageTag=en", nil), 200); got.at("rowCount") != 1.0 {
		t.Error(got.text)
	}
	if got := f.expect(f.call("DELETE", path+"?languageTag=en", nil), 200); got.at("rowCount") != 0.0 {
		t.Error(got.text)
	}
	if set, gone := f.events("mail_template.set"), f.events("mail_template.deleted"); len(set) != 4 || len(gone) != 2 {
		t.Errorf("%d and %d entries", len(set), len(gone))
	}
}
