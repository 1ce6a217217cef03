package config_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"idp/admin"
	"idp/audit"
	"idp/config"
	"idp/keyring"
	"idp/mailer"
	"idp/mailer/httpmail"
	"idp/mailer/ses"
	"idp/mailer/smtp"
	"idp/store"
	"idp/store/sqlite"
	"idp/store/sqlitetest"
	"idp/store/sqlstore"
)

// fixture is an instance over a real SQLite.
type fixture struct {
	*testing.T
	db  *sqlstore.DB
	in  config.Instance
	env map[string]string
}

func setup(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, env: map[string]string{}}
	engine, err := sqlite.Open(t.Context(), sqlitetest.File(t), sqlite.Options{})
	f.must(err)
	f.must(engine.Migrate(t.Context()))
	f.db = sqlstore.New(engine)
	f.must(f.db.Start(t.Context()))
	t.Cleanup(func() { _ = f.db.Close() })
	ring, err := keyring.New([]byte("0123456789abcdef0123456789abcdef"))
	f.must(err)
	service, err := admin.New(admin.Deps{Store: f.db, Book: audit.New(ring, f.db.Now), Ring: ring,
		Senders: mailer.Kinds{"http": httpmail.New, ses.ID: ses.Factory(ses.Options{}), smtp.ID: smtp.New}})
	f.must(err)
	f.in = config.Instance{Admin: service, By: audit.Command(), Getenv: func(name string) string { return f.env[name] }}
	return f
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) plan(text string, prune bool) (*config.Plan, error) {
	f.Helper()
	file, err := config.Read(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	return f.in.Plan(f.Context(), file, prune)
}

// apply applies a file, and gives what was printed of its plan.
func (f *fixture) apply(text string, prune bool) string {
	f.Helper()
	p, err := f.plan(text, prune)
	f.must(err)
	f.must(p.Apply(f.Context(), func(config.Change) {}))
	return printed(p)
}

func printed(p *config.Plan) string {
	var b strings.Builder
	_ = p.Print(&b)
	return b.String()
}

func (f *fixture) export() string {
	f.Helper()
	file, err := f.in.Load(f.Context())
	f.must(err)
	var b strings.Builder
	f.must(file.Write(&b))
	return b.String()
}

// refused fails the test unless a file is refused with words, and nothing of it is done.
func (f *fixture) refused(text string, words ...string) {
	f.Helper()
	before := f.export()
	_, err := f.plan(text, true)
	if err == nil {
		f.Errorf("not refused: %s", text)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			f.Errorf("%q does not say %q", err, w)
		}
	}
	if f.export() != before {
		f.Error("something was written")
	}
}

const full = `
resources:
  - indicator: https://api.shop.example
    name: Shop API
    accessTokenTtl: 600
    scopes:
      - {name: "read:orders", description: Look at orders}
      - {name: "write:orders"}
roles:
  - name: clerk
    description: Looks after orders
    isDefault: true
    scopes: {https://api.shop.example: ["write:orders", "read:orders"]}
  - name: nightly
    type: MachineToMachine
    scopes:
      https://api.shop.example: ["read:orders"]
      https://default.logto.app/api: ["users:read"]
clients:
  - id: shopshopshop
    name: Shop
    type: traditional
    redirectUris: [https://shop.example/callback]
    postLogoutRedirectUris: [https://shop.example]
    idTokenAlg: RS256
    signInExperience: {displayName: The Shop, primaryColor: "#aa3300"}
    customData: {team: books, tier: 2}
    secrets:
      - {name: main, secret: {env: SHOP_SECRET}}
  - id: nightlyjob
    name: Nightly
    type: m2m
    roles: [nightly]
    secrets:
      - {name: main, secret: {env: JOB_SECRET}}
connectors:
  - id: smtp
    config: {host: mail.shop.example, port: 587, auth: {type: login, user: idp, pass: {env: SMTP_PASS}}, fromEmail: Shop <no-reply@shop.example>}
  - id: http
    config: {url: https://mail.shop.example/hook, signingKey: {file: KEYFILE}}
templates:
  - templateType: SignIn
    languageTag: en
    subject: Sign in to {{ application.name }}
    content: <p>Your code is {{ code }}</p>
experience:
  signInMode: SignIn
  color: {primaryColor: "#112233", isDarkModeEnabled: false, darkPrimaryColor: "#ffaa00"}
  emailBlocklistPolicy: {customBlocklist: ["@bad.example"]}
hooks:
  - name: CRM
    url: https://crm.shop.example/idp
    events: [User.Created, PostSignIn]
    headers: {X-Shop: books, Authorization: {env: CRM_TOKEN}}
    signingKey: {env: CRM_KEY}
`

