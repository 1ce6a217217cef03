package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

const hooksPath = "/api/hooks"

func (f *fixture) newHook(more map[string]any) answer {
	f.Helper()
	body := map[string]any{"name": "Mine", "events": []string{"User.Created", "PostSignIn"},
		"config": map[string]any{"url": "https://hooks.example/in?x=t0ken", "headers": map[string]string{"Authorization": "Bearer s3cret"}, "retries": 3}}
	for k, v := range more {
		body[k] = v
	}
	return f.call("POST", hooksPath, body)
}

func TestHooks(t *testing.T) {
	t.Parallel()
	f := setup(t)
	made := f.expect(f.newHook(nil), 201)
	id, _ := made.at("id").(string)
	key, _ := made.at("signingKey").(string)
	path := hooksPath + "/" + id
	if len(id) != 21 || len(key) != 32 || made.at("tenantId") != "default" || made.at("enabled") != true || made.at("event") != nil || made.at("config", "retries") != 3.0 ||
		made.at("config", "headers", "Authorization") != "********" || made.at("config", "url") != "https://hooks.example/in?x=t0ken" || made.header.Get("ETag") == "" {
		t.Error(made.text)
	}
	read := f.expect(f.call("GET", path+"?includeExecutionStats=true", nil), 200)
	if read.at("signingKey") != "********" || strings.Contains(read.text, "s3cret") || read.at("executionStats", "requestCount") != 0.0 {
		t.Error(read.text)
	}
	// Masks stand for what is there, as long as it goes to the same host.
	config := func(url, authorization string) map[string]any {
		return map[string]any{"config": map[string]any{"url": url, "headers": map[string]string{"Authorization": authorization}}}
	}
	f.expect(f.call("PATCH", path, config("https://hooks.example/other", "********")), 200)
	f.expect(f.call("PATCH", path, config("https://evil.example/other", "********")), 422, "entity.invalid_input")
	f.expect(f.call("POST", path+"/test", map[string]any{"events": []string{"PostSignIn"}, "config": config("https://evil.example", "********")["config"]}), 422, "entity.invalid_input")
	f.expect(f.call("PATCH", path, map[string]any{"config": map[string]any{"url": "https://hooks.example", "headers": map[string]string{"X": "********"}}}), 422, "entity.invalid_input")
	f.expect(f.call("PATCH", path, config("https://other.example", "Bearer new")), 200)

	tag := f.call("GET", path, nil).header.Get("ETag")
	changed := f.expect(f.call("PATCH", path, map[string]any{"name": "Other", "enabled": false, "events": []string{"Role.Created"}}, "If-Match", tag), 200)
	if changed.at("name") != "Other" || changed.at("enabled") != false || fmt.Sprint(changed.at("events")) != "[Role.Created]" || changed.at("signingKey") != "********" {
		t.Error(changed.text)
	}
	f.expect(f.call("PATCH", path, map[string]any{"name": "x"}, "If-Match", tag), 412, "entity.changed")
	rotated := f.expect(f.call("PATCH", path+"/signing-key", nil), 200)
	if other, _ := rotated.at("signingKey").(string); len(other) != 32 || other == key || rotated.at("name") != "Other" {
		t.Error(rotated.text)
	}
	f.expect(f.newHook(map[string]any{"events": []string{}, "event": "PostSignIn", "enabled": false}), 201)
	all := f.expect(f.call("GET", hooksPath+"?page_size=1&includeExecutionStats=true", nil), 200)
	if list, _ := all.body.([]any); len(list) != 1 || all.header.Get("Total-Number") != "2" || !strings.Contains(all.header.Get("Link"), "includeExecutionStats=true") {
		t.Error(all.text, all.header)
	}
	f.expect(f.call("GET", hooksPath+"?page=99", nil), 200)
	f.expect(f.call("DELETE", path, nil), 204)
	for _, gone := range []answer{f.call("GET", path, nil), f.call("DELETE", path, nil), f.call("PATCH", path, map[string]any{}), f.call("PATCH", path+"/signing-key", nil), f.call("GET", path+"/recent-logs", nil),
		f.call("POST", path+"/test", map[string]any{"events": []string{"PostSignIn"}, "config": map[string]any{"url": "https://hooks.example"}})} {
		f.expect(gone, 404, "entity.not_found")
	}
	var told strings.Builder
	f.must(f.engine.Read(t.Context(), `SELECT kind, COALESCE(detail, '') FROM event WHERE kind LIKE 'hook.%' ORDER BY id`, nil, func(scan func(...any) error) error {
		var kind, detail string
		defer func() { fmt.Fprintln(&told, kind, detail) }()
		return scan(&kind, &detail)
	}))
	for _, kind := range []string{"hook.created", "hook.updated", "hook.key_rotated", "hook.deleted"} {
		if !strings.Contains(told.String(), kind) {
			t.Errorf("no entry %s:\n%s", kind, told.String())
		}
	}
	for _, secret := range []string{"s3cret", "t0ken", "Bearer", key} {
		if strings.Contains(told.String(), secret) || strings.Contains(f.log.String(), secret) {
			t.Errorf("%s is told:\n%s", secret, told.String())
		}
	}
}

