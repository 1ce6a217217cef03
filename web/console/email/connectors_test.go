package email_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"idp/audit"
	"idp/mailer/ses/sestest"
	"idp/store"
	"idp/web/webtest"
)

const (
	root       = "/console/email"
	amazon     = root + "/connectors/aws-ses-mail"
	mailServer = root + "/connectors/smtp"
)

// setup is a fixture with a fake Amazon SES.
func setup(t *testing.T) (*webtest.Fixture, *sestest.Server) {
	t.Helper()
	f, fake := webtest.New(t), sestest.Start(sestest.Options{})
	t.Cleanup(fake.Close)
	f.SES = fake.URL
	return f, fake
}

// config is one that the fake takes.
func config(f *webtest.Fixture, fake *sestest.Server) (out map[string]string) {
	f.Helper()
	f.Must(json.Unmarshal(fake.Config(nil), &out))
	return out
}

func saved(f *webtest.Fixture, id string) map[string]any {
	f.Helper()
	c, err := f.Admin.Connector(f.Context(), id)
	f.Must(err)
	return c.Config
}

// The guide's way: set up Amazon SES, send a test before anything is saved, save.
func TestSetUpSES(t *testing.T) {
	t.Parallel()
	f, fake := setup(t)
	fields := config(f, fake)
	secret := fields["accessKeySecret"]
	owner := f.Operator(store.RoleOwner)
	owner.Get(root).Want(200, "Mailbox", "Add a connector")
	owner.Get(owner.Get(root).Link("Add a connector")).Want(200, "Amazon SES", "SMTP", "HTTP")
	page := owner.Get(amazon).Want(200, "Set up Amazon SES", "What to do at Amazon first")

	// Everything wrong stands beside its field, and what was typed stays.
	wrong := page.Submit(amazon, "do", "save", "c.accessKeyId", "AKIA X", "c.accessKeySecret", secret, "c.emailAddress", "nobody", "c.configurationSetName", "a b")
	wrong.Want(422, "Has a blank in it: copy it again", "Is not an email address", `Is "a b": SES names them`)
	if typed := wrong.Form(amazon); typed.Get("c.accessKeyId") != "AKIA X" || typed.Get("c.emailAddress") != "nobody" || typed.Get("c.accessKeySecret") != secret {
		t.Errorf("%v", typed)
	}
	for _, name := range []string{"c-accessKeyId", "c-emailAddress", "c-configurationSetName"} {
		if !strings.Contains(wrong.Body, `id="f-`+name+`-error"`) {
			t.Errorf("nothing stands beside %s", name)
		}
	}

	// A test before saving; what the provider says, taken or not.
	good := []string{"c.accessKeyId", fields["accessKeyId"], "c.accessKeySecret", secret, "c.region", fields["region"], "c.emailAddress", "Books <books@example.com>",
		"to", "ada@example.com", "usage", "SignIn", "locale", "ja"}
	tested := page.Submit(amazon, append(good, "do", "test")...).Want(200, "Sent to ada@example.com", "books@example.com", "See what becomes of it")
	if mails := fake.Mails(); len(mails) != 1 || mails[0].To != "ada@example.com" || !strings.Contains(mails[0].Text, "000000") || !strings.Contains(tested.Text(), mails[0].ID) ||
		!strings.Contains(mails[0].Subject, "サインイン") {
		t.Fatalf("%+v", mails)
	}
	delivery := strings.TrimPrefix(tested.Link("See what becomes of it"), "/console/deliveries/")
	if d, err := f.Admin.Delivery(f.Context(), delivery); err != nil || d.To != "ada@example.com" || d.Connector != "aws-ses-mail" {
		t.Errorf("%+v, %v", d, err)
	}
	fake.Next(sestest.NotVerified("us-east-1", "books@example.com"))
	tested.Submit(amazon, "do", "test").Want(200, "was not taken", "Email address is not verified", "What to do:")
	tested.Submit(amazon, "do", "test", "to", "ada").Want(422, "This is not an email address.")
	tested.Submit(amazon, "do", "check").Want(200, "SES sends for this account", "tests have no DNS")
	if _, err := f.Admin.Connector(f.Context(), "aws-ses-mail"); store.CodeOf(err) != store.NotFound {
		t.Fatalf("a test has saved it: %v", err)
	}

	// Sent twice, it is set up once; the secret is never shown again.
	form := tested.Form(amazon, "do", "save")
	owner.Post(amazon, form).WantTo(root)
	owner.Post(amazon, form).WantTo(root)
	list := owner.Get(root).Want(200, "Amazon SES", "books@example.com", "1 taken", "1 refused or bounced")
	if strings.Index(list.Body, "Amazon SES") > strings.Index(list.Body, ">Mailbox<") {
		t.Error("it is not the first")
	}
	again := owner.Get(amazon).Want(200)
	if strings.Contains(again.Body, secret) || again.Form(amazon).Get("c.accessKeySecret") != "********" {
		t.Error("the secret is shown")
	}
	again.Submit(amazon, "do", "save", "c.emailAddress", "Shop <shop@example.com>").WantTo(amazon)
	owner.Get(amazon).Want(200, "Saved.", "shop@example.com").Submit(amazon, "do", "test", "to", "ada@example.com").Want(200, "Sent to")

	// Whoever has seen an older version is shown what differs, and can save all the same.
	stale := again.Submit(amazon, "do", "save", "c.emailAddress", "Mine <mine@example.com>").Want(409, "Somebody else has changed this", "Shop <shop@example.com>", "Mine <mine@example.com>")
	if got := saved(f, "aws-ses-mail")["emailAddress"]; got != "Shop <shop@example.com>" {
		t.Errorf("%v", got)
	}
	stale.Submit(amazon, "do", "save").WantTo(amazon)
	if got := saved(f, "aws-ses-mail")["emailAddress"]; got != "Mine <mine@example.com>" {
		t.Errorf("%v", got)
	}
	twice := owner.Get(amazon)
	twice.Submit(amazon, "do", "save", "c.accessKeySecret", "Theirs0000000000000000000000000000000000").WantTo(amazon)
	twice.Submit(amazon, "do", "save", "c.accessKeySecret", "Theirs0000000000000000000000000000000000").Want(409, "What stands here is saved already.")
	twice.Submit(amazon, "do", "save", "c.accessKeySecret", "Mine000000000000000000000000000000000000").Want(409, "Somebody else has changed this", "Secrets ******** ********")

	// It goes by its name.
	owner.Get(amazon).Submit(amazon+"/delete", "confirm", "SES").Want(422, "This is not its name.")
	owner.Get(amazon).Submit(amazon+"/delete", "confirm", "Amazon SES").WantTo(root)
	owner.Get(root).Want(200, "Deleted Amazon SES.")
}

