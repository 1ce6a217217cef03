package config_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"idp/admin"
	"idp/audit"
	"idp/store"
)

// What can be said in more than one way is no change, however it is said.
func TestSaidInOtherWords(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.env["MAIL_HOST"], f.env["MAIL_PASS"], f.env["SHOP_SECRET"] = "mail.shop.example", "open sesame", strings.Repeat("s0", 16)
	const text = `
roles: [{name: idle, type: MachineToMachine, scopes: {https://default.logto.app/api: []}}]
clients:
  - {id: shopshopshop, name: Shop, type: spa, redirectUris: [https://shop.example/cb], signInExperience: {primaryColor: "#ABC"}}
  - {id: blogblogblog, name: Blog, type: spa, redirectUris: [https://blog.example/cb], signInExperience: {}}
  - {id: nightlyjob, name: Nightly, type: m2m, noPkce: true, secrets: [{name: main, secret: {env: SHOP_SECRET}, expiresAt: 2099-01-02T03:04:05.678901234+02:00}]}
connectors:
  - id: smtp
    config: {host: {env: MAIL_HOST}, port: 587, secure: false, auth: {user: idp, pass: {env: MAIL_PASS}}, fromEmail: no-reply@shop.example}
templates:
  - {templateType: SignIn, languageTag: pt-BR, subject: s, content: "{{ code }}"}
experience:
  color: {primaryColor: "#AbC", isDarkModeEnabled: false, darkPrimaryColor: "#FFAA00"}
  supportEmail: Help@Shop.Example
  emailBlocklistPolicy: {customBlocklist: ["@BAD.example", "@bad.example"]}
`
	f.apply(text, false)
	if again := f.apply(text, false); again != "" {
		t.Errorf("the second time:\n%s", again)
	}
	if again := f.apply(strings.Replace(text, "pt-BR", "pt-br", 1), true); again != "" {
		t.Errorf("in lower case:\n%s", again)
	}
	if export := f.export(); strings.Contains(export, "sesame") || !strings.Contains(export, "expiresAt: 2099-01-02T01:04:05.678901Z") {
		t.Error(export)
	} else if again := f.apply(export, true); again != "" {
		t.Errorf("the export:\n%s", again)
	}
	f.env["MAIL_HOST"] = "mail2.shop.example"
	if shown := f.apply(text, false); !strings.Contains(shown, "config.host") || strings.Contains(shown, "mail2") {
		t.Errorf("another host:\n%s", shown)
	}
}

// What an object of the operator's holds is kept as it is, and each difference is one.
func TestObjects(t *testing.T) {
	t.Parallel()
	f := setup(t)
	before := ""
	for _, data := range []string{
		"{flag: true}", "{flag: false}", "{}", `{a.b: 1}`, `{a: {b: 1}}`, `{a: {}}`, `{a: []}`, `{a: ""}`, "{a: null}", "{n: 9007199254740993}", "{n: 9007199254740992}",
		"{n: 18446744073709551615}", "{n: 1.5}", "{n: 1e300}", "{since: 2026-01-02}", `{"yes": no, "1": "2", "": x}`, `{t: "\x00\e[2J"}`,
	} {
		text := "clients: [{id: shopshopshop, name: Shop, type: spa, redirectUris: [https://shop.example/cb], customData: " + data + "}]"
		if shown := f.apply(text, false); before != "" && shown == "" || strings.ContainsAny(shown, "\x00\x1b") {
			t.Errorf("%s after %s: %q", data, before, shown)
		}
		if again := f.apply(text, false); again != "" {
			t.Errorf("%s again:\n%s", data, again)
		}
		if again := f.apply(f.export(), false); again != "" {
			t.Errorf("the export of %s:\n%s", data, again)
		}
		before = data
	}
	f.apply("clients: [{id: shopshopshop, name: Shop, type: spa, redirectUris: [https://shop.example/cb], customData: {n: 9007199254740993}}]", false)
	f.apply(strings.Replace(f.export(), "name: Shop", "name: Books", 1), false)
	if c, err := f.db.FreshClient(t.Context(), "shopshopshop"); err != nil || string(c.CustomData) != `{"n":9007199254740993}` {
		t.Errorf("%s %v", c.CustomData, err)
	}
}

