package api_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/store"
	"idp/store/sqlstore"
)

// person makes an account over the API and gives the path of it.
func (f *fixture) person(email string, fields ...any) string {
	f.Helper()
	body := map[string]any{"primaryEmail": email}
	for i := 0; i < len(fields); i += 2 {
		body[fields[i].(string)] = fields[i+1]
	}
	made := f.expect(f.call("POST", "/api/users", body), 200)
	return "/api/users/" + made.at("id").(string)
}

func TestUser(t *testing.T) {
	t.Parallel()
	f := setup(t)
	path := f.person("Ada@EXAMPLE.com", "name", "Ada", "username", "ada", "avatar", "https://example.com/a.png",
		"customData", map[string]any{"plan": "free", "seats": 3}, "profile", map[string]any{"givenName": "Ada", "nickname": "A", "address": map[string]any{"country": "UK", "region": "London"}})
	read := f.expect(f.call("GET", path+"?includeSsoIdentities=true", nil), 200)
	for field, want := range map[string]any{"primaryEmail": "ada@example.com", "name": "Ada", "username": "ada", "avatar": "https://example.com/a.png", "primaryPhone": nil,
		"lastSignInAt": nil, "applicationId": nil, "isSuspended": false, "hasPassword": false} {
		if read.at(field) != want {
			t.Errorf("%s is %v, want %v", field, read.at(field), want)
		}
	}
	if read.at("customData", "plan") != "free" || read.at("profile", "address", "country") != "UK" || read.at("ssoIdentities") == nil || read.at("createdAt").(float64) < 1e12 {
		t.Error(read.text)
	}
	tag := read.header.Get("ETag")

	// Parts are laid over what there is, the whole takes its place.
	data := f.expect(f.call("PATCH", path+"/custom-data", map[string]any{"customData": map[string]any{"plan": "pro"}}, "If-Match", tag), 200)
	if data.at("plan") != "pro" || data.at("seats") != 3.0 {
		t.Error(data.text)
	}
	f.expect(f.call("PATCH", path+"/custom-data", map[string]any{"customData": map[string]any{}}, "If-Match", tag), 412)
	if whole := f.expect(f.call("PATCH", path, map[string]any{"customData": map[string]any{"a": "1"}}), 200); whole.at("customData", "plan") != nil || whole.at("customData", "a") != "1" {
		t.Error(whole.text)
	}
	if data := f.expect(f.call("GET", path+"/custom-data", nil), 200); data.at("a") != "1" {
		t.Error(data.text)
	}
	profile := f.expect(f.call("PATCH", path+"/profile", map[string]any{"profile": map[string]any{"familyName": "L", "nickname": nil, "address": map[string]any{"country": "FR"}}}), 200)
	if profile.at("givenName") != "Ada" || profile.at("familyName") != "L" || profile.at("address", "country") != "FR" || profile.at("address", "region") != nil || profile.at("nickname") != nil {
		t.Error(profile.text)
	}
	changed := f.expect(f.call("PATCH", path, map[string]any{"name": nil, "username": nil, "avatar": "", "primaryEmail": "ada@new.example", "primaryPhone": nil,
		"profile": map[string]any{"nickname": "A"}}), 200)
	if changed.at("name") != nil || changed.at("username") != nil || changed.at("avatar") != nil || changed.at("primaryEmail") != "ada@new.example" ||
		changed.at("profile", "nickname") != "A" || changed.at("profile", "givenName") != nil {
		t.Error(changed.text)
	}

	suspended := f.expect(f.call("PATCH", path+"/is-suspended", map[string]any{"isSuspended": true}), 200)
	if again := f.expect(f.call("PATCH", path+"/is-suspended", map[string]any{"isSuspended": true}), 200); suspended.at("isSuspended") != true || again.header.Get("ETag") != suspended.header.Get("ETag") {
		t.Error(suspended.text, again.text)
	}
	f.expect(f.call("PATCH", path+"/is-suspended", map[string]any{"isSuspended": false}, "If-Match", tag), 412)
	f.expect(f.call("PATCH", path+"/is-suspended", map[string]any{"isSuspended": false}), 200)
	for sub, want := range map[string]string{"/has-password": `{"hasPassword":false}`, "/organizations": "[]", "/mfa-verifications": "[]", "/sessions": `{"sessions":[]}`, "/grants": `{"grants":[]}`,
		"/all-identities": `{"socialIdentities":[],"ssoIdentities":[]}`} {
		if got := f.expect(f.call("GET", path+sub, nil), 200); strings.TrimSpace(got.text) != want {
			t.Errorf("%s: %s", sub, got.text)
		}
		f.expect(f.call("GET", "/api/users/nobody"+sub, nil), 404, "entity.not_found")
	}
	f.expect(f.call("DELETE", path, nil, "If-Match", tag), 412)
	f.expect(f.call("DELETE", path, nil), 204)
	for _, method := range []string{"GET", "DELETE"} {
		f.expect(f.call(method, path, nil), 404, "entity.not_found")
	}
	f.expect(f.call("PATCH", path, map[string]any{"name": "x"}), 404, "entity.not_found")
	f.expect(f.call("PATCH", path+"/is-suspended", map[string]any{"isSuspended": true}), 404, "entity.not_found")
	f.expect(f.callAs("users:read", "POST", "/api/users", map[string]any{"primaryEmail": "x@example.com"}), 403)

	// What is personal is in no entry of the audit log as it is.
	var told []string
	f.must(f.engine.Read(t.Context(), `SELECT kind, actor, COALESCE(detail, ''), personal FROM event ORDER BY at`, nil, func(scan func(...any) error) error {
		var kind, actor, detail string
		var personal []byte
		if err := scan(&kind, &actor, &detail, &personal); err != nil {
			return err
		}
		told = append(told, kind)
		if actor != "client:machine" || strings.Contains(detail+string(personal), "ada") || strings.Contains(detail+string(personal), "Ada") {
			t.Errorf("%s by %s: %s %s", kind, actor, detail, personal)
		}
		return nil
	}))
	if got := strings.Join(told, " "); got != "user.created user.updated user.updated user.updated user.updated user.suspended user.reinstated user.deleted" {
		t.Error(got)
	}
}