// A connector that took mails and then refuses each is not said to work: the list and its own page
// tell how many, and what it said.
func TestConnectorThatRefusesAll(t *testing.T) {
	t.Parallel()
	f, _ := setup(t)
	owner := f.Operator(store.RoleOwner)
	tell := func(recipients string) {
		f.Must(f.DB.SetConnectorHealth(f.Context(), store.ConnectorHealth{Connector: "inbox", Replica: store.ID{1}, Health: []byte(
			`{"state":"closed","lastSuccess":"2026-01-01T00:00:00Z","refusals":{"recipients":` + recipients + `,"since":"2026-01-02T00:00:00Z","last":"2026-01-02T01:00:00Z","words":"Relay access denied"}}`)}))
	}
	tell("12")
	for _, page := range []string{root, root + "/connectors/inbox"} {
		owner.Get(page).Want(200, "Took no mail lately", "The mails to the last 12 recipients were each refused.", "Relay access denied", "2026")
	}
	tell("9")
	if page := owner.Get(root).Want(200, "Works"); strings.Contains(page.Body, "refused.") || strings.Contains(page.Body, "Relay") {
		t.Error("nine are told")
	}
}

// The form and the JSON are two views of one thing.
func TestConfigAsJSON(t *testing.T) {
	t.Parallel()
	f, _ := setup(t)
	owner := f.Operator(store.RoleOwner)
	page := owner.Get(mailServer)
	asJSON := page.Submit(mailServer, "do", "json", "c.host", "smtp.example.com", "c.port", "2525", "c.auth.user", "u", "c.auth.pass", "open sesame", "c.fromEmail", `"A <b>" <a@example.com>`, "c.secure", "1").Want(200)
	var typed map[string]any
	f.Must(json.Unmarshal([]byte(asJSON.Form(mailServer).Get("config")), &typed))
	if auth, _ := typed["auth"].(map[string]any); typed["host"] != "smtp.example.com" || typed["port"] != 2525.0 || typed["secure"] != true || auth["pass"] != "open sesame" {
		t.Fatalf("%v", typed)
	}
	broken := asJSON.Submit(mailServer, "do", "save", "config", "{\n  \"host\": \"x\",,\n}").Want(422, "Line 2, column 15:")
	if broken.Form(mailServer).Get("config") != "{\n  \"host\": \"x\",,\n}" {
		t.Error("what was typed is gone")
	}
	asJSON.Submit(mailServer, "do", "form", "config", "[]").Want(422, "array does not belong here")
	asJSON.Submit(mailServer, "do", "save", "config", `{"host": "smtp.example.com", "hots": 1, "fromEmail": "a@example.com"}`).Want(422, "hots")
	// Pasted as a Logto connector has it; settings that the form has no field for stay.
	asJSON.Submit(mailServer, "do", "save", "config", `{"host": "smtp.example.com", "port": 2525, "auth": {"user": "u", "pass": "open sesame"}, "fromEmail": "a@example.com", "maxMessages": 7,
		"templates": [{"usageType": "Generic", "subject": "s", "content": "{{ cod }} {{code}}"}, {"usageType": "SignIn", "subject": "s", "content": "{{code}}"},
		{"usageType": "Register", "subject": "s", "content": "{{code}}"}, {"usageType": "ForgotPassword", "subject": "s", "content": "{{code}}"}]}`).WantTo(root)
	form := owner.Get(mailServer).Want(200, "Probably not meant", `there is no variable "cod"`)
	if strings.Contains(form.Body, "sesame") || form.Form(mailServer).Get("c.host") != "smtp.example.com" {
		t.Error(form.Body)
	}
	form.Submit(mailServer, "do", "save", "c.templates", "", "c.replyTo", "help@example.com").WantTo(mailServer)
	now := saved(f, "smtp")
	if now["maxMessages"] != 7.0 || now["port"] != 2525.0 || now["replyTo"] != "help@example.com" || now["templates"] != nil {
		t.Errorf("%v", now)
	}
	owner.Get(mailServer).Submit(mailServer, "do", "save", "c.port", "many").Want(422, "This is not a number.")
	owner.Get(mailServer).Submit(mailServer, "do", "save", "c.host", "elsewhere.example").Want(422, "write the secrets again")
	owner.Get(mailServer+"?view=json").Want(200, `"maxMessages": 7`)
}

