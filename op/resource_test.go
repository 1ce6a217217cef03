package op_test

import (
	"crypto/ecdsa"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/store"
)

const (
	orders = "https://orders.example/api"
	stock  = "https://stock.example/api"
)

// shops registers two APIs, and a role that lets people read orders and stock.
func (f *fixture) shops() {
	f.Helper()
	for _, r := range []store.Resource{{ID: "orders", Name: "Orders", Indicator: orders, AccessTTL: 10 * time.Minute}, {ID: "stock", Name: "Stock", Indicator: stock, AccessTTL: time.Hour}} {
		f.must(f.db.CreateResource(f.Context(), r))
		for _, name := range []string{"read", "write", "profile"} {
			f.must(f.db.CreateScope(f.Context(), store.Scope{ID: r.ID + name, Resource: r.ID, Name: name}))
		}
	}
	f.must(f.db.CreateRole(f.Context(), store.Role{ID: "clerk", Name: "Clerk", Type: store.UserRole}, []string{"ordersread", "stockread", "stockwrite"}))
	f.must(f.db.CreateRole(f.Context(), store.Role{ID: "reader", Name: "A reader", Type: store.UserRole}, []string{"ordersread"}))
}

// enterFor signs ada in with a request for both APIs, and gives the code.
func (f *fixture) enterFor(changes ...string) string {
	f.Helper()
	f.session = store.Hash{}
	n := len(f.begun)
	v := params(append([]string{"scope", "openid offline_access roles read write"}, changes...)...)
	v["resource"] = []string{orders, stock, orders, "urn:logto:resource:organizations"}
	f.get("/oidc/auth?" + v.Encode())
	if len(f.begun) != n+1 {
		f.Fatalf("no page: %+v", f.refused)
	}
	finish := f.signInAs("ada@example.com", f.begun[n])
	f.session = finish.Completion.Session.Hash
	return query(f.T, finish.Redirect).Get("code")
}

// ada gives her roles.
func (f *fixture) ada(roles ...string) (id string) {
	f.Helper()
	id = payload(f.T, f.tokens(f.exchange(f.enter("ada@example.com"))).ID)["sub"].(string)
	f.must(f.db.SetUserRoles(f.Context(), id, roles))
	return id
}