func TestHookInput(t *testing.T) {
	t.Parallel()
	f := setup(t)
	config := func(url string) map[string]any { return map[string]any{"config": map[string]any{"url": url}} }
	for _, c := range []struct {
		more   map[string]any
		status int
		field  string
	}{
		{map[string]any{"title": "x"}, 400, "body.title"},
		{map[string]any{"signingKey": "mine"}, 400, "body.signingKey"},
		{map[string]any{"createdAt": 1}, 400, "body.createdAt"},
		{map[string]any{"events": []string{"User.Exploded"}}, 400, "body.events[0]"},
		{map[string]any{"events": []string{"Organization.Created"}}, 400, "body.events[0]"},
		{map[string]any{"events": []string{}}, 422, "body.events"},
		{map[string]any{"events": []string{"PostSignIn", "PostSignIn"}}, 422, "body.events[1]"},
		{map[string]any{"name": strings.Repeat("a", 257)}, 400, "body.name"},
		{map[string]any{"name": "a\u202eb"}, 422, "body.name"},
		{config("ftp://hooks.example"), 422, "body.config.url"},
		{config("https://10.0.0.1"), 422, "body.config.url"},
		{config("https://169.254.169.254/latest/meta-data"), 422, "body.config.url"},
		{config("https://a:b@hooks.example"), 422, "body.config.url"},
		{map[string]any{"config": map[string]any{"url": "https://hooks.example", "headers": map[string]string{"Host": "x"}}}, 422, "body.config.headers.Host"},
		{map[string]any{"config": map[string]any{"url": "https://hooks.example", "retries": 10}}, 400, "body.config.retries"},
		{map[string]any{"config": map[string]any{}}, 400, "body.config"},
	} {
		got := f.newHook(c.more)
		data, _ := got.at("data").([]any)
		if got.status != c.status || len(data) == 0 || data[0].(map[string]any)["field"] != c.field {
			t.Errorf("%v: %d %s", c.more, got.status, got.text)
		}
	}
	f.expect(f.callAs("hooks:read", "POST", hooksPath, map[string]any{}), 403)
	f.expect(f.callAs("hooks:read", "GET", hooksPath, nil), 200)
	f.expect(f.call("GET", hooksPath+"/x/recent-logs?start_time=2&end_time=1", nil), 400)
	for i := range store.MaxHooks {
		f.expect(f.newHook(map[string]any{"name": fmt.Sprint(i)}), 201)
	}
	f.expect(f.newHook(nil), 422, "entity.unique_integrity_violation")
}

func TestHookTest(t *testing.T) {
	t.Parallel()
	f := setup(t)
	id, _ := f.expect(f.newHook(nil), 201).at("id").(string)
	status := http.StatusOK
	var got []string
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("logto-signature-sha-256"))
		w.WriteHeader(status)
	}))
	t.Cleanup(receiver.Close)
	test := func() answer {
		return f.call("POST", hooksPath+"/"+id+"/test", map[string]any{"events": []string{"User.Deleted"}, "config": map[string]any{"url": receiver.URL}})
	}
	f.expect(test(), 204)
	status = http.StatusTeapot
	f.expect(test(), 422, "hook.endpoint_responded_with_error")
	if len(got) != 2 || len(got[0]) != 64 {
		t.Error(got)
	}
	receiver.Close()
	f.expect(test(), 422, "hook.send_test_payload_failed")
}

func TestHookLogs(t *testing.T) {
	t.Parallel()
	f := setup(t)
	id, _ := f.expect(f.newHook(nil), 201).at("id").(string)
	now := f.db.Now()
	put := func(event string, state store.HookState, status int, at time.Time) {
		var s sqlstore.Script
		delivery := store.NewID(at)
		s.Do(`INSERT INTO hook_delivery (id, hook_id, event, state, attempts, worker, due_at, created_at, status, error) VALUES ($1, $2, $3, $4, 2, $1, $5, $5, $6, $7)`,
			delivery[:], id, event, int16(state), at.UnixMicro(), status, "answered")
		f.must(f.engine.Run(t.Context(), &s))
	}
	put("PostSignIn", store.HookDelivered, 204, now.Add(-3*time.Hour))
	put("User.Created", store.HookGivenUp, 500, now.Add(-2*time.Hour))
	put("User.Created", store.HookWaiting, 0, now.Add(-time.Hour))
	put("User.Created", store.HookDelivered, 200, now.Add(-25*time.Hour))
	path := hooksPath + "/" + id + "/recent-logs"
	all := f.expect(f.call("GET", path+"?page_size=2", nil), 200)
	list, _ := all.body.([]any)
	if len(list) != 2 || all.header.Get("Total-Number") != "3" {
		t.Fatal(all.text, all.header)
	}
	first := answer{body: list[0]}
	if first.at("key") != "TriggerHook.User.Created" || first.at("payload", "result") != "Error" || first.at("payload", "nextAttemptAt") == nil || first.at("payload", "response") != nil {
		t.Error(first.body)
	}
	for query, want := range map[string]string{
		"logKey=TriggerHook.PostSignIn": "1", "logKey=TriggerHook.User.Deleted": "0", "logKey=nonsense": "0", "enableCap=true": "3",
		fmt.Sprintf("start_time=%d", now.Add(-26*time.Hour).UnixMilli()):                                                  "4",
		fmt.Sprintf("end_time=%d", now.Add(-24*time.Hour).UnixMilli()):                                                    "1",
		fmt.Sprintf("start_time=%d&end_time=%d", now.Add(-4*time.Hour).UnixMilli(), now.Add(-90*time.Minute).UnixMilli()): "2",
	} {
		if got := f.expect(f.call("GET", path+"?"+query, nil), 200); got.header.Get("Total-Number") != want {
			t.Errorf("%s: %s", query, got.header.Get("Total-Number"))
		}
	}
	stats := f.expect(f.call("GET", hooksPath+"/"+id+"?includeExecutionStats=true", nil), 200)
	if stats.at("executionStats", "requestCount") != 6.0 || stats.at("executionStats", "successCount") != 1.0 {
		t.Error(stats.text)
	}
}