// Texts of all kinds come back from a file as they were.
func TestTextsSurvive(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, text := range []string{
		"\n\n  begins with lines {{ code }}", " begins with a space\n{{ code }}", "ends\n\n{{ code }}\n\n", "windows\r\n{{ code }}\r\n", "\ttab\t\n{{ code }}",
		"# no comment: {{ code }}", "- no list {{ code }}\n\n  - deeper\n", "\u2028x {{ code }}", "'quotes\" \\ {{ code }} 日本 😀", "trailing  \n {{ code }}  ",
	} {
		_, err := f.in.Admin.SetMailTemplates(t.Context(), audit.Command(), []store.MailTemplate{{Usage: store.UsageSignIn, Locale: "en", Subject: "s", Content: text, ContentType: "text/plain"}})
		f.must(err)
		if again := f.apply(f.export(), true); again != "" {
			t.Errorf("%q:\n%s", text, again)
		}
	}
}

// Hooks may have no name, or one for two: an export tells them apart all the same.
func TestHooksWithoutNames(t *testing.T) {
	t.Parallel()
	f := setup(t)
	for _, name := range []string{"", "", "CRM", "CRM", "other"} {
		_, err := f.in.Admin.CreateHook(t.Context(), audit.Command(), admin.HookForm{Name: name, Events: []string{"User.Created"}, Enabled: true,
			Config: admin.HookConfig{URL: "https://crm.example/" + name, Headers: map[string]string{"A": "1", "B": "2"}}}, "")
		f.must(err)
	}
	export := f.export()
	if again := f.apply(export, true); again != "" || strings.Count(export, "  - id: ") < 4 {
		t.Errorf("%s\n%s", again, export)
	}
	f.refused("hooks: [{name: CRM, url: 'https://crm.example/x', events: [User.Created]}]", "hooks[CRM]", "id")
	f.refused("hooks: [{id: nothing, name: x, url: 'https://crm.example/x', events: [User.Created]}]", "hooks[nothing]", "leave the id out")
	if shown := f.apply(strings.Replace(export, "https://crm.example/CRM", "https://crm.example/new", 1), true); strings.Count(shown, "~ hooks") != 1 {
		t.Error(shown)
	}
}

// An export with references in the place of secrets makes another instance the same.
func TestAnotherInstance(t *testing.T) {
	t.Parallel()
	f, other := setup(t), setup(t)
	f.apply(f.full(), false)
	maps.Copy(other.env, f.env)
	other.env["KEY"] = strings.Repeat("k0", 16)
	export := f.export()
	other.refused(export, "{stored: true}")
	if got := other.apply(strings.ReplaceAll(export, "stored: true", "env: KEY"), false); got == "" {
		t.Error("nothing was done")
	}
	if theirs := other.export(); theirs != export {
		t.Errorf("of the first:\n%s\nof the second:\n%s", export, theirs)
	}
}

// What is in use is found before anything is written.
func TestInUse(t *testing.T) {
	t.Parallel()
	f := setup(t)
	text := f.full()
	f.apply(text, false)
	const less = "resources: [{indicator: https://api.shop.example, name: Shop API, scopes: [{name: 'read:orders'}]}]\nexperience: {signInMode: SignInAndRegister}\n"
	f.refused(less, "resources[https://api.shop.example]", "write:orders", "clerk")
	f.refused("resources: []", "resources[https://api.shop.example]", "the role")
	f.refused("roles: []", "roles[nightly]", "nightlyjob")
	f.refused("roles: []\nclients: [{id: nightlyjob, name: Nightly, type: m2m, roles: [nightly]}]", "roles[nightly]", "nightlyjob")
	f.must(f.db.CreateUser(t.Context(), store.User{ID: "ada12345", Email: "ada@example.com"}))
	roles, _, err := f.db.Roles(t.Context(), store.RoleListing{Listing: store.Listing{Search: "clerk", Limit: 1}})
	f.must(err)
	f.must(f.db.SetUserRoles(t.Context(), "ada12345", []string{roles[0].ID}))
	f.refused("roles: []\nclients: []\nresources: []", "roles[clerk]", "people have it")
}

