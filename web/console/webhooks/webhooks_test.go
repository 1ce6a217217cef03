package webhooks_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/admin"
	"idp/audit"
	"idp/store"
	"idp/store/sqlstore"
	"idp/web/webtest"
)

const (
	root    = "/console/webhooks"
	signOut = "/console/sign-out"
	hostile = `<script>alert(1)</script> ` + "\u05e9\u05dc\u05d5\u05dd 📦"
)

// with is a form with these fields; a field may be there more than once.
func with(form url.Values, name string, values ...string) url.Values {
	form[name] = values
	return form
}

// hook makes a webhook that posts to an address.
func hook(f *webtest.Fixture, to string) admin.Hook {
	f.Helper()
	h, err := f.Admin.CreateHook(f.Context(), audit.Command(), admin.HookForm{Name: "CRM", Events: []string{"PostSignIn", "User.Created"}, Enabled: true,
		Config: admin.HookConfig{URL: to, Headers: map[string]string{"Authorization": "Bearer s3cret"}}}, "")
	f.Must(err)
	return h
}

// delivery writes what became of one.
func delivery(f *webtest.Fixture, hook, event string, state store.HookState, status int, wrong string, ago time.Duration) string {
	f.Helper()
	now := f.DB.Now().Add(-ago)
	id := store.NewID(now)
	var settled any
	if state != store.HookWaiting {
		settled = now.UnixMicro()
	}
	var s sqlstore.Script
	s.Do(`INSERT INTO hook_delivery (id, hook_id, event, state, attempts, worker, due_at, created_at, settled_at, status, error) VALUES ($1, $2, $3, $4, 1, $5, $6, $6, $7, $8, $9)`,
		id[:], hook, event, int16(state), make([]byte, 16), now.UnixMicro(), settled, status, wrong)
	f.Must(f.Outage.Run(f.Context(), &s))
	return id.String()
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleAdmin)
	p.Get(root).Want(200, "No webhooks yet")
	blank := p.Get(root + "/new")
	form := with(blank.Form(root+"/new", "name", "CRM", "url", "https://crm.example/hooks", "headers", "Authorization: Bearer s3cret\n\nX-Team: ops ", "retries", "3"), "events", "PostSignIn", "User.Created")
	key := p.Post(root+"/new", form).Want(200, "The webhook is there", "Copy it now")
	hooks, err := f.Admin.Hooks(t.Context())
	f.Must(err)
	h := hooks[0]
	if len(hooks) != 1 || !h.Enabled || *h.Config.Retries != 3 || len(h.Config.Headers) != 2 || !slices.Equal(h.Events, []string{"PostSignIn", "User.Created"}) {
		t.Fatalf("%+v", hooks)
	}
	path := root + "/" + h.ID
	p.Post(root+"/new", form).WantTo(path) // sent twice: one webhook, and its key is not shown again
	if key.Link("Send a test") != path+"/test" || key.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s %v", key.Body, key.Header)
	}
	page := p.Get(path).Want(200, "CRM", "On")
	if strings.Contains(page.Body, "s3cret") || !strings.Contains(page.Body, "Authorization: ********\nX-Team: ********") || strings.Count(page.Body, " checked") != 2 {
		t.Error(page.Body)
	}
	edit := with(page.Form(path, "name", "", "headers", "Authorization: ********", "retries", "", "url", "https://crm.example/other"), "events", "User.Deleted")
	p.Post(path, edit).Follow().Want(200, "Saved.", "crm.example")
	now, err := f.Admin.Hook(t.Context(), h.ID)
	f.Must(err)
	if now.Name != "" || now.Config.Retries != nil || len(now.Config.Headers) != 1 || !slices.Equal(now.Events, []string{"User.Deleted"}) || !now.Enabled {
		t.Errorf("%+v", now)
	}
	p.Get(path).Submit(path+"/enabled").Follow().Want(200, "Turned off.", "Turn on")
	p.Get(root).Want(200, "Off")
	p.Get(path).Submit(path+"/enabled").Follow().Want(200, "Turned on.")

	p.Get(path).Submit(path+"/key", "confirm", "CRM").Want(422, "the key stays as it is")
	rotate := p.Get(path)
	first := rotate.Submit(path+"/key", "confirm", "crm.example").Want(200, "The new signing key")
	rotate.Submit(path+"/key", "confirm", "crm.example").WantTo(path)
	if first.Body == key.Body {
		t.Error("it is the old key")
	}
	p.Get(root+"?q=CRM.EX").Want(200, "crm.example")
	p.Get(root+"?q=nothing").Want(200, "Nothing found")
	p.Get(path).Submit(path+"/delete", "confirm", "CRM").Want(422, "nothing was deleted")
	p.Get(path).Submit(path+"/delete", "confirm", "crm.example").Follow().Want(200, "Deleted crm.example", "No webhooks yet")
	p.Get(path).Want(404)
}