func TestUserBadInput(t *testing.T) {
	t.Parallel()
	f := setup(t)
	path := f.person("ada@example.com", "username", "ada")
	f.person("bob@example.com", "username", "bob")
	for _, c := range []struct {
		field  string
		value  any
		status int
	}{
		{"password", "secret", 422},
		{"passwordDigest", "x", 422},
		{"primaryPhone", "123", 422},
		{"identities", map[string]any{}, 422},
		{"primaryEmail", "ada", 422},
		{"primaryEmail", "a@b@c", 422},
		{"primaryEmail", nil, 422},
		{"primaryEmail", "bob@example.com", 422},
		{"primaryEmail", "BOB@example.com", 422},
		{"username", "bob", 422},
		{"username", "9lives", 422},
		{"username", strings.Repeat("a", 129), 400},
		{"name", strings.Repeat("a", 129), 400},
		{"name", "a\x00b", 422},
		{"name", "a\u202eb", 422},
		{"name", 7, 400},
		{"avatar", "javascript:alert(1)", 422},
		{"avatar", "//example.com/a.png", 422},
		{"customData", "text", 400},
		{"customData", []string{"a"}, 400},
		{"customData", map[string]any{"a": strings.Repeat("x", 70_000)}, 422},
		{"customData", map[string]any{"a": json.RawMessage(strings.Repeat("[", 100) + strings.Repeat("]", 100))}, 422},
		{"profile", map[string]any{"givenName": strings.Repeat("x", 257)}, 422},
		{"profile", map[string]any{"website": "javascript:alert(1)"}, 422},
		{"profile", map[string]any{"givenNames": "x"}, 400},
		{"profile", map[string]any{"address": map[string]any{"planet": "x"}}, 400},
		{"isSuspended", true, 400},
		{"id", "abcdefghijkl", 400},
		{"createdAt", 1, 400},
	} {
		got := f.expect(f.call("PATCH", path, map[string]any{c.field: c.value}), c.status)
		if !strings.Contains(got.text, `"body.`+c.field) && !strings.Contains(got.text, c.field) {
			t.Errorf("%s is not named: %s", c.field, got.text)
		}
		if c.field == "primaryEmail" && c.value == nil { // not there, or null
			continue
		}
		body := map[string]any{"primaryEmail": "new@example.com"}
		body[c.field] = c.value
		f.expect(f.call("POST", "/api/users", body), c.status)
	}
	f.expect(f.call("PATCH", path, map[string]any{"primaryEmail": "bob@example.com"}), 422, "entity.unique_integrity_violation")
	if missing := f.expect(f.call("POST", "/api/users", map[string]any{}), 422, "entity.invalid_input"); !strings.Contains(missing.text, "body.primaryEmail") {
		t.Error(missing.text)
	}
	f.expect(f.call("PATCH", path+"/custom-data", map[string]any{"customData": nil}), 400)
	f.expect(f.call("PATCH", path+"/is-suspended", map[string]any{}), 400)
	f.expect(f.call("PATCH", path, "{\"customData\": {\"a\": \"\xff\"}}"), 422)
	f.expect(f.call("GET", "/api/users/%00", nil), 400)
	f.expect(f.call("GET", "/api/users/%ff/sessions/x", nil), 400)
	if now := f.call("GET", path, nil); now.at("username") != "ada" || now.at("name") != nil {
		t.Error(now.text)
	}
	if all := f.call("GET", "/api/users", nil); all.header.Get("Total-Number") != "2" {
		t.Error(all.text)
	}
}