func TestResourceTokens(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*fixture{"sqlite": setup(t), "postgres": setupOnPostgres(t)} {
		t.Run(name, func(t *testing.T) {
			f.T = t
			f.shops()
			ada := f.ada("clerk", "reader")
			first := f.tokens(f.exchange(f.enterFor(), "resource", orders))
			header, claims := parts(t, first.Access)
			if header["typ"] != "at+jwt" || first.Expires != 600 || *first.Scope != "read" || claims["exp"].(float64)-claims["iat"].(float64) != 600 {
				t.Errorf("%v %v %+v", header, claims, first)
			}
			for claim, want := range map[string]any{"iss": f.provider.Issuer(), "sub": ada, "client_id": "shop", "aud": orders, "scope": "read"} {
				if claims[claim] != want {
					t.Errorf("%s is %v, want %v", claim, claims[claim], want)
				}
			}
			id := payload(t, first.ID)
			if roles, _ := json.Marshal(id["roles"]); string(roles) != `["A reader","Clerk"]` || id["aud"] != "shop" {
				t.Errorf("ID token %v", id)
			}
			second := f.tokens(f.refresh(first.Refresh, "resource", stock))
			if claims := payload(t, second.Access); claims["aud"] != stock || claims["scope"] != "read write" || *second.Scope != "read write" || second.Refresh != first.Refresh || second.Expires != 3600 {
				t.Errorf("%v %+v", claims, second)
			}
			if got := f.tokens(f.refresh(first.Refresh, "resource", stock, "scope", "write everything profile")); *got.Scope != "write" {
				t.Errorf("a narrower one: %+v", got)
			}
			plain := f.tokens(f.refresh(first.Refresh))
			if *plain.Scope != "openid offline_access roles" || len(plain.Access) != 64 {
				t.Errorf("%+v", plain)
			}
			var info map[string]any
			f.must(json.NewDecoder(f.get("/oidc/me", "Authorization", "Bearer "+plain.Access).Body).Decode(&info))
			if roles, _ := json.Marshal(info["roles"]); string(roles) != `["A reader","Clerk"]` {
				t.Errorf("userinfo %v", info)
			}
			// Tokens for resources take no other's place.
			for range 3 {
				f.tokens(f.refresh(first.Refresh, "resource", orders))
			}
			if got := f.get("/oidc/me", "Authorization", "Bearer "+plain.Access).StatusCode; got != http.StatusOK {
				t.Error(got)
			}
			// A role that is taken away is missed in the next token.
			f.must(f.db.SetUserRoles(t.Context(), ada, []string{"reader"}))
			if got := f.tokens(f.refresh(first.Refresh, "resource", stock)); *got.Scope != "" || payload(t, got.Access)["scope"] != "" {
				t.Errorf("%+v", got)
			}
			// A public client's token is replaced for a resource as well, and its twin has the same.
			spa := f.spa()
			one := f.tokens(f.exchange(f.enterFor("client_id", "spa"), spa...))
			two := f.tokens(f.refresh(one.Refresh, append(spa, "resource", orders)...))
			twin := f.tokens(f.refresh(one.Refresh, append(spa, "resource", orders)...))
			if two.Refresh == one.Refresh || twin.Refresh != two.Refresh {
				t.Error("not one successor")
			}
			f.db.AdvanceForTest(time.Minute)
			fails(t, f.refresh(one.Refresh, append(spa, "resource", orders)...), 400, "invalid_grant")
			fails(t, f.refresh(two.Refresh, append(spa, "resource", orders)...), 400, "invalid_grant")
		})
	}
}

func TestResourceRefusals(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.shops()
	f.ada("clerk")
	f.session = store.Hash{}
	for _, odd := range []string{"https://unknown.example", "\x00", "\xff", "orders", strings.Repeat("x", 3000), "https://orders.example/api/"} {
		r := f.authorize("resource", odd)
		if got := query(t, r.Header.Get("Location")); got.Get("error") != "invalid_target" || got.Get("state") != "st" || got.Get("iss") == "" {
			t.Errorf("%.20q: %v", odd, got)
		}
	}
	many := params()
	for range 30 {
		many["resource"] = append(many["resource"], orders) // one, named often
	}
	if r := f.get("/oidc/auth?" + many.Encode()); r.StatusCode != http.StatusOK {
		t.Error(r.StatusCode)
	}
	code := f.enter("ada@example.com", "resource", stock, "scope", offline+" read")
	both := url.Values{"resource": {orders, stock}}.Encode()
	fails(t, f.exchange(code, "resource", orders), 400, "invalid_target")
	fails(t, f.exchange(code, "resource", "https://unknown.example"), 400, "invalid_target")
	fails(t, f.do("POST", "/oidc/token", exchangeForm(code)+"&"+both), 400, "invalid_target")
	fails(t, f.exchange(s256, "resource", stock), 400, "invalid_grant")
	tok := f.tokens(f.exchange(code)) // none of it spent the code
	fails(t, f.refresh(tok.Refresh, "resource", orders), 400, "invalid_target")
	fails(t, f.do("POST", "/oidc/token", refreshForm(tok.Refresh)+"&"+both), 400, "invalid_target")
	f.tokens(f.refresh(tok.Refresh, "resource", stock))
	fails(t, f.exchange(code, "resource", stock), 400, "invalid_grant") // a replay ends the grant also with a resource
	fails(t, f.refresh(tok.Refresh, "resource", stock), 400, "invalid_grant")
	// A resource that is gone.
	tok = f.tokens(f.exchange(f.enter("ada@example.com", "resource", orders, "scope", offline)))
	f.must(f.db.SetRoleScopes(t.Context(), "clerk", nil, time.Time{}))
	f.must(f.db.SetRoleScopes(t.Context(), "reader", nil, time.Time{}))
	f.must(f.db.DeleteResource(t.Context(), "orders", time.Time{}))
	fails(t, f.refresh(tok.Refresh, "resource", orders), 400, "invalid_target")
	f.tokens(f.refresh(tok.Refresh))
}

