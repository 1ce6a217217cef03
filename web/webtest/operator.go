package webtest

import (
	"strings"

	"idp/audit"
	"idp/store"
)

// OperatorEmail is the address of the operator with a role.
func OperatorEmail(role store.OperatorRole) string { return string(role) + "@operators.example" }

// Operator comes with a browser that is signed in to the console.
func (f *Fixture) Operator(role store.OperatorRole) *Person {
	f.Helper()
	email := OperatorEmail(role)
	if err := f.Admin.AddOperator(f.Context(), audit.Command(), email, role); store.CodeOf(err) != store.Conflict {
		f.Must(err)
	}
	sent, err := f.Inbox.List(f.Context(), email, 0)
	f.Must(err)
	p := f.Person()
	code := p.Get("/console").Want(200).Submit("/sign-in", "email", email).Follow()
	in := code.Submit("/verify", "code", f.Code(email, len(sent)+1))
	if !strings.HasSuffix(in.Location(), "/console") {
		f.Fatalf("signed in to %q\n%s", in.Location(), in.Text())
	}
	return p
}
