package attack_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"idp/e2e/rig"
)

// loot is one of each kind of token that an account and an app have.
type loot struct {
	id, opaque, refresh, jwt, code string
	request                        rig.Request // of the code
}

// loot signs somebody in to a client, again and again, with all that there is to be had.
func (b *browser) loot(c rig.Client, resource string) (l loot) {
	b.t.Helper()
	s := b.at.replicas[0]
	code := func(change ...string) (rig.Request, string) {
		r := s.Request(c, change...)
		return r, b.send(r.Path(), nil).authorizationCode(b.t)
	}
	r, one := code("scope", rig.Offline)
	tok := s.Redeem(r, one)
	l.id, l.opaque, l.refresh = tok.IDToken, tok.AccessToken, tok.RefreshToken
	r, one = code("resource", resource, "scope", "openid read:orders")
	l.jwt = s.Token(url.Values{"grant_type": {"authorization_code"}, "code": {one}, "redirect_uri": {rig.Callback}, "code_verifier": {r.Verifier}, "resource": {resource}}, c).AccessToken
	l.request, l.code = code()
	if l.id == "" || l.opaque == "" || l.refresh == "" || strings.Count(l.jwt, ".") != 2 {
		b.t.Fatalf("no token of each kind: %+v", l)
	}
	return l
}

// Each token is good for one thing, for one client; nothing that looks like one is good for
// anything.
func TestTokenConfusion(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		const orders = "https://api.shop.example"
		s := at.replicas[0]
		at.filled()
		ada := at.account("ada@example.com")
		shop, other := at.app, s.NewClient("--type", "traditional", "--redirect-uri", rig.Callback)
		machine := s.Machine()
		mine, theirs := ada.loot(shop, orders), ada.loot(other, orders)
		management := s.ManagementToken(machine)
		all := map[string]string{"an ID token": mine.id, "an opaque access token": mine.opaque, "a refresh token": mine.refresh, "a signed access token": mine.jwt, "a code": mine.code,
			"the management API's token": management, "a session": ada.cookie("idp_session"), "a browser's secret": ada.cookie("idp_browser"), "nothing": "", "a form's token": ada.tokens()}
		maps.Copy(all, forged(t, at, mine, management))

		for name, token := range all {
			if status, _ := s.Userinfo(token); (status == http.StatusOK) != (token == mine.opaque) {
				t.Errorf("userinfo, with %s: %d", name, status)
			}
			if a := ada.raw(http.MethodGet, "/api/users", "", "Authorization", "Bearer "+token); (a.status == http.StatusOK) != (token == management) {
				t.Errorf("the management API, with %s: %d", name, a.status)
			}
			for who, c := range map[string]rig.Client{"another app": other, "a machine": machine} {
				if s.Active(c, token) && (token != management || who != "a machine") {
					t.Errorf("introspection tells %s of %s", who, name)
				}
			}
			if s.Active(shop, token) && token != mine.opaque && token != mine.refresh && token != mine.jwt {
				t.Errorf("introspection takes %s", name)
			}
			for _, c := range []rig.Client{shop, other} {
				for grant, form := range map[string]url.Values{
					"refresh_token":      {"refresh_token": {token}},
					"authorization_code": {"code": {token}, "redirect_uri": {rig.Callback}, "code_verifier": {mine.request.Verifier}},
					"urn:ietf:params:oauth:grant-type:jwt-bearer":     {"assertion": {token}},
					"urn:ietf:params:oauth:grant-type:token-exchange": {"subject_token": {token}, "subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"}},
				} {
					if token == mine.refresh && grant == "refresh_token" && c.ID == shop.ID || token == mine.code && grant == "authorization_code" && c.ID == shop.ID {
						continue // that is what they are for
					}
					form.Set("grant_type", grant)
					if status, body := s.Call(c, "/oidc/token", form); status == http.StatusOK {
						t.Errorf("%s takes %s: %v", grant, name, body)
					}
				}
				if token != mine.opaque && token != mine.refresh && c.ID == other.ID { // revoking what one does not have does nothing
					s.Call(c, "/oidc/token/revocation", url.Values{"token": {token}})
				}
			}
			if name != "an ID token" {
				if a := ada.send("/oidc/auth?"+s.Request(shop, "id_token_hint", token, "prompt", "none").Params.Encode(), nil); token != "" && !strings.Contains(a.to, "error=invalid_request") {
					t.Errorf("%s is a hint: %s", name, a.to)
				}
				a := ada.send("/oidc/session/end?"+url.Values{"id_token_hint": {token}, "post_logout_redirect_uri": {rig.Goodbye}}.Encode(), nil)
				if strings.HasPrefix(a.to, "https://") {
					t.Errorf("%s signs out by itself: %s", name, a)
				}
			}
		}
		// Another app's tokens, as one's own.
		for name, token := range map[string]string{"access": theirs.opaque, "refresh": theirs.refresh} {
			if s.Active(shop, token) {
				t.Errorf("introspection tells an app of another one's %s token", name)
			}
			s.Call(shop, "/oidc/token/revocation", url.Values{"token": {token}})
			if !s.Active(other, token) {
				t.Errorf("an app has revoked another one's %s token", name)
			}
		}
		// None of it has burnt anything.
		if !ada.isIn("ada@example.com") {
			t.Error("a confused token has signed her out")
		}
		if tok := s.Redeem(mine.request, mine.code); tok.Status != http.StatusOK {
			t.Errorf("the code is used up: %+v", tok)
		}
		if refresh, access := s.Refresh(shop, mine.refresh); access == "" {
			t.Errorf("the refresh token is used up: %q", refresh)
		}
		if _, access := s.Refresh(other, theirs.refresh); access == "" {
			t.Error("the other app's refresh token is used up")
		}
	})
}

