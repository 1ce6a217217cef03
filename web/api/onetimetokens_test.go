package api_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"idp/audit"
	"idp/store"
)

func TestOneTimeTokens(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const path = "/api/one-time-tokens"
	make := func(email string) answer {
		t.Helper()
		return f.expect(f.call("POST", path, map[string]any{"email": email, "expiresIn": 60}), 201)
	}
	id := func(a answer) string { text, _ := a.at("id").(string); return text }
	person := id(f.expect(f.call("POST", "/api/users", map[string]any{"primaryEmail": "grace@example.com"}), 200))
	make("grace@example.com") // the entry that names the address is about the account, and goes unreadable with it
	if told := f.expect(f.call("GET", "/api/logs?logKey=one_time_token.created&userId="+person, nil), 200); told.header.Get("Total-Number") != "1" {
		t.Error(told.text)
	}
	f.expect(f.callAs("one-time-tokens:read", "POST", path, map[string]any{"email": "ada@example.com"}), 403, "auth.forbidden")
	first, second := make("Ada@Example.com"), make("bob@example.com")
	token, _ := first.at("token").(string)
	if len(token) != 43 || first.at("email") != "ada@example.com" || first.at("status") != "active" || first.at("tenantId") != "default" {
		t.Error(first.text)
	}
	listed := f.expect(f.call("GET", path, nil), 200)
	if strings.Contains(listed.text, token) || listed.header.Get("Total-Number") != "3" {
		t.Errorf("%v %s", listed.header, listed.text)
	}
	if one := f.expect(f.call("GET", path+"?email=ada@example.com&status=active", nil), 200); one.header.Get("Total-Number") != "1" || !strings.Contains(one.header.Get("Link"), "email=ada%40example.com") {
		t.Errorf("%v %s", one.header, one.text)
	}

	verify := func(token, email string) answer {
		t.Helper()
		return f.call("POST", path+"/verify", map[string]any{"token": token, "email": email})
	}
	f.expect(verify(token, "bob@example.com"), 400, "one_time_token.email_mismatch")
	f.expect(verify("nonsense", "bob@example.com"), 404, "one_time_token.token_not_found")
	if used := f.expect(verify(token, "ada@example.com"), 200); used.at("status") != "consumed" || strings.Contains(used.text, token) {
		t.Error(used.text)
	}
	f.expect(verify(token, "ada@example.com"), 400, "one_time_token.token_consumed")
	f.expect(f.call("PUT", path+"/"+id(first)+"/status", map[string]any{"status": "revoked"}), 400, "one_time_token.token_consumed")
	if revoked := f.expect(f.call("PUT", path+"/"+id(second)+"/status", map[string]any{"status": "revoked"}), 200); revoked.at("status") != "revoked" {
		t.Error(revoked.text)
	}
	f.expect(f.call("PUT", path+"/"+id(second)+"/status", map[string]any{"status": "active"}), 400, "guard.invalid_input")
	late := make("eve@example.com")
	f.db.AdvanceForTest(2 * time.Minute)
	lateToken, _ := late.at("token").(string)
	f.expect(verify(lateToken, "eve@example.com"), 400, "one_time_token.token_expired")

	for _, bad := range []map[string]any{
		{"email": "ada@example.com", "expiresIn": 0},
		{"email": "ada@example.com", "expiresIn": 1 << 40},
		{"email": "ada@example.com", "context": map[string]any{"jitOrganizationIds": []string{"o"}}},
		{"email": "ada@example.com", "context": map[string]any{"interactionEvent": "Dance"}},
		{"email": "ada@example.com", "phone": "1"},
		{},
	} {
		f.expect(f.call("POST", path, bad), 400, "guard.invalid_input")
	}
	f.expect(f.call("POST", path, map[string]any{"email": "no address"}), 422, "entity.invalid_input")
	f.expect(f.call("DELETE", path+"/"+id(first), nil), 204)
	f.expect(f.call("GET", path+"/"+id(first), nil), 404, "entity.not_found")
	if strings.Contains(f.log.String(), token) {
		t.Error("a token is in the log")
	}
}

// A token for an owner is as good as being the owner.
func TestOneTimeTokensOfOwners(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.must(f.admin.AddOperator(t.Context(), audit.Command(), "root@example.com", store.RoleOwner))
	make := func(scopes, email string) answer {
		t.Helper()
		return f.callAs(scopes, "POST", "/api/one-time-tokens", map[string]any{"email": email})
	}
	f.expect(make("one-time-tokens:write+users:write", "Root@Example.com"), 403, "auth.forbidden")
	f.expect(make("one-time-tokens:write", "ada@example.com"), 201)
	f.expect(make("all", "root@example.com"), 201)
}

func TestVerificationCodes(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const path = "/api/verification-codes"
	to := map[string]any{"email": "ada@example.com"}
	check := func(code string) answer {
		t.Helper()
		return f.call("POST", path+"/verify", map[string]any{"email": "ada@example.com", "verificationCode": code})
	}
	f.expect(f.callAs("users:write", "POST", path, to), 403, "auth.forbidden")
	f.expect(check("123456"), 400, "verification_code.not_found")
	f.expect(f.call("POST", path, to), 204)
	soon := f.expect(f.call("POST", path, to), 429, "request.rate_limited")
	if soon.header.Get("Retry-After") == "" {
		t.Errorf("no Retry-After: %v", soon.header)
	}
	code := f.mails.last().Code
	f.expect(check(wrongFor(f)), 400, "verification_code.code_mismatch")
	f.expect(check("nonsense"), 400, "verification_code.code_mismatch")
	f.expect(check(code), 204)
	f.expect(check(code), 400, "verification_code.not_found")
	f.expect(f.call("POST", path, map[string]any{"phone": "123"}), 400, "guard.invalid_input")

	f.expect(f.call("POST", path, map[string]any{"email": "bob@example.com"}), 204)
	for range 4 {
		f.expect(f.call("POST", path+"/verify", map[string]any{"email": "bob@example.com", "verificationCode": wrongFor(f)}), 400, "verification_code.code_mismatch")
	}
	for range 2 {
		f.expect(f.call("POST", path+"/verify", map[string]any{"email": "bob@example.com", "verificationCode": wrongFor(f)}), 400, "verification_code.exceed_max_try")
	}

	// Ten wrong ones for an address: short codes are not looked at for a while, a long one is.
	carol := func(code string) answer {
		t.Helper()
		return f.call("POST", path+"/verify", map[string]any{"email": "carol@example.com", "verificationCode": code})
	}
	send := func() { f.expect(f.call("POST", path, map[string]any{"email": "carol@example.com"}), 204) }
	for range 2 {
		send()
		for range 5 {
			carol(wrongFor(f))
		}
	}
	f.db.AdvanceForTest(time.Second)
	send()
	long := f.mails.last().Code
	spent := f.expect(carol("123456"), 429, "verification_code.guesses_spent")
	if wait, err := strconv.Atoi(spent.header.Get("Retry-After")); err != nil || wait < 1 || wait > 3600 {
		t.Errorf("Retry-After %q", spent.header.Get("Retry-After"))
	}
	if len(long) < 26 {
		t.Fatalf("the code is %q", long)
	}
	f.expect(carol(long), 204)
}

func wrongFor(f *fixture) string {
	if f.mails.last().Code == "000000" {
		return "000001"
	}
	return "000000"
}
