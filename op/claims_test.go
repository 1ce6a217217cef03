package op_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"idp/store"
)

// What is known of a person is told by scope, in the ID token and by userinfo; custom data
// and the address only where they are asked for.
func TestClaimsOfPerson(t *testing.T) {
	t.Parallel()
	f := setup(t)
	first := f.tokens(f.exchange(f.code()))
	_, claims := parts(t, first.ID)
	u, err := f.db.User(t.Context(), claims["sub"].(string))
	f.must(err)
	u.Name, u.Username, u.Avatar, u.CustomData = "Ada", "ada", "https://example.com/a.png", json.RawMessage(`{"plan":"free"}`)
	u.Profile = store.Profile{FamilyName: "Lovelace", Birthdate: "1815-12-10", Address: &store.ProfileAddress{Country: "UK"}}
	_, err = f.db.UpdateUser(t.Context(), u, u.UpdatedAt)
	f.must(err)

	profile := map[string]any{"name": "Ada", "username": "ada", "picture": "https://example.com/a.png", "family_name": "Lovelace", "birthdate": "1815-12-10"}
	for scope, want := range map[string]map[string]any{
		"openid":                     {},
		"openid profile":             profile,
		"openid address custom_data": {"address": map[string]any{"country": "UK"}, "custom_data": map[string]any{"plan": "free"}},
	} {
		got := f.tokens(f.exchange(f.code("scope", scope)))
		_, id := parts(t, got.ID)
		var info map[string]any
		f.must(json.NewDecoder(f.get("/oidc/me", "Authorization", "Bearer "+got.Access).Body).Decode(&info))
		for _, name := range []string{"name", "username", "picture", "family_name", "given_name", "birthdate", "address", "custom_data"} {
			if !reflect.DeepEqual(info[name], want[name]) {
				t.Errorf("%s: userinfo tells %s = %v, want %v", scope, name, info[name], want[name])
			}
			if name != "custom_data" && !reflect.DeepEqual(id[name], want[name]) || name == "custom_data" && id[name] != nil {
				t.Errorf("%s: the ID token tells %s = %v, want %v", scope, name, id[name], want[name])
			}
		}
	}
}