func TestUserList(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for i := range 5 {
		f.person(fmt.Sprintf("ada%d@example.com", i), "name", fmt.Sprintf("Person %d", i))
		f.db.AdvanceForTest(time.Millisecond)
	}
	emails := func(a answer) (out []string) {
		all, _ := a.body.([]any)
		for _, one := range all {
			out = append(out, answer{body: one}.at("primaryEmail").(string)[:4])
		}
		return out
	}
	for query, want := range map[string]string{
		"":                                  "5 ada4 ada3 ada2 ada1 ada0",
		"page=2&page_size=2":                "5 ada2 ada1",
		"page=9":                            "5",
		"search=ADA3%25":                    "1 ada3",
		"search=%25example%25&page_size=1":  "5 ada4",
		"search.name=person%204":            "1 ada4",
		"search.name=person%25&page_size=2": "5 ada0 ada1",
		"search.primaryEmail=ada1%25&search.primaryEmail=ada2%25":                   "2 ada1 ada2",
		"search.primaryEmail=ada1@example.com&mode.primaryEmail=exact":              "1 ada1",
		"search=ada%25&mode=exact":                                                  "0",
		"search.primaryEmail=%25ada1%25&search.name=person%25&joint=and":            "1 ada1",
		"search.primaryEmail=ada1%25&search.name=nobody%25&joint=and&page_size=100": "0",
	} {
		got := f.expect(f.call("GET", "/api/users?"+query, nil), 200)
		if have := strings.TrimSpace(got.header.Get("Total-Number") + " " + strings.Join(emails(got), " ")); have != want {
			t.Errorf("%s: got %s, want %s", query, have, want)
		}
	}
	for query, status := range map[string]int{"page=0": 400, "page_size=101": 400, "page=10000&page_size=100": 422, "after=x": 400, "after=-1.a": 400, "search=a%25&after=1.a": 400,
		"mode=posix": 400, "serach=x": 400, "search=%00": 400, "search=" + strings.Repeat("x", 300): 422, "joint=xor": 400, "search=a%0Ab": 400} {
		f.expect(f.call("GET", "/api/users?"+query, nil), status)
	}
	// Beyond where pages have numbers, each page says where the next one begins.
	got := f.expect(f.call("GET", "/api/users?page_size=2&after="+url.QueryEscape("zzzzzzzzzz.a"), nil), 200)
	var seen []string
	for {
		seen = append(seen, emails(got)...)
		_, next, found := strings.Cut(got.header.Get("Link"), `, <`)
		if !found {
			break
		}
		next, _, _ = strings.Cut(next, ">")
		got = f.expect(f.call("GET", next, nil), 200)
	}
	if have := strings.Join(seen, " "); have != "ada4 ada3 ada2 ada1 ada0" {
		t.Error(have)
	}
}