func TestWhatIsWrong(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleAdmin)
	h := hook(f, "https://crm.example/hooks")
	for _, c := range []struct{ field, value, says string }{
		{"url", "", "Is missing"},
		{"url", "crm.example", "Is no"},
		{"url", "https://10.0.0.1/", "IDP_WEBHOOK_ALLOW_PRIVATE"},
		{"headers", "Authorization", "Write it like Authorization"},
		{"headers", "X: 1\nX: 2", "Line 2: This header is there twice"},
		{"headers", "Host: example.com", "Host: is not set here"},
		{"headers", "X-New: ********", "X-New: is what stands for"},
		{"retries", "10", "Is 0 to 9"},
		{"retries", "some", "from 0 to 9"},
		{"name", strings.Repeat("x", 257), "256"},
	} {
		for _, path := range []string{root + "/new", root + "/" + h.ID} {
			form := with(p.Get(path).Form(path, "url", "https://kept.example/", "headers", "X: kept", c.field, c.value), "events", "PostSignIn", "Role.Created")
			shown := p.Post(path, form).Want(422, c.says)
			if strings.Count(shown.Body, " checked") != 2 || !strings.Contains(shown.Body, `aria-invalid="true"`) || c.field != "url" && !strings.Contains(shown.Body, "https://kept.example/") {
				t.Errorf("%s: what was typed is gone: %s", c.says, shown.Body)
			}
		}
	}
	// All that is wrong is said at once.
	p.Get(root+"/new").Submit(root+"/new", "url", "http://crm.example", "headers", "Host: x").Want(422, "Choose at least one.")
	p.Get(root+"/new").Submit(root+"/new", "url", "ftp://crm.example").Want(422, "Choose at least one.", "Is no https URL")
	// A header's value does not go along to another host.
	path := root + "/" + h.ID
	p.Post(path, with(p.Get(path).Form(path, "url", "https://evil.example", "headers", "Authorization: ********"), "events", "PostSignIn")).Want(422, "another host")
	for _, gone := range []string{"/none", "/none/test", "/none/deliveries", "/" + h.ID + "/deliveries/none", "/" + h.ID + "/deliveries/" + store.NewID(time.Now()).String()} {
		p.Get(root + gone).Want(404)
	}
}

func TestTwoEditors(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleAdmin)
	h := hook(f, "https://crm.example/hooks")
	path := root + "/" + h.ID
	form := func(s *webtest.Shown, name string, events ...string) url.Values {
		return with(s.Form(path, "name", name, "headers", "Authorization: ********"), "events", events...)
	}
	first, second := p.Get(path), p.Get(path)
	p.Post(path, form(first, "Theirs", "PostSignIn")).WantTo(path)
	told := p.Post(path, form(second, "Mine", "User.Deleted")).Want(409, "Somebody else has changed this", "Theirs", "Mine", "User.Deleted")
	p.Post(path, form(told, "Mine", "User.Deleted")).Follow().Want(200, "Saved.", "Mine")
}

