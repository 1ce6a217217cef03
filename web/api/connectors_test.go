package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"idp/mailer/ses/sestest"
)

func object(t *testing.T, text []byte) (out map[string]any) {
	t.Helper()
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestConnectorOfSES(t *testing.T) {
	t.Parallel()
	f := setup(t)
	fake := sestest.Start(sestest.Options{})
	t.Cleanup(fake.Close)
	f.ses = fake.URL
	config := object(t, fake.Config(nil))
	const path = "/api/connectors/aws-ses-mail"

	// It can be tried before it is saved.
	f.expect(f.call("POST", path+"/test", map[string]any{"email": "ada@example.com", "config": config}), 204)
	if mails := fake.Mails(); len(mails) != 1 || mails[0].To != "ada@example.com" || !strings.Contains(mails[0].Text, "000000") {
		t.Fatalf("%+v", mails)
	}
	fake.Next(sestest.NotVerified("us-east-1", "no-reply@example.com"))
	refused := f.expect(f.call("POST", path+"/test", map[string]any{"email": "ada@example.com", "config": config}), 400, "connector.invalid_response")
	if !strings.Contains(refused.text, "Email address is not verified") {
		t.Errorf("not in the words of SES: %s", refused.text)
	}
	f.expect(f.call("POST", path+"/test", map[string]any{"email": "ada@example.com"}), 404)
	f.expect(f.call("GET", path, nil), 404, "entity.not_found")

	made := f.expect(f.call("POST", "/api/connectors", map[string]any{"connectorId": "aws-ses-mail", "config": config}), 200)
	secret, _ := config["accessKeySecret"].(string)
	if strings.Contains(made.text, secret) || made.at("config", "accessKeySecret") != "********" || made.at("config", "region") != config["region"] ||
		made.at("id") != "aws-ses-mail" || made.at("connectorId") != "aws-ses-mail" || made.at("type") != "Email" || made.at("name", "en") != "Amazon SES" {
		t.Errorf("%s", made.text)
	}
	if list := f.expect(f.call("GET", "/api/connectors", nil), 200); strings.Contains(list.text, secret) || !strings.Contains(list.text, `"aws-ses-mail"`) {
		t.Error(list.text)
	}

	// What is sent back as it was read is what it was; the mail goes with the key.
	read := f.expect(f.call("GET", path, nil), 200)
	masked, _ := read.at("config").(map[string]any)
	masked["emailAddress"] = "Books <books@example.com>"
	changed := f.expect(f.call("PATCH", path, map[string]any{"config": masked}, "If-Match", read.header.Get("ETag")), 200)
	if changed.at("fromEmail") != "books@example.com" || changed.header.Get("ETag") == read.header.Get("ETag") {
		t.Error(changed.text)
	}
	f.expect(f.call("PATCH", path, map[string]any{"config": masked}, "If-Match", read.header.Get("ETag")), 412)
	f.expect(f.call("POST", path+"/test", map[string]any{"email": "ada@example.com"}), 204)
	if mails := fake.Mails(); len(mails) != 2 || !strings.Contains(mails[1].From, "books@example.com") {
		t.Errorf("%+v", mails)
	}
	f.expect(f.call("POST", path+"/test", map[string]any{"email": "ada@example.com", "config": masked}), 204)

	// The log of changes has the change and no secret.
	events := f.events("connector.updated")
	if len(events) != 1 || strings.Contains(events[0], secret) || !strings.Contains(events[0], "books@example.com") {
		t.Errorf("%v", events)
	}
	f.expect(f.call("DELETE", path, nil), 204)
	f.expect(f.call("DELETE", path, nil), 404)
	f.expect(f.call("PATCH", path, map[string]any{"config": config}), 404)
	// Whom a test went to is for those who may read the log; the failed one is told, too.
	tests := f.expect(f.call("GET", "/api/logs?logKey=connector.tested", nil), 200)
	if n := strings.Count(tests.text, `"to":"ada@example.com"`); n != 4 || len(f.events("connector.tested")) != 4 || strings.Contains(strings.Join(f.events("connector.tested"), ""), "ada") {
		t.Error(tests.text)
	}
	if len(f.events("connector.created")) != 1 || len(f.events("connector.deleted")) != 1 {
		t.Error("changes are missing in the log")
	}
}

func TestBadConnectors(t *testing.T) {
	t.Parallel()
	f := setup(t)
	few := f.expect(f.call("POST", "/api/connectors", map[string]any{"connectorId": "aws-ses-mail", "config": map[string]any{
		"region": "us-east-1", "templates": []any{map[string]any{"usageType": "SignIn", "subject": "s", "content": "{{code}}"}},
	}}), 400, "connector.invalid_config")
	if !strings.Contains(few.text, "Template with UsageType (Register, ForgotPassword, Generic) should be provided!") {
		t.Error(few.text)
	}
	unknown := f.expect(f.call("POST", "/api/connectors", map[string]any{"connectorId": "aws-ses-mail", "config": map[string]any{"regoin": "x"}}), 400, "connector.invalid_config")
	if !strings.Contains(unknown.text, "regoin") {
		t.Error(unknown.text)
	}
	f.expect(f.call("POST", "/api/connectors", map[string]any{"connectorId": "pigeon", "config": map[string]any{}}), 422, "entity.not_found")
	f.expect(f.call("POST", "/api/connectors", map[string]any{"connectorId": "inbox", "position": 3}), 400, "guard.invalid_input")
	f.expect(f.call("POST", "/api/connectors/pigeon/test", map[string]any{"email": "ada@example.com", "config": map[string]any{}}), 404)
	f.expect(f.call("POST", "/api/connectors/inbox/test", map[string]any{"email": "ada", "config": map[string]any{}}), 400, "guard.invalid_input")
	f.expect(f.callAs("connectors:read", "POST", "/api/connectors/inbox/test", map[string]any{"email": "ada@example.com"}), 403)
	f.expect(f.call("POST", "/api/connectors/inbox/test", map[string]any{"email": "ada@example.com"}), 204)
}

// Who may change a connector may not have its secrets sent to a place of his own.
func TestSecretsStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	f := setup(t)
	saved := map[string]any{"host": "smtp.example.com", "auth": map[string]any{"user": "u", "pass": "open sesame"}, "fromEmail": "a@example.com"}
	f.expect(f.call("POST", "/api/connectors", map[string]any{"connectorId": "simple-mail-transfer-protocol", "config": saved}), 200)
	masked := map[string]any{"host": "smtp.example.com", "auth": map[string]any{"user": "u", "pass": "********"}, "fromEmail": "b@example.com"}
	if got := f.expect(f.call("PATCH", "/api/connectors/smtp", map[string]any{"config": masked}), 200); got.at("id") != "simple-mail-transfer-protocol" || strings.Contains(got.text, "sesame") {
		t.Error(got.text)
	}
	masked["host"] = "evil.example"
	for _, call := range [][2]string{{"PATCH", "/api/connectors/smtp"}, {"POST", "/api/connectors/smtp/test"}, {"POST", "/api/connectors"}} {
		body := map[string]any{"config": masked}
		if strings.HasSuffix(call[1], "test") {
			body["email"] = "ada@example.com"
		}
		if call[1] == "/api/connectors" {
			body["connectorId"] = "smtp"
		}
		if got := f.expect(f.call(call[0], call[1], body), 400, "connector.invalid_config"); !strings.Contains(got.text, "body.config.host") {
			t.Error(got.text)
		}
	}
	// A mask that stands for nothing is no secret.
	f.expect(f.call("POST", "/api/connectors", map[string]any{"connectorId": "http-email", "config": map[string]any{
		"url": "https://mail.example.com/x", "signingKey": "********"}}), 400, "connector.invalid_config")
	f.expect(f.call("POST", "/api/connectors", map[string]any{"connectorId": "http-email", "config": map[string]any{
		"url": "https://u:p@mail.example.com/x?token=sesame", "signingKey": strings.Repeat("k", 32)}}), 200)
	got := f.expect(f.call("GET", "/api/connectors/http", nil), 200)
	if strings.Contains(got.text, "sesame") || strings.Contains(got.text, "kkkk") || strings.Contains(got.text, "u:p") {
		t.Error(got.text)
	}
	f.expect(f.call("PATCH", "/api/connectors/http-email", map[string]any{"config": got.at("config")}), 200)
}

func TestConnectorFactories(t *testing.T) {
	t.Parallel()
	f := setup(t)
	list := f.expect(f.call("GET", "/api/connector-factories", nil), 200)
	for _, one := range list.body.([]any) {
		made := one.(map[string]any)
		id, _ := made["id"].(string)
		got := f.expect(f.call("GET", "/api/connector-factories/"+id, nil), 200)
		example, _ := got.at("configTemplate").(string)
		var config map[string]any
		if err := json.Unmarshal([]byte(example), &config); err != nil {
			t.Errorf("%s: the example is no JSON: %v", id, err)
		}
		items, _ := got.at("formItems").([]any)
		for key := range config {
			if !strings.Contains(got.text, `"key":"`+key+`"`) {
				t.Errorf("%s: the form of %d fields has not %q of the example", id, len(items), key)
			}
		}
	}
	if len(list.body.([]any)) != 4 {
		t.Error(list.text)
	}
	f.expect(f.call("GET", "/api/connector-factories/pigeon", nil), 404)
}
