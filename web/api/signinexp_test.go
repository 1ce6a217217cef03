package api_test

import (
	"strings"
	"testing"
)

func TestSignInExperience(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const path = "/api/sign-in-exp"
	first := f.expect(f.call("GET", path, nil), 200)
	if first.at("signInMode") != "SignInAndRegister" || first.at("id") != "default" || first.at("customCss") != nil || first.at("mfa", "policy") != "UserControlled" {
		t.Error(first.text)
	}
	f.expect(f.callAs("sign-in-exp:read", "GET", path, nil), 200)
	f.expect(f.callAs("sign-in-exp:read", "PATCH", path, map[string]any{}), 403)

	// The guide's setting, and all that was read, can be sent.
	f.expect(f.call("PATCH", path, `{"signUp":{"identifiers":["email"],"password":false,"verify":true},"signIn":{"methods":[{"identifier":"email","verificationCode":true,"password":false,"isPasswordPrimary":false}]}}`), 200)
	f.expect(f.call("PATCH", path, first.body), 200)

	changed := f.expect(f.call("PATCH", path+"?removeUnusedDemoSocialConnector=true", map[string]any{
		"signInMode": "SignIn", "termsOfUseUrl": "https://shop.example/terms", "agreeToTermsPolicy": "ManualRegistrationOnly",
		"color":    map[string]any{"primaryColor": "#FA0", "isDarkModeEnabled": false, "darkPrimaryColor": "#ffaa00"},
		"branding": map[string]any{"logoUrl": "https://cdn.shop.example/logo.svg"}, "languageInfo": map[string]any{"autoDetect": false, "fallbackLanguage": "ja"},
		"emailBlocklistPolicy":   map[string]any{"blockSubaddressing": true, "customBlocklist": []string{"Bad@Example.com", "bad@example.com", "@*.evil.example"}},
		"verificationCodePolicy": map[string]any{"expirationDuration": 300, "maxRetryAttempts": 3},
		"supportEmail":           "Help@Shop.Example", "customCss": "main{color:red}", "unknownSessionRedirectUrl": "http://localhost:3000/start",
	}), 200)
	if changed.at("color", "primaryColor") != "#ffaa00" || changed.at("supportEmail") != "help@shop.example" ||
		!strings.Contains(changed.text, `"customBlocklist":["bad@example.com","@*.evil.example"]`) || changed.header.Get("ETag") == first.header.Get("ETag") {
		t.Error(changed.text, changed.header)
	}
	cleared := f.expect(f.call("PATCH", path, `{"termsOfUseUrl":null,"customCss":null,"emailBlocklistPolicy":{}}`), 200)
	if cleared.at("termsOfUseUrl") != nil || cleared.at("customCss") != nil || cleared.at("signInMode") != "SignIn" || cleared.at("emailBlocklistPolicy", "customBlocklist") != nil {
		t.Error(cleared.text)
	}
	f.expect(f.call("PATCH", path, map[string]any{"signInMode": "SignIn"}, "If-Match", first.header.Get("ETag")), 412, "entity.changed")
}

