package api_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestLogs(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.expect(f.call("PATCH", "/api/applications/shop", map[string]any{"name": "First"}, "User-Agent", "curl/8"), 200)
	f.expect(f.call("PATCH", "/api/applications/shop", map[string]any{"name": "Second"}), 200)
	all := f.expect(f.call("GET", "/api/logs", nil), 200)
	entries, _ := all.body.([]any)
	if len(entries) != 2 || all.header.Get("Total-Number") != "2" || all.header.Get("Total-Number-Is-Capped") != "" {
		t.Fatalf("%v %s", all.header, all.text)
	}
	oldest := answer{body: entries[1]}
	p, _ := oldest.at("payload").(map[string]any)
	if oldest.at("tenantId") != "default" || oldest.at("key") != "client.updated" || p["key"] != "client.updated" || p["result"] != "Success" ||
		p["applicationId"] != "shop" || p["ip"] != "192.0.2.7" || p["userAgent"] != "curl/8" || p["actor"] != "client:machine" || p["requestId"] == nil ||
		oldest.at("payload", "before", "name") != "Bookstore" || oldest.at("payload", "after", "name") != "First" || p["erased"] != nil {
		t.Error(all.text)
	}
	one := f.expect(f.call("GET", fmt.Sprint("/api/logs/", oldest.at("id")), nil), 200)
	if one.at("id") != oldest.at("id") || one.at("createdAt") != oldest.at("createdAt") {
		t.Error(one.text)
	}
	at, _ := oldest.at("createdAt").(float64)
	for query, want := range map[string]int{
		"applicationId=shop": 2, "applicationId=other": 0, "userId=nobody": 0, "logKey=client.updated": 2, "logKey=user.signed_in": 0,
		"applicationId=shop&logKey=client.updated": 2, fmt.Sprintf("start_time=%.0f", at): 2, fmt.Sprintf("end_time=%.0f", at-1): 0,
		fmt.Sprintf("start_time=%.0f&end_time=%.0f", at, at+600_000): 2, "page_size=1": 1, "page=2&page_size=1": 1, "page=3&page_size=1": 0, "enableCap=true": 2,
	} {
		got := f.expect(f.call("GET", "/api/logs?"+query, nil), 200)
		if n, _ := got.body.([]any); len(n) != want {
			t.Errorf("%s: %s", query, got.text)
		}
	}
	paged := f.expect(f.call("GET", "/api/logs?page_size=1&logKey=client.updated", nil), 200)
	if link := paged.header.Get("Link"); !strings.Contains(link, `</api/logs?logKey=client.updated&page=2&page_size=1>; rel="next"`) {
		t.Error(link)
	}
}

func TestLogsBadInput(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.expect(f.callAs("users:read", "GET", "/api/logs", nil), 403, "auth.forbidden")
	f.expect(f.callAs("logs:read", "GET", "/api/logs", nil), 200)
	for _, query := range []string{"page=0", "page_size=101", "start_time=-1", "end_time=x", "start_time=2&end_time=1", "enableCap=maybe", "userId=" + strings.Repeat("x", 65), "user=1",
		"end_time=99999999999999999999"} {
		f.expect(f.call("GET", "/api/logs?"+query, nil), 400, "guard.invalid_input")
	}
	f.expect(f.call("GET", "/api/logs?page=10000", nil), 422, "entity.invalid_input")
	f.expect(f.call("GET", "/api/logs/nothing", nil), 404, "entity.not_found")
	f.expect(f.call("GET", "/api/logs/AAAAAAAAAAAAAAAAAAAAAA", nil), 404, "entity.not_found")
	for _, path := range []string{"/api/logs?userId=%00", "/api/logs?userId=%ff", "/api/logs/%00", "/api/applications/%ff"} {
		f.expect(f.call("GET", path, nil), 400, "guard.invalid_input")
	}
}
