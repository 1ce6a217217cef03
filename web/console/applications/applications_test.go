package applications_test

import (
	"testing"

	"idp/store"
)

func TestWalk(t *testing.T) {
	f := setup(t)
	p := f.operator(store.RoleOwner)
	p.Get("/console/applications").Want(200, "Bookstore")
	page := p.Get("/console/applications/new").Want(200, "Flask")
	form := p.Get(page.Link("Flask Python, with Logto’s library")).Want(200)
	t.Log(form.Body)
	made := form.Submit("/console/applications", "name", "Shop", "redirectUris", "http://localhost:5000/callback").Want(201, "Shop is ready")
	t.Log(made.Text())
}
