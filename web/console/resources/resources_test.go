package resources_test

import (
	"testing"

	"idp/store"
	"idp/web/webtest"
)

func TestSmoke(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleOwner)
	t.Log(p.Get("/console/resources").Want(200).Text())
	made := p.Get("/console/resources/new").Want(200).Submit("/console/resources/new", "name", "Orders <b>", "indicator", "https://orders.example/api")
	made = made.Follow().Want(200)
	t.Log(made.Text())
	for _, path := range []string{"/console/roles", "/console/roles/new", "/console/roles/management-api", "/console/roles/management-api/scopes", "/console/roles/management-api/holders", "/console/webhooks", "/console/webhooks/new",
		"/console/resources/management-api", "/console/resources/management-api/scopes", "/console/resources/management-api/use", "/console/resources/management-api/scopes/management-api-all"} {
		t.Log(path, p.Get(path).Want(200).Text())
	}
}
