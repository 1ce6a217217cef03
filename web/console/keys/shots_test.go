//go:build browser

package keys_test

import (
	"testing"

	"idp/store"
)

// Every page, to be looked at (webtest.Shots).
func TestShots(t *testing.T) {
	for _, lang := range []string{"en", "ja"} {
		f := setup(t)
		p := f.Operator(store.RoleOwner)
		p.Get(root + "?lang=" + lang)
		page := p.Get(root)
		page.Submit(root+"/rotate", "alg", "ES256", "confirm", "ES256").Follow()
		all, err := f.Admin.SigningKeys(t.Context())
		f.Must(err)
		shots := map[string]string{"keys": p.Get(root).Body, "keys-wrong": page.Submit(root+"/rotate", "alg", "ES256", "confirm", "x").Body}
		for _, k := range all {
			if !k.RetiredAt.IsZero() {
				shots["key"] = p.Get(root + "/" + k.ID).Body
			}
		}
		f.Shots(lang, shots)
	}
}