// exec runs a statement beside the store.
func (f *fixture) exec(sql string, args ...any) {
	f.Helper()
	var s sqlstore.Script
	s.Do(sql, args...)
	f.must(f.engine.Run(f.Context(), &s))
}

func TestUserSessions(t *testing.T) {
	t.Parallel()
	f := setup(t)
	path := f.person("ada@example.com")
	id := strings.TrimPrefix(path, "/api/users/")
	hash := store.HashOf([]byte("session"))
	now := f.db.Now().UnixMicro()
	until := now + time.Hour.Microseconds()
	f.exec(`INSERT INTO session (hash, user_id, browser, amr, auth_time, idle_at, expires_at, agent) VALUES ($1, $2, $1, '["otp"]', $3, $4, $4, 'Firefox on Linux')`, hash[:], id, now, until)
	grant := store.NewID(f.db.Now())
	f.exec(`INSERT INTO oidc_grant (id, client_id, user_id, session, scopes, created_at, access_hash, access_until, offline, refresh_hash, refresh_until)
		VALUES ($1, 'shop', $2, $3, '["openid"]', $4, $3, $5, 1, $3, $5)`, grant[:], id, hash[:], now, until)

	listed := f.expect(f.call("GET", path+"/sessions", nil), 200)
	sid := store.SessionID(hash)
	if !strings.Contains(listed.text, sid) || !strings.Contains(listed.text, "Firefox on Linux") {
		t.Error(listed.text)
	}
	one := f.expect(f.call("GET", path+"/sessions/"+sid, nil), 200)
	if one.at("payload", "jti") != sid || one.at("payload", "authorizations", "shop", "grantId") != grant.String() || one.at("expiresAt") != float64(until/1000) {
		t.Error(one.text)
	}
	grants := f.expect(f.call("GET", path+"/grants", nil), 200)
	if !strings.Contains(grants.text, `"Bookstore"`) || !strings.Contains(grants.text, grant.String()) {
		t.Error(grants.text)
	}
	if none := f.expect(f.call("GET", path+"/grants?appType=thirdParty", nil), 200); strings.Contains(none.text, "Bookstore") {
		t.Error(none.text)
	}
	other := f.person("bob@example.com")
	f.expect(f.call("GET", other+"/sessions/"+sid, nil), 404)
	f.expect(f.call("DELETE", other+"/sessions/"+sid, nil), 404)
	f.expect(f.call("DELETE", other+"/grants/"+grant.String(), nil), 404)
	f.expect(f.call("DELETE", path+"/grants/nonsense", nil), 404)
	f.expect(f.call("DELETE", path+"/sessions/"+sid, nil), 204)
	f.expect(f.call("GET", path+"/sessions/"+sid, nil), 404)
	f.expect(f.call("DELETE", path+"/sessions/"+sid, nil), 404)
	f.expect(f.call("DELETE", path+"/grants/"+grant.String(), nil), 204) // it outlived the session
	f.expect(f.call("DELETE", path+"/grants/"+grant.String(), nil), 404)
}
