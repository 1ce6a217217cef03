package webhooks_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"idp/admin"
	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

// every is each page of the area, by name.
func every(f *webtest.Fixture, lang string) map[string]string {
	f.Helper()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "<html><body>\n<h2>404 page not found</h2>\n</body></html>")
	}))
	f.Cleanup(receiver.Close)
	p := f.Operator(store.RoleAdmin)
	p.Get(root + "?lang=" + lang)
	pages := map[string]string{"webhooks-empty": p.Get(root).Body, "webhook-new": p.Get(root + "/new").Body}
	h := hook(f, receiver.URL+"/hooks")
	failing, err := f.Admin.CreateHook(f.Context(), audit.Command(), admin.HookForm{Enabled: true, Events: []string{"User.Deleted"},
		Config: admin.HookConfig{URL: "https://mailinglist.example/a/very/long/path/that/goes/on/hooks?team=1234567890"}}, "")
	f.Must(err)
	_, err = f.Admin.CreateHook(f.Context(), audit.Command(), admin.HookForm{Name: hostile, Events: []string{"User.Deleted"}, Config: admin.HookConfig{URL: "https://old.example"}}, "")
	f.Must(err)
	path, down := root+"/"+h.ID, root+"/"+failing.ID
	pages["webhook-log-empty"] = p.Get(path + "/deliveries").Body
	for i := range 23 {
		delivery(f, h.ID, "PostSignIn", store.HookDelivered, 204, "", time.Duration(i)*time.Minute+time.Hour)
	}
	delivery(f, h.ID, "User.Created", store.HookGivenUp, 500, "answered 500", 2*time.Minute)
	waiting := delivery(f, failing.ID, "User.Deleted", store.HookWaiting, 0, "the host takes no connection", time.Minute)
	for name, at := range map[string]string{"webhooks": root, "webhooks-none": root + "?q=nothing", "webhook": path, "webhook-log": path + "/deliveries", "webhook-log-none": path + "/deliveries?state=waiting",
		"webhook-test": path + "/test", "webhook-failing": down + "/deliveries", "webhook-delivery": down + "/deliveries/" + waiting} {
		pages[name] = p.Get(at).Want(200).Body
	}
	pages["webhook-tested"] = p.Get(path+"/test").Submit(path+"/test", "event", "PostSignIn").Body
	pages["webhook-new-wrong"] = p.Get(root+"/new").Submit(root+"/new", "url", "http://10.0.0.1", "headers", "Host: x").Body
	pages["webhook-key"] = p.Get(path).Submit(path+"/key", "confirm", "CRM").Want(200).Body
	pages["webhook-delete-wrong"] = p.Get(path).Submit(path+"/delete", "confirm", "x").Body
	seen := p.Get(path)
	_, err = f.Admin.UpdateHook(f.Context(), audit.Command(), h.ID, time.Time{}, func(h *admin.HookForm) error {
		h.Name, h.Events = "Theirs", []string{"Role.Created"}
		return nil
	})
	f.Must(err)
	pages["webhook-conflict"] = seen.Submit(path, "name", "Mine").Body
	pages["webhook-viewed"] = f.Operator(store.RoleViewer).Get(path + "?lang=" + lang).Body
	return pages
}

// Every page is what every page has to be, in both languages.
func TestEvery(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ja"} {
		f := webtest.New(t)
		f.Check(lang, every(f, lang))
	}
}
