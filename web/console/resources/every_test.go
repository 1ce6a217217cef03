package resources_test

import (
	"testing"

	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

// every is each page of the area, by name.
func every(f *webtest.Fixture, lang string) map[string]string {
	f.Helper()
	p := f.Operator(store.RoleAdmin)
	p.Get(root + "?lang=" + lang)
	pages := map[string]string{"resource-new": p.Get(root + "/new").Body, "resource-built-in": p.Get(builtIn).Body}
	r, c := made(f)
	path := root + "/" + r.ID
	pages["resource-no-scopes"] = p.Get(root+"/new").Submit(root+"/new", "name", hostile, "indicator", "https://warehouse.example/api/v2").Follow().Body
	for name, at := range map[string]string{"resources": root, "resource": path, "resource-scopes": path + "/scopes", "resource-scope": path + "/scopes/" + c.ID, "resource-use": path + "/use",
		"resource-none": root + "?q=nothing", "resource-built-in-scopes": builtIn + "/scopes"} {
		pages[name] = p.Get(at).Want(200).Body
	}
	seen := p.Get(path)
	_, err := f.Admin.UpdateResource(f.Context(), audit.Command(), r.ID, r.UpdatedAt, func(r *store.Resource) { r.Name = "Theirs" })
	f.Must(err)
	pages["resource-conflict"] = seen.Submit(path, "name", "Mine").Body
	pages["resource-new-wrong"] = p.Get(root+"/new").Submit(root+"/new", "name", "", "indicator", "nothing").Body
	pages["resource-delete-wrong"] = p.Get(path).Submit(path+"/delete", "confirm", "x").Body
	pages["resource-viewed"] = f.Operator(store.RoleViewer).Get(path + "?lang=" + lang).Body
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