func (f *fixture) full() string {
	f.Helper()
	key := filepath.Join(f.TempDir(), "key")
	f.must(os.WriteFile(key, []byte("0123456789abcdef0123456789abcdef\n"), 0o600))
	for _, name := range []string{"SHOP_SECRET", "JOB_SECRET", "SMTP_PASS", "CRM_TOKEN", "CRM_KEY"} {
		f.env[name] = strings.Repeat(strings.ToLower(name[:1])+"0", 16)
	}
	return strings.Replace(full, "KEYFILE", key, 1)
}

// A file makes everything; applied again, and exported and applied, it changes nothing.
func TestApply(t *testing.T) {
	t.Parallel()
	f := setup(t)
	text := f.full()
	shown := f.apply(text, false)
	for _, want := range []string{"+ resources[https://api.shop.example]", "+ clients[shopshopshop]", "+ connectors[smtp]", "~ connectors[order]", "~ experience", "+ hooks[CRM]"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the plan lacks %q:\n%s", want, shown)
		}
	}
	for name, secret := range f.env {
		if strings.Contains(shown, secret) || strings.Contains(f.export(), secret) {
			t.Errorf("%s is shown", name)
		}
	}
	if again := f.apply(text, true); again != "" {
		t.Errorf("the second time:\n%s", again)
	}
	export := f.export()
	if again := f.apply(export, true); again != "" {
		t.Errorf("of the export:\n%s\n%s", again, export)
	}
	roles, _, err := f.db.ClientRoles(t.Context(), "nightlyjob", store.Listing{Limit: 10})
	f.must(err)
	if len(roles) != 1 || roles[0].Name != "nightly" {
		t.Errorf("roles %v", roles)
	}
	c, err := f.db.FreshClient(t.Context(), "shopshopshop")
	f.must(err)
	if len(c.Secrets) != 1 || c.Secrets[0].Hash != store.HashOf([]byte(f.env["SHOP_SECRET"])) || c.Experience.DisplayName != "The Shop" {
		t.Errorf("client %+v", c)
	}
	if !strings.Contains(export, "stored: true") || strings.Contains(export, admin.Mask) {
		t.Errorf("export:\n%s", export)
	}
	for _, kind := range []string{"resource.created", "role.created", "client.created", "connector.created", "mail_template.set", "experience.updated", "hook.created"} {
		if f.count(kind) == 0 {
			t.Errorf("the audit log does not tell of %s", kind)
		}
	}
}

func (f *fixture) count(kind string) int {
	f.Helper()
	events, err := f.in.Admin.LogsBefore(f.Context(), store.EventFilter{Kind: kind}, store.EventPlace{}, 100)
	f.must(err)
	return len(events)
}