// forged are tokens that nobody has signed who may: of all claims that a good one has.
func forged(t *testing.T, at *target, mine loot, management string) map[string]string {
	t.Helper()
	var set jose.JSONWebKeySet
	keys := at.browser().send("/oidc/jwks", nil).body
	if err := json.Unmarshal([]byte(keys), &set); err != nil || len(set.Keys) == 0 {
		t.Fatalf("keys: %v %s", err, keys)
	}
	evil, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	evilJWK := jose.JSONWebKey{Key: evil.Public(), KeyID: "evil"}
	all := map[string]string{}
	for kind, good := range map[string]string{"management": management, "ID": mine.id, "API": mine.jwt} {
		parts := strings.Split(good, ".")
		header, claims := decoded(t, parts[0]), decoded(t, parts[1])
		put := func(name string, change map[string]any, sign func(input string) string) {
			h := maps.Clone(header)
			for k, v := range change {
				h[k] = v
			}
			input := encoded(h) + "." + encoded(claims)
			all[kind+" token, "+name] = input + "." + sign(input)
		}
		none := func(string) string { return "" }
		byEvil := func(input string) string {
			sum := sha256.Sum256([]byte(input))
			r, s, err := ecdsa.Sign(rand.Reader, evil, sum[:])
			if err != nil {
				t.Fatal(err)
			}
			return base64.RawURLEncoding.EncodeToString(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
		}
		by := func(secret []byte) func(string) string {
			return func(input string) string {
				mac := hmac.New(sha256.New, secret)
				mac.Write([]byte(input))
				return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
			}
		}
		for _, alg := range []string{"none", "None", "NONE", ""} {
			put("alg "+alg, map[string]any{"alg": alg}, none)
			put("alg "+alg+" with the good signature", map[string]any{"alg": alg}, func(string) string { return parts[2] })
		}
		for i, k := range set.Keys {
			public, err := json.Marshal(k)
			if err != nil {
				t.Fatal(err)
			}
			der, err := x509.MarshalPKIXPublicKey(k.Key)
			if err != nil {
				t.Fatal(err)
			}
			for j, secret := range [][]byte{public, der, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), []byte(k.KeyID), {}} {
				put("HS256 by public key "+string(rune('0'+i))+string(rune('0'+j)), map[string]any{"alg": "HS256", "kid": k.KeyID}, by(secret))
			}
		}
		zeros := strings.Repeat("A", 86)
		for name, change := range map[string]map[string]any{
			"a key of its own": {"jwk": evilJWK}, "a key of its own, by its name": {"jwk": evilJWK, "kid": "evil"}, "a key from elsewhere": {"jku": "https://evil.example/jwks", "kid": "evil"},
			"a chain from elsewhere": {"x5u": "https://evil.example/x5u"}, "no kid": {"kid": ""}, "a path for kid": {"kid": "../../../../dev/null"}, "SQL for kid": {"kid": "x' UNION SELECT 'AAAA' --"}, "NUL for kid": {"kid": "\x00"},
			"crit": {"crit": []string{"exp"}}, "b64": {"b64": false, "crit": []string{"b64"}},
		} {
			put(name, change, byEvil)
		}
		put("an empty signature", nil, none)
		put("a signature of zeros", nil, func(string) string { return zeros }) // CVE-2022-21449
		for _, typ := range []string{"at+jwt", "JWT", "", "application/at+jwt", "logout+jwt"} {
			put("typ "+typ+" under the good signature", map[string]any{"typ": typ + " "}, func(string) string { return parts[2] })
		}
		other := maps.Clone(claims)
		other["sub"], other["aud"], other["scope"], other["exp"] = "eve", "https://default.logto.app/api", "all", 9999999999
		all[kind+" token, other claims"] = parts[0] + "." + encoded(other) + "." + parts[2]
		all[kind+" token, cut"] = good[:len(good)-5]
		all[kind+" token, a line break in it"] = parts[0] + "." + parts[1] + "." + parts[2][:10] + " " + parts[2][10:]
		all[kind+" token, twice"] = good + "." + parts[2]
	}
	return all
}

func decoded(t *testing.T, part string) (m map[string]any) {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func encoded(m map[string]any) string {
	return base64.RawURLEncoding.EncodeToString(rig.Must(json.Marshal(m)))
}