func TestOrder(t *testing.T) {
	t.Parallel()
	f, _ := setup(t)
	_, err := f.Admin.SetConnector(f.Context(), audit.Command(), "smtp", map[string]any{"host": "smtp.example.com", "fromEmail": "a@example.com"})
	f.Must(err)
	owner := f.Operator(store.RoleOwner)
	form := owner.Get(root).Form(root + "/order")
	form.Set("id", "inbox")
	form.Set("to", "up")
	owner.Post(root+"/order", form).WantTo(root)
	owner.Get(root).Want(200, "Mailbox is tried first now.")
	owner.Post(root+"/order", form).WantTo(root) // it is there already
	form.Set("id", "pigeon")
	owner.Post(root+"/order", form).Want(404)
	all, err := f.Admin.Connectors(f.Context())
	f.Must(err)
	if len(all) != 2 || all[0].ID != "inbox" {
		t.Errorf("%+v", all)
	}
	owner.Get(root + "/connectors/pigeon").Want(404)
}

// Whoever is no owner looks, and changes nothing by any route.
func TestOthersOnlyLook(t *testing.T) {
	t.Parallel()
	f, _ := setup(t)
	token := regexp.MustCompile(`name="t" value="([^"]+)"`)
	for _, role := range []store.OperatorRole{store.RoleViewer, store.RoleAdmin} {
		p := f.Operator(role)
		for _, path := range []string{root, root + "/connectors/inbox", mailServer, root + "/templates", root + "/templates/SignIn/en", root + "/templates/json", root + "/templates/SignIn/en/preview"} {
			page := p.Get(path).Want(200)
			if strings.Contains(page.Body, `<button name="do" value="save">`) {
				t.Errorf("%s offers to save", path)
			}
		}
		form := p.Get(root).Form("/console/sign-out")
		if m := token.FindStringSubmatch(p.Get(root).Body); m == nil {
			t.Fatal("no token")
		}
		form.Set("do", "test")
		for _, path := range []string{"/order", "/connectors/smtp", "/connectors/inbox/delete", "/templates/json", "/templates/SignIn/en", "/templates/SignIn/en/preview", "/templates/SignIn/en/reset"} {
			p.Post(root+path, form).Want(403, "Your role does not allow this")
		}
	}
}