// An access token for a resource is good there, and for nothing here.
func TestResourceTokensHere(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.client(store.Client{ID: "other", Type: store.Traditional, PKCE: true})
	f.shops()
	ada := f.ada("clerk")
	tok := f.tokens(f.exchange(f.enterFor(), "resource", stock))
	if r := f.get("/oidc/me", "Authorization", "Bearer "+tok.Access); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("userinfo: %d", r.StatusCode)
	}
	if got := query(t, f.authorize("prompt", "none", "id_token_hint", tok.Access).Header.Get("Location")); got.Get("error") != "invalid_request" {
		t.Errorf("as a hint: %v", got)
	}
	fails(t, f.refresh(tok.Access), 400, "invalid_grant")

	told := f.introspect(tok.Access)
	if told["active"] != true || told["aud"] != stock || told["scope"] != "read write" || told["sub"] != ada || told["client_id"] != "shop" || told["jti"] == nil {
		t.Errorf("%v", told)
	}
	if told := f.introspect(tok.Access, "client_id", "other"); len(told) != 1 || told["active"] != false {
		t.Errorf("to another client: %v", told)
	}
	revoke := func(client string) *http.Response {
		return f.tokenCall("revocation", tok.Access, "client_id", client)
	}
	fails(t, revoke("shop"), 400, "unsupported_token_type")
	fails(t, revoke("other"), 400, "invalid_request")
	f.revoke(tok.Refresh)
	if told := f.introspect(tok.Access); told["active"] != false {
		t.Errorf("of a revoked grant: %v", told)
	}
	f.db.AdvanceForTest(time.Hour)
	if r := revoke("shop"); r.StatusCode != http.StatusOK {
		t.Errorf("an expired one: %d", r.StatusCode)
	}
	f.robot("robot", managementRole)
	if told := f.introspect(f.tokens(f.credentials()).Access, "client_id", "robot"); told["active"] != true || told["sub"] != "robot" {
		t.Errorf("a machine's: %v", told)
	}
}