func TestTest(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	var mu sync.Mutex
	var got string
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = r.Header.Get("Authorization") + " " + string(body)
		if r.URL.Path == "/wrong" {
			w.WriteHeader(http.StatusTeapot)
		}
		fmt.Fprint(w, "<h1>thanks</h1>")
	}))
	t.Cleanup(receiver.Close)
	h := hook(f, receiver.URL)
	p := f.Operator(store.RoleAdmin)
	at := root + "/" + h.ID + "/test"
	p.Get(at).Want(200, "Send a test").Submit(at, "event", "User.Created").Want(200, "It came through", "200", "<h1>thanks</h1>")
	mu.Lock()
	if !strings.HasPrefix(got, "Bearer s3cret ") || !strings.Contains(got, "User.Created") {
		t.Error(got)
	}
	mu.Unlock()
	p.Get(at).Submit(at, "event", "Nothing").Want(422)
	_, err := f.Admin.UpdateHook(t.Context(), audit.Command(), h.ID, time.Time{}, func(h *admin.HookForm) error {
		h.Config.URL += "/wrong"
		return nil
	})
	f.Must(err)
	p.Get(at).Submit(at, "event", "PostSignIn").Want(200, "It did not come through", "418", "answered 418", "<h1>thanks</h1>")
	receiver.Close()
	p.Get(at).Submit(at, "event", "PostSignIn").Want(200, "It did not come through", "the host takes no connection")
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	h := hook(f, "https://crm.example/hooks")
	p := f.Operator(store.RoleViewer)
	at := root + "/" + h.ID + "/deliveries"
	p.Get(at).Want(200, "Nothing was posted yet")
	delivery(f, h.ID, "User.Created", store.HookGivenUp, 500, "answered 500", 3*time.Hour)
	waiting := delivery(f, h.ID, "PostSignIn", store.HookWaiting, 0, "the host is not found", 2*time.Hour)
	p.Get(root).Want(200, "Failing", "Tried again soon")
	p.Get(at).Want(200, "Failing", "Nothing came through in the last 24 hours. Requests: 2, waiting deliveries: 1.", "Given up", "the host is not found")
	for i := range 21 {
		delivery(f, h.ID, "PostSignIn", store.HookDelivered, 204, "", time.Duration(i)*time.Minute)
	}
	p.Get(root).Want(200, "On", "21", "1 given up", "1 waiting")
	page := p.Get(at).Want(200, "21 delivered, 1 given up, 23 requests", "1–20 of 23")
	p.Get(page.Link("Next")).Want(200, "21–23 of 23", "Given up")
	p.Get(at+"?state=given-up").Want(200, "User.Created", "1–1 of 1")
	p.Get(at+"?state=waiting").Want(200, "1–1 of 1")
	p.Get(at+"?event=User.Created").Want(200, "1–1 of 1")
	p.Get(at+"?event=User.Created&state=delivered").Want(200, "Nothing found")
	p.Get(at+"/"+waiting).Want(200, "PostSignIn", "the host is not found", "There was none", waiting, "Tried again")
	other := hook(f, "https://other.example")
	p.Get(root + "/" + other.ID + "/deliveries/" + waiting).Want(404)
}

// A viewer sees everything but secrets, and changes nothing by any route.
func TestViewer(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	h := hook(f, "https://crm.example/hooks")
	path := root + "/" + h.ID
	viewer := f.Operator(store.RoleViewer)
	for _, page := range []string{root, root + "/new", path, path + "/test", path + "/deliveries"} {
		if shown := viewer.Get(page).Want(200); strings.Contains(shown.Body, "<button>") || strings.Contains(shown.Body, `class="bad"`) || strings.Contains(shown.Body, "s3cret") {
			t.Errorf("%s has a button that does nothing, or a secret", page)
		}
	}
	form := with(viewer.Get(root).Form(signOut, "url", "https://x.example", "confirm", "CRM", "event", "PostSignIn"), "events", "PostSignIn")
	for _, post := range []string{root + "/new", path, path + "/enabled", path + "/key", path + "/delete", path + "/test"} {
		viewer.Post(post, form).Want(403, "Your role does not allow this")
	}
	if now, err := f.Admin.Hook(t.Context(), h.ID); err != nil || now.Config.URL != h.Config.URL || !now.Enabled || !now.UpdatedAt.Equal(h.UpdatedAt) {
		t.Error(now, err)
	}
}

func TestHostileNames(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	h, err := f.Admin.CreateHook(t.Context(), audit.Command(), admin.HookForm{Name: hostile, Events: []string{"PostSignIn"}, Config: admin.HookConfig{URL: "https://a.example/?q='&x=%3Cscript%3E"}}, "")
	f.Must(err)
	d := delivery(f, h.ID, "PostSignIn", store.HookGivenUp, 500, hostile, 0)
	p := f.Operator(store.RoleAdmin)
	path := root + "/" + h.ID
	for _, page := range []string{root, path, path + "/test", path + "/deliveries", path + "/deliveries/" + d} {
		if s := p.Get(page).Want(200, hostile); strings.Contains(s.Body, "<script>alert") {
			t.Errorf("%s: %s", page, s.Body)
		}
	}
	p.Get(path).Submit(path+"/delete", "confirm", hostile).Follow().Want(200, "Deleted "+hostile)
}
