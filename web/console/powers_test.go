package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"idp/admin"
	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

// An admin cannot keep owners out by having no mail, and so no code, sent to them.
func TestAdminsSilenceNoOwner(t *testing.T) {
	t.Parallel()
	f := withBoss(t)
	const list = "/console/deliveries/suppressed"
	p := f.Operator(store.RoleAdmin)
	p.Get(list).Submit(list, "address", " BOSS@example.com").Want(http.StatusUnprocessableEntity, "only an owner can keep mail from them").Has("BOSS@example.com")
	if _, err := f.Admin.Suppression(t.Context(), boss); store.CodeOf(err) != store.NotFound {
		t.Errorf("the address is on the list: %v", err)
	}
	p.Get(list).Submit(list, "address", "ada@example.com").Want(http.StatusSeeOther)
	f.Operator(store.RoleOwner).Get(list).Submit(list, "address", boss).Want(http.StatusSeeOther)
}

// Custom CSS is on people's pages, and on none that leads into the console: from there it is
// mended when it hides the form.
func TestCustomCSSHidesNoConsole(t *testing.T) {
	t.Parallel()
	f := withBoss(t)
	admin := f.Operator(store.RoleAdmin)
	const page = "/console/sign-in-experience/custom-css"
	admin.Get(page).Submit(page, "customCss", "form{display:none}").Want(http.StatusSeeOther)
	color := "/console/sign-in-experience"
	admin.Get(color).Submit(color, "color.primaryColor", "#00695c").Want(http.StatusSeeOther)
	secret, _, err := f.Admin.CreateConsoleLink(t.Context(), audit.Command(), boss)
	f.Must(err)
	p := f.Person()
	hides := func(at *webtest.Shown) bool {
		_, sheet, ok := strings.Cut(at.Body, `href="/theme.css`)
		sheet, _, _ = strings.Cut(sheet, `"`)
		if !ok {
			t.Fatal("no style sheet", at.Text())
		}
		css := at.Get("/theme.css" + strings.ReplaceAll(sheet, "&amp;", "&")).Want(200).Body
		if !strings.Contains(css, "--") {
			t.Error("no colours:", css)
		}
		return strings.Contains(css, "form{display:none}")
	}
	if !hides(p.Get("/sign-in")) {
		t.Error("people's pages are without the custom CSS")
	}
	for name, at := range map[string]*webtest.Shown{
		"address": p.Get("/console/applications"), "code": asked(p, boss), "again": p.Get("/console").Submit("/sign-in", "email", "no address"),
		"link": p.Get("/console/enter?t=" + secret),
	} {
		if hides(at) {
			t.Errorf("the custom CSS is on the page %q", name)
		}
	}
}