// The management API takes a machine's access token for itself, and nothing else that looks
// like one.
func TestForgedMachineTokens(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.shops()
	f.robot("robot", managementRole)
	f.must(f.db.AddRoleScopes(t.Context(), "clerk", []string{store.ManagementScope}))
	f.ada("clerk")
	good := f.tokens(f.credentials()).Access
	kid, signer := f.signingKey("ES256")
	ours := signer.(*ecdsa.PrivateKey)
	header, claims := parts(t, good)
	takes := func(token string) bool {
		t.Helper()
		_, _, err := f.provider.Machine(t.Context(), token, store.ManagementIndicator)
		if err != nil && store.CodeOf(err) != store.Invalid {
			t.Error(err)
		}
		return err == nil
	}
	if header["kid"] != kid || !takes(good) || !takes(compact(t, header, claims, byES256(ours))) {
		t.Fatal("a token made as ours are is refused: all below says nothing")
	}
	forged, visits := forgeries(t, ours, header, claims)
	genuine := byES256(ours)
	v := params("scope", "openid offline_access all", "resource", store.ManagementIndicator)
	f.session = store.Hash{}
	f.get("/oidc/auth?" + v.Encode())
	person := f.tokens(f.exchange(query(t, f.signInAs("ada@example.com", f.begun[len(f.begun)-1]).Redirect).Get("code"), "resource", store.ManagementIndicator))
	if *person.Scope != "all" {
		t.Fatalf("%+v", person)
	}
	for name, token := range map[string]string{
		"a person's":               person.Access,
		"an ID token":              person.ID,
		"a refresh token":          person.Refresh,
		"an opaque access token":   f.tokens(f.refresh(person.Refresh)).Access,
		"of another resource":      f.tokens(f.credentials("resource", orders)).Access,
		"nothing":                  "",
		"dots":                     "..",
		"an ID token's typ":        compact(t, with(header, "typ", "JWT"), claims, genuine),
		"no typ":                   compact(t, with(header, "typ", nil), claims, genuine),
		"a media type as typ":      compact(t, with(header, "typ", "application/at+jwt"), claims, genuine),
		"another issuer":           compact(t, header, with(claims, "iss", "https://evil.example/oidc"), genuine),
		"no issuer":                compact(t, header, with(claims, "iss", nil), genuine),
		"another audience":         compact(t, header, with(claims, "aud", orders), genuine),
		"a longer audience":        compact(t, header, with(claims, "aud", store.ManagementIndicator+"/"), genuine),
		"a list of audiences":      compact(t, header, with(claims, "aud", []string{store.ManagementIndicator}), genuine),
		"no audience":              compact(t, header, with(claims, "aud", nil), genuine),
		"no client":                compact(t, header, with(claims, "client_id", nil), genuine),
		"another client":           compact(t, header, with(claims, "client_id", "nobody", "sub", "nobody"), genuine),
		"a website as the machine": compact(t, header, with(claims, "client_id", "shop", "sub", "shop"), genuine),
		"a person as the machine":  compact(t, header, with(claims, "sub", payload(t, person.ID)["sub"]), genuine),
		"no subject":               compact(t, header, with(claims, "sub", nil), genuine),
		"expired":                  compact(t, header, with(claims, "exp", float64(time.Now().Add(-time.Second).Unix())), genuine),
		"without an end":           compact(t, header, with(claims, "exp", nil), genuine),
		"an end that is text":      compact(t, header, with(claims, "exp", "never"), genuine),
		"older than its client":    compact(t, header, with(claims, "iat", 1), genuine),
	} {
		forged[name] = token
	}
	for name, token := range forged {
		if takes(token) {
			t.Errorf("taken: %s", name)
		}
	}
	if visits.Load() > 0 {
		t.Error("a key was fetched from where the token said")
	}
	// More scope than the roles give is not believed.
	if _, scopes, err := f.provider.Machine(t.Context(), compact(t, header, with(claims, "scope", "all users:read"), genuine), store.ManagementIndicator); err != nil || !slices.Equal(scopes, []string{"all"}) {
		t.Error(scopes, err)
	}
}

// Who registers has the default roles; who was there before, or comes again, gets none.
func TestDefaultRoles(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*fixture{"sqlite": setup(t), "postgres": setupOnPostgres(t)} {
		f.ada()
		for _, r := range []store.Role{{ID: "guest", Name: "Guest", Type: store.UserRole, Default: true}, {ID: "other", Name: "Other", Type: store.UserRole}} {
			f.must(f.db.CreateRole(t.Context(), r, nil))
		}
		roles := func(email store.Email) string {
			got, _ := json.Marshal(payload(t, f.tokens(f.exchange(f.enter(email, "scope", "openid roles"))).ID)["roles"])
			return string(got)
		}
		if got := roles("ada@example.com"); got != `[]` {
			t.Errorf("%s: %s", name, got)
		}
		if got := roles("bob@example.com"); got != `["Guest"]` {
			t.Errorf("%s: %s", name, got)
		}
		if got := roles("bob@example.com"); got != `["Guest"]` {
			t.Errorf("%s: %s", name, got)
		}
		if got := payload(t, f.tokens(f.exchange(f.enter("bob@example.com"))).ID); got["roles"] != nil {
			t.Errorf("%s: roles that were not asked for: %v", name, got)
		}
	}
}
