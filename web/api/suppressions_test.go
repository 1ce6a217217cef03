package api_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestSuppressions(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const path = "/api/suppressions"
	if none := f.expect(f.callAs("connectors:read", "GET", path, nil), 200); none.text != "[]\n" || none.header.Get("Link") != "" {
		t.Error(none.text, none.header)
	}
	made := f.expect(f.callAs("connectors:write", "POST", path, map[string]any{"address": "Ada@Example.com", "note": "asked by phone"}), 201)
	if made.at("address") != "ada@example.com" || made.at("reason") != "manual" || made.at("detail") != "asked by phone" {
		t.Error(made.text)
	}
	if twice := f.expect(f.call("POST", path, map[string]any{"address": "ada@example.com"}), 422, "entity.unique_integrity_violation"); !strings.Contains(twice.text, "on the list") {
		t.Error(twice.text)
	}
	f.expect(f.call("POST", path, map[string]any{"address": "grace@example.com"}), 201)
	if list := f.expect(f.call("GET", path, nil), 200); strings.Contains(list.text, "ada@") || !strings.Contains(list.text, "a…@example.com") {
		t.Error(list.text)
	}
	first := f.expect(f.call("GET", path+"?full=true&page_size=1", nil), 200)
	next, _, _ := strings.Cut(strings.TrimPrefix(first.header.Get("Link"), "<"), ">")
	if second := f.expect(f.call("GET", next, nil), 200); !strings.Contains(first.text, "grace@") || !strings.Contains(second.text, "ada@") || strings.Contains(second.text, "grace") {
		t.Error(next, first.text, second.text)
	}
	f.expect(f.call("GET", path+"/ada@example.com", nil), 200)
	f.expect(f.call("DELETE", path+"/ada%40example.com", nil), 204)
	f.expect(f.call("DELETE", path+"/ada@example.com", nil), 404, "entity.not_found")
	f.expect(f.call("GET", path+"/ada@example.com", nil), 404, "entity.not_found")

	// The log says who did it, and to which entry of the list.
	for _, kind := range []string{"suppression.added", "suppression.lifted"} {
		log := f.expect(f.call("GET", "/api/logs?logKey="+kind+"&page_size=1&page="+map[string]string{"suppression.added": "2", "suppression.lifted": "1"}[kind], nil), 200)
		if entry := fmt.Sprint(log.body); !strings.Contains(entry, "actor:client:machine") || !strings.Contains(entry, "target:suppression:") || strings.Contains(entry, "ada") {
			t.Errorf("%s: %s", kind, log.text)
		}
	}
}

func TestBadSuppressions(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const path = "/api/suppressions"
	f.expect(f.callAs("users:write", "GET", path, nil), 403)
	f.expect(f.callAs("connectors:read", "POST", path, map[string]any{"address": "ada@example.com"}), 403)
	f.expect(f.call("POST", path, map[string]any{"address": "ada"}), 422, "entity.invalid_input")
	f.expect(f.call("POST", path, map[string]any{"address": "ada@example.com", "note": "a\u0007"}), 422, "entity.invalid_input")
	f.expect(f.call("POST", path, map[string]any{"address": "ada@example.com", "reason": "bounce"}), 400, "guard.invalid_input")
	f.expect(f.call("DELETE", path+"/nobody", nil), 404)
	for _, query := range []string{"before=x", "page_size=0", "page_size=101", "full=maybe", "page=2"} {
		f.expect(f.call("GET", path+"?"+query, nil), 400, "guard.invalid_input")
	}
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const path = "/api/deliveries"
	for _, to := range []string{"ada@example.com", "grace@example.com"} {
		f.expect(f.call("POST", "/api/verification-codes", map[string]any{"email": to}), 204)
	}
	first := f.expect(f.callAs("connectors:read", "GET", path+"?page_size=1&state=queued", nil), 200)
	next, _, _ := strings.Cut(strings.TrimPrefix(first.header.Get("Link"), "<"), ">")
	second := f.expect(f.call("GET", next, nil), 200)
	one, _ := first.body.([]any)
	other, _ := second.body.([]any)
	if len(one) != 1 || len(other) != 1 || first.text == second.text || !strings.Contains(next, "state=queued") {
		t.Fatal(next, first.text, second.text)
	}
	id, _ := answer{body: one[0]}.at("id").(string)
	if read := f.expect(f.call("GET", path+"/"+id, nil), 200); read.at("id") != id || read.at("state") != "queued" || read.at("times", "created") == nil || strings.Contains(read.text, `"code"`) {
		t.Error(read.text)
	}
	for _, query := range []string{"state=sent", "to=nobody@example.com", "connector=smtp", "connector=simple-mail-transfer-protocol", "usageType=Closed"} {
		if got := f.expect(f.call("GET", path+"?"+query, nil), 200); got.text != "[]\n" {
			t.Errorf("%s: %s", query, got.text)
		}
	}
	f.expect(f.callAs("users:read", "GET", path, nil), 403)
	f.expect(f.call("GET", path+"?to=nobody", nil), 422, "entity.invalid_input")
	f.expect(f.call("GET", path+"/nothing", nil), 404)
	for _, query := range []string{"before=x", "state=eaten", "state=", "page_size=", "page_size=101", "page=2"} {
		f.expect(f.call("GET", path+"?"+query, nil), 400, "guard.invalid_input")
	}
}