func TestRefusedWithoutAWrite(t *testing.T) {
	t.Parallel()
	f := setup(t)
	text := f.full()
	f.apply(text, false)
	f.env["IDP_SECRET"] = strings.Repeat("z0", 16)
	client := func(rest string) string {
		return "clients: [{id: shopshopshop, name: Shop, redirectUris: [https://shop.example/callback], type: traditional, " + rest + "}]"
	}
	for file, words := range map[string][]string{
		client(`secrets: [{name: "", secret: {env: SHOP_SECRET}}]`):                                {"name"},
		client(`secrets: [{name: "a\tb", secret: {env: SHOP_SECRET}}]`):                            {"name"},
		client(`secrets: [{name: x, secret: {env: IDP_SECRET}}]`):                                  {"IDP_SECRET"},
		client(`secrets: [{name: x, secret: {file: /dev/zero}}]`):                                  {"bytes"},
		client(`secrets: [{name: main, secret: {stored: true}, expiresAt: 2099-01-01T00:00:00Z}]`): {"expiresAt"},
		client(`roles: [clerk]`):                 {"roles"},
		client(`metadata: {a: .nan}`):            {"line 1", "no number"},
		client(`customData: {1: x}`):             {"line 1", "text"},
		client(`customData: {a: {[x]: y}}`):      {"line 1"},
		client(`customData: {a: !!binary aGk=}`): {"line 1", "binary"},
		client(`customData: [a]`):                {"line 1", "object"},
		client(`customData: &a {a: *a}`):         {"a"},
		"clients: [{id: newclient1, name: N, type: m2m, secrets: [{name: '', secret: {env: KEY}}]}]":    {"KEY"},
		"clients: [{id: nightlyjob, name: Nightly, type: m2m, roles: [clerk]}]":                         {"clerk", "people"},
		"clients: [{id: nightlyjob, name: Nightly, type: m2m, roles: [nightly, nightly]}]":              {"nightly", "twice"},
		"clients: [{id: nightlyjob, id: other}]":                                                        {"line 1", "already defined"},
		"clients: {a: b}":                                                                               {"line 1", "a list"},
		"hooks: [{name: a, retries: many}]":                                                             {"line 1", "a whole number"},
		"experience: {customCss: 5}":                                                                    {"line 1", "customCss", "a text"},
		"experience: {1: x}":                                                                            {"line 1"},
		"connectors: [{id: inbox}]":                                                                     {"inbox", "aws-ses-mail, smtp, http"},
		"connectors: [{id: smtp, config: {host: a.example, auth: {user: u, pass: 12345678}}}]":          {"config.auth.pass", "{env: NAME}"},
		"connectors: [{id: http, config: {url: 'https://u:p@a.example/x'}}]":                            {"config.url", "{env: NAME}"},
		"connectors: [{id: http, config: {url: 'https://a.example/x', signingKey: {env: IDP_SECRET}}}]": {"IDP_SECRET"},
		bomb(): {"aliasing"},
		"experience: " + strings.Repeat("[", 20000): {"depth"},
	} {
		began := time.Now()
		f.refused(file, words...)
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%.80s: took %s", file, took)
		}
	}
	// A secret in the wrong place is not told back.
	for _, file := range []string{"clients: [{id: a, secrets: sesame}]", "hooks: [{name: a, events: sesame}]", "hooks: sesame", "connectors: [{id: smtp, config: sesame}]",
		"clients: [{id: a, secrets: [{name: x, secret: sesame}]}]", "clients: [{id: a, secrets: [{name: x, expiresAt: sesame}]}]", "hooks: [{name: a, retries: ' in type sesame'}]"} {
		if _, err := f.plan(file, false); err == nil || strings.Contains(err.Error(), "sesa") || strings.Contains(err.Error(), "config.") {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// bomb is a billion values in a few lines.
func bomb() string {
	var b strings.Builder
	b.WriteString("clients:\n  - id: shopshopshop\n    customData:\n      a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "      a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String()
}
