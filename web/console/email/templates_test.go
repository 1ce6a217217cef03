package email_test

import (
	"strings"
	"testing"

	"idp/audit"
	"idp/store"
)

const words = root + "/templates/SignIn/en"

func TestWordAMail(t *testing.T) {
	t.Parallel()
	f, _ := setup(t)
	owner := f.Operator(store.RoleOwner)
	owner.Get(root+"/templates").Want(200, "Sign-in", "Built-in", "日本語")
	page := owner.Get(words).Want(200, "This is the built-in mail.", "{{ application.name }}")
	if start := page.Form(words); !strings.Contains(start.Get("content"), "{{ code }}") || start.Get("subject") != "Sign in to {{ application.name }}" {
		t.Fatalf("%v", start)
	}

	// The preview runs nothing, reaches nothing, and is for our own pages alone.
	draft := page.Form(words, "content", `<script>alert(1)</script><p>{{ cod }} {{ code }}</p>`, "subject", "<b>Hi</b> {{ application.name }}", "scheme", "dark")
	preview := owner.Post(words+"/preview", draft).Want(200, `there is no variable "cod": did you mean "code"?`, "<script> is not for mails", "<b>Hi</b> Bookstore")
	if csp := preview.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "sandbox;") || !strings.Contains(csp, "frame-ancestors 'self'") || strings.Contains(preview.Body, "<script>alert") ||
		!strings.Contains(preview.Body, "&lt;p&gt;{{ cod }} 123456") {
		t.Errorf("%s\n%s", csp, preview.Body)
	}
	owner.Get(words+"/preview?part=text").Want(200, "123456")
	if dark := owner.Get(words + "/preview?scheme=dark").Body; !strings.Contains(dark, "@media (min-width: 0)") || strings.Contains(dark, "prefers-color-scheme") {
		t.Error("a dark preview follows the browser")
	}

	// What is wrong stands with its field, and what was typed stays.
	owner.Get(words+"?lang=ja").Submit(words, "subject", "", "content", "<p>hi").Want(422).Has("件名が空です。</span>")
	owner.Get(words + "?lang=en")
	wrong := page.Submit(words, "subject", "", "content", "<p>hi", "replyTo", "nobody").Want(422, "The subject is empty.", "needs {{ code }}", "<p>hi")
	if typed := wrong.Form(words); typed.Get("content") != "<p>hi" || typed.Get("replyTo") != "nobody" || !strings.Contains(wrong.Body, `id="f-subject-error"`) || !strings.Contains(wrong.Body, `id="f-replyTo-error"`) {
		t.Errorf("%v", typed)
	}
	page.Submit(words, "do", "test", "content", "<p>My {{ code }}</p>", "subject", "Mine", "to", "ada@example.com").Want(200, "Sent to ada@example.com", "Mine")
	if mails, err := f.Inbox.List(f.Context(), "ada@example.com", 0); err != nil || len(mails) != 1 || mails[0].HTML != "<p>My 000000</p>" {
		t.Fatalf("%+v, %v", mails, err)
	}

	page.Submit(words, "content", "<p>My {{ code }}</p>", "subject", "Mine {{ code }}").WantTo(words)
	mine := owner.Get(words).Want(200, "Saved.", "These are your own words.", "the subject shows the code")
	owner.Get(root+"/templates").Want(200, "Yours")

	// Two who begin at the same time, and two who go on.
	page.Submit(words, "content", "<p>Theirs {{ code }}</p>").Want(409, "Somebody else has changed this", "<p>My {{ code }}</p>", "<p>Theirs {{ code }}</p>")
	mine.Submit(words, "subject", "Next").WantTo(words)
	stale := mine.Submit(words, "subject", "Last").Want(409, "Somebody else has changed this", "Next")
	stale.Submit(words).WantTo(words)
	now, err := f.Admin.MailTemplates(f.Context(), store.UsageSignIn, "en")
	f.Must(err)
	if len(now) != 1 || now[0].Subject != "Last" {
		t.Errorf("%+v", now)
	}

	page = owner.Get(words)
	page.Submit(words+"/reset", "confirm", "SignIn").Want(422, "This is not its name.")
	page.Submit(words+"/reset", "confirm", "SignIn en").WantTo(words)
	owner.Get(words).Want(200, "This is the built-in mail.", "the built-in one again")
	page.Submit(words, "subject", "After all").Want(422, "gone back to the built-in mail").Submit(words).WantTo(words)
}

func TestOtherLanguages(t *testing.T) {
	t.Parallel()
	f, _ := setup(t)
	owner := f.Operator(store.RoleOwner)
	page := owner.Get(root + "/templates")
	page.Want(200)
	owner.Get(root+"/templates?usage=SignIn&locale=it_IT").Want(422, "is no language tag")
	owner.Get(root + "/templates?usage=SignIn&locale=it").WantTo(root + "/templates/SignIn/it")
	const italian = root + "/templates/SignIn/it"
	owner.Get(italian).Want(200).Submit(italian, "subject", "Ciao").WantTo(italian)
	owner.Get(root+"/templates").Want(200, "Yours")
	owner.Get(root+"/templates/SignIn/it-CH").Want(200, "It has the words of another template of yours:")
	owner.Get(root + "/templates/SignIn/no_such").Want(404)
	owner.Get(root + "/templates/Postcard/en").Want(404)
}

func TestTemplatesAsJSON(t *testing.T) {
	t.Parallel()
	f, _ := setup(t)
	owner := f.Operator(store.RoleOwner)
	const path = root + "/templates/json"
	page := owner.Get(path).Want(200)
	page.Submit(path, "templates", "[\n{]").Want(422, "Line 2, column 2:")
	page.Submit(path, "templates", `[{"usageType": "Postcard", "subject": "s", "content": "c"}]`).Want(422, `Template 1 ("Postcard en"): There is no mail for "Postcard"`)
	const hostile = `</textarea><script>alert(1)</script> ` + "\u05e9\u05dc\u05d5\u05dd 📦"
	list := `[{"usageType": "SignIn", "subject": "` + hostile + `", "content": "<p>{{code}}</p>"}, {"usageType": "SignIn", "locale": "ja", "subject": "J", "content": "{{code}}", "contentType": "text/plain"}]`
	page.Submit(path, "templates", list).WantTo(root + "/templates")
	owner.Get(root+"/templates").Want(200, "Saved 2 templates.")
	for _, at := range []string{path, words, words + "/preview"} {
		if body := owner.Get(at).Body; strings.Contains(body, "<script>alert") || !strings.Contains(body, "📦") {
			t.Errorf("%s: %s", at, body)
		}
	}
	page.Submit(path, "templates", list).Want(409, "Somebody else has changed this")
	_, err := f.Admin.DeleteMailTemplates(f.Context(), audit.Command(), store.UsageSignIn, "")
	f.Must(err)
}
