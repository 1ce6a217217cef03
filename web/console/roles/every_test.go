package roles_test

import (
	"fmt"
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
	ids := scopes(f, "read:orders", "write:orders", "refund:orders")
	clerk, robot := role(f, "Clerk "+hostile, store.UserRole, ids[:2]...), role(f, "Nightly jobs", store.MachineRole, ids...)
	nobody := role(f, "Nobody’s", store.UserRole)
	for i, name := range []string{"Ada Lovelace", hostile, "علي", "ひろし"} {
		u, err := f.Admin.CreateUser(f.Context(), audit.Command(), store.User{Email: store.Email(fmt.Sprintf("person%d@example.com", i)), Name: name})
		f.Must(err)
		if i > 0 {
			f.Must(f.Admin.AddUserRoles(f.Context(), audit.Command(), []string{u.ID}, []string{clerk.ID}))
		}
	}
	for _, name := range []string{"Nightly report", "Importer"} {
		_, err := f.Admin.CreateClient(f.Context(), audit.Command(), store.Client{Name: name, Type: store.Machine}, nil)
		f.Must(err)
	}
	at := root + "/" + robot.ID + "/holders"
	pages := map[string]string{"role-programs": p.Get(at).Submit(at).Follow().Body}
	path := root + "/" + clerk.ID
	for name, at := range map[string]string{"roles": root, "roles-none": root + "?q=nothing", "role-new": root + "/new", "role": path, "role-scopes": path + "/scopes", "role-scopes-strong": root + "/" + robot.ID + "/scopes",
		"role-people": path + "/holders?find=person", "role-nobody": root + "/" + nobody.ID + "/holders?find=none", "role-built-in": builtIn, "role-built-in-scopes": builtIn + "/scopes"} {
		pages[name] = p.Get(at).Want(200).Body
	}
	seen := p.Get(path)
	_, err := f.Admin.UpdateRole(f.Context(), audit.Command(), clerk.ID, clerk.UpdatedAt, func(r *store.Role) { r.Name, r.Default = "Theirs", true })
	f.Must(err)
	pages["role-conflict"] = seen.Submit(path, "name", "Mine").Body
	pages["role-new-wrong"] = p.Get(root+"/new").Submit(root+"/new", "name", "Theirs", "type", "User").Body
	pages["role-in-use"] = p.Get(path).Submit(path+"/delete", "confirm", "Theirs").Body
	pages["role-viewed"] = f.Operator(store.RoleViewer).Get(path + "/scopes?lang=" + lang).Body
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