func TestSignInExperienceRefuses(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const path = "/api/sign-in-exp"
	before := f.call("GET", path, nil)
	for body, field := range map[string]string{
		`{"signUp":{"identifiers":["username"],"password":false,"verify":true}}`:                   "signUp.identifiers",
		`{"signUp":{"identifiers":["email"],"password":true,"verify":true}}`:                       "signUp.password",
		`{"signUp":{"identifiers":["email"],"password":false,"verify":false}}`:                     "signUp.verify",
		`{"signIn":{"methods":[{"identifier":"phone","verificationCode":true,"password":false}]}}`: "signIn.methods",
		`{"signIn":{"methods":[{"identifier":"email","verificationCode":true,"password":true}]}}`:  "signIn.methods",
		`{"socialSignInConnectorTargets":["google"]}`:                                              "socialSignInConnectorTargets",
		`{"mfa":{"factors":["Totp"],"policy":"Mandatory"}}`:                                        "mfa",
		`{"singleSignOnEnabled":true}`:                                                             "singleSignOnEnabled",
		`{"passwordPolicy":{"length":{"min":4,"max":9}}}`:                                          "passwordPolicy",
		`{"passkeySignIn":{"enabled":true}}`:                                                       "passkeySignIn",
		`{"captchaPolicy":{"enabled":true}}`:                                                       "captchaPolicy",
		`{"branding":{"logoUrl":"javascript:alert(1)"}}`:                                           "branding.logoUrl",
		`{"branding":{"logoUrl":"http://shop.example/logo.png"}}`:                                  "branding.logoUrl",
		`{"branding":{"favicon":"https://shop.example/a.png; script-src *"}}`:                      "branding.favicon",
		`{"branding":{"logoUrl":"https://*.example/logo.png"}}`:                                    "branding.logoUrl",
		`{"branding":{"darkLogoUrl":"https://[::1]/logo.png"}}`:                                    "branding.darkLogoUrl",
		`{"termsOfUseUrl":"/terms"}`:                                                               "termsOfUseUrl",
		`{"unknownSessionRedirectUrl":"https://user@shop.example/"}`:                               "unknownSessionRedirectUrl",
		`{"supportEmail":"nobody"}`:                                                                "supportEmail",
		`{"color":{"primaryColor":"red","isDarkModeEnabled":true,"darkPrimaryColor":"#000000"}}`:   "color.primaryColor",
		`{"languageInfo":{"autoDetect":true,"fallbackLanguage":"tlh"}}`:                            "languageInfo.fallbackLanguage",
		`{"emailBlocklistPolicy":{"customBlocklist":["@ok.example","example.com"]}}`:               "emailBlocklistPolicy.customBlocklist[1]",
		`{"emailBlocklistPolicy":{"customAllowlist":["@*"]}}`:                                      "emailBlocklistPolicy.customAllowlist[0]",
		`{"verificationCodePolicy":{"expirationDuration":900}}`:                                    "verificationCodePolicy.expirationDuration",
		`{"verificationCodePolicy":{"expirationDuration":90}}`:                                     "verificationCodePolicy.expirationDuration",
		`{"verificationCodePolicy":{"maxRetryAttempts":50}}`:                                       "verificationCodePolicy.maxRetryAttempts",
		`{"customCss":"` + strings.Repeat("x", 70<<10) + `"}`:                                      "customCss",
	} {
		got := f.expect(f.call("PATCH", path, body), 422, "entity.invalid_input")
		if !strings.Contains(got.text, `"body.`+field+`"`) {
			t.Errorf("%.80s does not name %s: %s", body, field, got.text)
		}
	}
	for _, body := range []string{`{"signInMod":"SignIn"}`, `{"signInMode":"None"}`, `{"tenantId":"other"}`, `{"color":{"primaryColor":"#000000"}}`, `{"branding":{"logo":"x"}}`} {
		f.expect(f.call("PATCH", path, body), 400, "guard.invalid_input")
	}
	if after := f.call("GET", path, nil); after.text != before.text || after.header.Get("ETag") != before.header.Get("ETag") {
		t.Error(after.text)
	}
}

func TestBlocklist(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const path = "/api/sign-in-exp/email-blocklist"
	if none := f.expect(f.call("GET", path, nil), 200); none.text != "[]\n" || none.header.Get("Total-Number") != "0" {
		t.Error(none.text, none.header)
	}
	for _, pattern := range []string{"@Evil.example", "bad@example.com", "@*.evil.example", "@evil.example"} {
		if added := f.expect(f.call("POST", path, map[string]string{"pattern": pattern}), 201); added.at("pattern") != strings.ToLower(pattern) {
			t.Error(added.text)
		}
	}
	page := f.expect(f.call("GET", path+"?page_size=2&page=2", nil), 200)
	if page.text != `[{"pattern":"bad@example.com"}]`+"\n" || page.header.Get("Total-Number") != "3" {
		t.Error(page.text, page.header)
	}
	if found := f.expect(f.call("GET", path+"?search=EVIL&page_size=1", nil), 200); found.header.Get("Total-Number") != "2" || !strings.Contains(found.header.Get("Link"), "search=EVIL") {
		t.Error(found.text, found.header)
	}
	f.expect(f.call("DELETE", path+"/bad%40example.com", nil), 204)
	f.expect(f.call("DELETE", path+"/bad%40example.com", nil), 404, "entity.not_found")
	f.expect(f.call("DELETE", path+"/nonsense", nil), 404, "entity.not_found")
	f.expect(f.call("DELETE", path+"/%40*.evil.example", nil), 204)
	if bad := f.expect(f.call("POST", path, map[string]string{"pattern": "evil.example"}), 422, "entity.invalid_input"); !strings.Contains(bad.text, `"body.pattern"`) {
		t.Error(bad.text)
	}
	f.expect(f.callAs("sign-in-exp:read", "POST", path, map[string]string{"pattern": "@x.example"}), 403)
	if e := f.expect(f.call("GET", "/api/sign-in-exp", nil), 200); !strings.Contains(e.text, `"customBlocklist":["@evil.example"]`) {
		t.Error(e.text)
	}
}