// No page shows a secret to who only looks, each has the headers that keep it to itself, and
// the log tells neither who is there nor whom they look at.
func TestPagesKeepSecrets(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	owner := f.Operator(store.RoleOwner)
	p := f.Operator(store.RoleViewer)
	all := routes(f)
	ctx, by := t.Context(), audit.Command()
	const password, header, key = "pass-5up3r", "Bearer h34d3r", "k3y-0123456789abcdef0123456789abcdef"
	_, err := f.Admin.SetConnector(ctx, by, "smtp", map[string]any{
		"host": "mail.example.com", "port": 587, "auth": map[string]any{"type": "login", "user": "shop", "pass": password}, "fromEmail": "shop@example.com",
	})
	f.Must(err)
	hook, err := f.Admin.CreateHook(ctx, by, admin.HookForm{Name: "Secretive", Events: []string{"User.Deleted"}, Config: admin.HookConfig{URL: "https://crm.example", Headers: map[string]string{"Authorization": header}}}, key)
	f.Must(err)
	machine, err := f.Admin.CreateClient(ctx, by, store.Client{Name: "Machine", Type: store.Machine, PKCE: true}, nil)
	f.Must(err)
	secret, _, err := f.Admin.AddSecret(ctx, by, machine.ID, "first", time.Time{})
	f.Must(err)
	token := ""
	_, token, err = f.Admin.CreateOneTimeToken(ctx, by, "ada@example.com", store.TokenContext{}, time.Hour)
	f.Must(err)
	link, _, err := f.Admin.CreateConsoleLink(ctx, by, store.Email(webtest.OperatorEmail(store.RoleOwner)))
	f.Must(err)
	code := f.Code(webtest.OperatorEmail(store.RoleOwner), 1)

	paths := []string{
		"/console/email/connectors/smtp", "/console/email/connectors/smtp?view=json", "/console/webhooks/" + hook.ID,
		"/console/applications/" + machine.ID, "/console/applications/" + machine.ID + "/secrets", "/console/applications/" + machine.ID + "/code",
		"/console/why?email=ada@example.com", "/console/deliveries?to=ada@example.com",
	}
	for _, r := range all {
		if r.method == http.MethodGet {
			paths = append(paths, r.path)
		}
	}
	entries, _, err := f.Admin.Logs(ctx, store.EventFilter{}, 0, 100)
	f.Must(err)
	for _, e := range entries {
		paths = append(paths, "/console/audit-log/"+e.ID.String())
	}
	mails, err := f.Admin.Deliveries(ctx, admin.DeliveryQuery{Limit: 10})
	f.Must(err)
	for _, m := range mails {
		paths = append(paths, "/console/deliveries/"+m.ID)
	}
	for _, who := range []*webtest.Person{p, owner} {
		for _, path := range paths {
			page := who.Get(path)
			for name, value := range map[string]string{"password": password, "header": header, "key": key, "secret": secret, "token": token, "link": link, "code": code} {
				if strings.Contains(page.Body, value) {
					t.Errorf("%s shows the %s", path, name)
				}
			}
			h := page.Header
			if !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors") ||
				h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") == "" {
				t.Errorf("%s: %d with %v", path, page.Status, h)
			}
		}
	}
	owner.Get("/console/email/connectors/smtp?view=json").Want(200).Has(admin.Mask)
	p.Get("/console/webhooks/" + hook.ID).Want(200).Has(admin.Mask)
	log := f.Log.String()
	for _, value := range []string{password, header, key, secret, token, link, code, "ada@example.com", webtest.OperatorEmail(store.RoleOwner), "ada%40"} {
		if strings.Contains(log, value) {
			t.Errorf("the log has %q", value)
		}
	}
}

// What somebody may do is looked up at each click: a form that stood open is worth what its
// person is now.
func TestDemotedWhileAFormIsOpen(t *testing.T) {
	t.Parallel()
	f := withBoss(t)
	p := f.Operator(store.RoleOwner)
	const list = "/console/settings/people/new"
	form := p.Get(list).Form(list, "email", "mallory@example.com", "role", "owner")
	f.Must(f.Admin.SetOperatorRole(t.Context(), audit.Command(), webtest.OperatorEmail(store.RoleOwner), store.RoleAdmin))
	p.Post(list, form).Want(http.StatusForbidden, notYours)
	f.Must(f.Admin.RemoveOperator(t.Context(), audit.Command(), webtest.OperatorEmail(store.RoleOwner)))
	p.Post(list, form).Want(http.StatusForbidden, "Your sign-in to the console has ended")
	if all, err := f.Admin.Operators(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("%v %v", all, err)
	}
}

// An address can begin like a formula, and a spreadsheet takes none from an export.
func TestExportHasNoFormulas(t *testing.T) {
	t.Parallel()
	f := withBoss(t)
	f.Must(f.Admin.AddOperator(t.Context(), audit.Command(), "=1+1@example.com", store.RoleViewer))
	p := f.Operator(store.RoleOwner)
	const log = "/console/audit-log"
	file := p.Get(log).Submit(log+"/export", "format", "csv").Want(200)
	if !strings.Contains(file.Body, ",'=1+1@example.com,") || strings.Contains(file.Body, ",=") {
		t.Error(file.Body)
	}
}