// What differs is changed, and nothing else; what a file does not list stays unless that is
// wanted otherwise.
func TestChanges(t *testing.T) {
	t.Parallel()
	f := setup(t)
	text := f.full()
	f.apply(text, false)
	if shown := f.apply("experience:\n  signInMode: SignIn\n", false); !strings.Contains(shown, `color.primaryColor: "#112233" -> "#3b4bc8"`) || strings.Contains(shown, "signInMode") {
		t.Errorf("fields that are not there have their defaults:\n%s", shown)
	}
	f.env["SMTP_PASS"] = "anotherpassword"
	changed := strings.NewReplacer("accessTokenTtl: 600", "accessTokenTtl: 900", `      - {name: "write:orders"}`+"\n", "", `["write:orders", "read:orders"]`, `["read:orders"]`,
		"[https://shop.example/callback]", "[https://shop.example/callback, https://shop.example/other]").Replace(text)
	shown := f.apply(changed, false)
	for _, want := range []string{
		"accessTokenTtl: 600 -> 900", "write:orders", `+ "https://shop.example/other"`, "~ connectors[smtp]", "secrets: \"(changed)\"",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("the plan lacks %q:\n%s", want, shown)
		}
	}
	if strings.Contains(shown, "templates") || strings.Contains(shown, "connectors[http]") || strings.Contains(shown, "anotherpassword") {
		t.Errorf("the plan has too much:\n%s", shown)
	}
	if again := f.apply(changed, false); again != "" {
		t.Errorf("again:\n%s", again)
	}
	few := "connectors:\n  - id: http\n    config: {url: https://mail.shop.example/hook, signingKey: {stored: true}}\nresources: []\nroles: []\nclients: []\n"
	if shown := f.apply(few, false); !strings.Contains(shown, "? roles[clerk] is not in the file") || !strings.Contains(shown, "? connectors[smtp]") {
		t.Errorf("what is not listed:\n%s", shown)
	}
	if shown := f.apply(few, true); !strings.Contains(shown, "- connectors[smtp]") || !strings.Contains(shown, "- resources[https://api.shop.example]") {
		t.Errorf("pruned:\n%s", shown)
	}
	export := f.export()
	if strings.Contains(export, "clerk") || strings.Contains(export, "shopshopshop") || !strings.Contains(export, "CRM") {
		t.Errorf("left:\n%s", export)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	f := setup(t)
	text := f.full()
	for file, words := range map[string][]string{
		"":                                {"empty"},
		"clients: [{nam: x}]":             {"line 1", "nam"},
		"things: []":                      {"things"},
		"clients: []\n---\na: 1":          {"more than one document"},
		"experience: {signInMod: SignIn}": {"line 1", "signInMod"},
		"connectors:\n  - id: smtp\n    config: {host: h, auth: {user: u, pass: open}}":                                                    {"connectors[smtp]", "config.auth.pass", "{env: NAME}"},
		"connectors:\n  - id: smtp\n    config: {host: mail.example.com, auth: {user: u, pass: {env: MISSING}}, fromEmail: a@example.com}": {"MISSING", "not set"},
		"connectors:\n  - id: smtp\n    config: {host: mail.example.com, auth: {user: u, pass: {stored: true}}, fromEmail: a@example.com}": {"stored"},
		"connectors: [{id: pigeon}]": {"pigeon", "no such connector"},
		"clients:\n  - {id: shopshopshop, name: Shop, type: traditional, redirectUris: [https://a.example], secrets: [{name: main, secret: abc}]}": {"line 2", "{env: NAME}"},
		"clients:\n  - {id: shopshopshop, name: Shop, type: spa, redirectUris: ['http://a.example']}":                                              {"clients[shopshopshop]", "redirectUris"},
		"clients:\n  - {id: shopshopshop, name: A, type: spa, redirectUris: [https://a.example]}\n  - {id: shopshopshop, name: A, type: spa}":      {"twice"},
		"roles: [{name: a, scopes: {https://nowhere.example: [x]}}]":                                                                               {"roles[a]", "https://nowhere.example"},
		"resources: [{indicator: 'https://default.logto.app/api', name: x}]":                                                                       {"built in"},
		"roles: [{name: a, scopes: {https://default.logto.app/api: ['users:read']}}]":                                                              {"roles[a]", "MachineToMachine"},
		"templates: [{templateType: SignIn, languageTag: en, subject: s, content: '{{ code'}]":                                                     {"templates[SignIn en]"},
		"hooks: [{name: a, url: 'https://a.example', events: [Nothing]}]":                                                                          {"hooks[a]", "events[0]"},
		strings.Replace(text, "signInMode: SignIn", "signInMode: Nobody", 1):                                                                       {"experience", "signInMode"}, // after much that is right
	} {
		f.refused(file, words...)
	}
}

// Something else fails in the middle: what was made stays, and the next time it goes on.
func TestGoesOn(t *testing.T) {
	t.Parallel()
	f := setup(t)
	text := f.full()
	p, err := f.plan(text, false)
	f.must(err)
	ctx, stop := context.WithCancel(t.Context())
	n := 0
	err = p.Apply(ctx, func(config.Change) {
		if n++; n == 3 {
			stop()
		}
	})
	if err == nil || n != 3 {
		t.Fatalf("%d changes, %v", n, err)
	}
	f.apply(text, false)
	if again := f.apply(text, false); again != "" {
		t.Errorf("again:\n%s", again)
	}
}

// A plan writes nothing, whatever it is of: what is tried leaves all writes out.
func TestPlanWritesNothing(t *testing.T) {
	t.Parallel()
	f := setup(t)
	entries := func() int {
		t.Helper()
		n, err := f.db.CountEvents(t.Context(), store.EventFilter{}, 10_000)
		f.must(err)
		return n
	}
	still := func(what, text string) {
		t.Helper()
		before, told := f.export(), entries()
		p, err := f.plan(text, true)
		f.must(err)
		if len(p.Changes) == 0 {
			t.Errorf("%s: nothing is planned", what)
		}
		if after := f.export(); after != before {
			t.Errorf("%s wrote:\n%s", what, after)
		}
		if now := entries(); now != told {
			t.Errorf("%s wrote %d entries of the audit log", what, now-told)
		}
	}
	text := f.full()
	still("creating", text)
	f.apply(text, false)
	for name := range f.env { // each secret, and much else, is another one
		f.env[name] = strings.Repeat("z9", 16)
	}
	still("changing", strings.NewReplacer("accessTokenTtl: 600", "accessTokenTtl: 900", "roles: [nightly]", "roles: []", "Looks after", "Looks at",
		"Sign in to", "Welcome to", "name: Shop\n", "name: Store\n", "events: [User.Created", "events: [User.Deleted").Replace(text))
	still("deleting", "resources: []\nroles: []\nclients: []\nconnectors: []\ntemplates: []\nhooks: []\n")
}
