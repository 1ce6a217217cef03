package keys_test

import (
	"testing"

	"idp/keyring"
	"idp/op"
	"idp/store"
	"idp/web/webtest"
)

const root = "/console/keys"

// setup is a fixture with a key, as a server makes it when it starts.
func setup(t *testing.T) *webtest.Fixture {
	t.Helper()
	f := webtest.New(t)
	ring, err := keyring.New([]byte("0123456789abcdef0123456789abcdef"))
	f.Must(err)
	key, err := op.NewSigningKey(ring, "ES256")
	f.Must(err)
	f.Must(f.DB.AddSigningKey(t.Context(), key))
	return f
}

func TestRotate(t *testing.T) {
	t.Parallel()
	f := setup(t)
	owner := f.Operator(store.RoleOwner)
	page := owner.Get(root).Want(200, "ES256", "Signs", "/oidc/jwks")
	before, err := f.Admin.SigningKeys(t.Context())
	f.Must(err)

	page.Submit(root+"/rotate", "alg", "ES256", "confirm", "es").Want(422, "That is not its name: the key stays as it is.")
	form := page.Form(root+"/rotate", "alg", "ES256", "confirm", "ES256")
	owner.Post(root+"/rotate", form).Follow().Want(200, "There is a new key for ES256.", "Next", "Retired")
	owner.Post(root+"/rotate", form).WantTo(root) // sent twice: it is replaced once
	after, err := f.Admin.SigningKeys(t.Context())
	f.Must(err)
	if len(after) != len(before)+1 {
		t.Errorf("%d keys after %d", len(after), len(before))
	}

	var old, now store.SigningKey
	for _, k := range after {
		switch {
		case k.Alg == "ES256" && k.RetiredAt.IsZero():
			now = k
		case k.Alg == "ES256":
			old = k
		}
	}
	if shown := owner.Get(root+"/"+now.ID).Want(200, "signs within ten seconds"); shown.HasForm(root + "/" + now.ID + "/delete") {
		t.Error("what signs can be deleted")
	}
	shown := owner.Get(root+"/"+old.ID).Want(200, "What it has signed is accepted until it expires.", "refused at once")
	shown.Submit(root+"/"+old.ID+"/delete", "confirm", "x").Want(422, "nothing was deleted")
	shown.Submit(root+"/"+old.ID+"/delete", "confirm", old.ID[:8]).Follow().Want(200, "Deleted the key "+old.ID[:8]+".")
	owner.Get(root + "/" + old.ID).Want(404)
}

func TestRoles(t *testing.T) {
	t.Parallel()
	f := setup(t)
	form := f.Operator(store.RoleOwner).Get(root).Form(root+"/rotate", "confirm", "ES256")
	for _, role := range []store.OperatorRole{store.RoleAdmin, store.RoleViewer} {
		p := f.Operator(role)
		page := p.Get(root).Want(200, "An owner can replace keys")
		form.Set("t", page.Form("/console/sign-out").Get("t"))
		p.Post(root+"/rotate", form).Want(403, "Your role does not allow this")
	}
}
