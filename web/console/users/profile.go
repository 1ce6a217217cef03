package users

import (
	"net/http"
	"net/url"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
	"idp/web/page"
)

type profileView struct {
	shell.Frame
	shell.Form
	head
	More, Lives bool // the further fields are open: something is in them, or wrong with them
}

// field is a text of a person in the form, by the name of the API.
type field struct {
	name, label string
	of          func(*store.User) *string
}

// fields are the texts of a person, in the order of the form. The address is apart: it is
// no text.
var fields = []field{
	{"name", shell.N("Name"), func(u *store.User) *string { return &u.Name }},
	{"username", shell.N("User name"), func(u *store.User) *string { return &u.Username }},
	{"avatar", shell.N("Picture"), func(u *store.User) *string { return &u.Avatar }},
	{"profile.givenName", shell.N("Given name"), func(u *store.User) *string { return &u.Profile.GivenName }},
	{"profile.familyName", shell.N("Family name"), func(u *store.User) *string { return &u.Profile.FamilyName }},
	{"profile.middleName", shell.N("Middle name"), func(u *store.User) *string { return &u.Profile.MiddleName }},
	{"profile.nickname", shell.N("Nickname"), func(u *store.User) *string { return &u.Profile.Nickname }},
	{"profile.preferredUsername", shell.N("Preferred user name"), func(u *store.User) *string { return &u.Profile.PreferredUsername }},
	{"profile.profile", shell.N("Profile page"), func(u *store.User) *string { return &u.Profile.Profile }},
	{"profile.website", shell.N("Website"), func(u *store.User) *string { return &u.Profile.Website }},
	{"profile.gender", shell.N("Gender"), func(u *store.User) *string { return &u.Profile.Gender }},
	{"profile.birthdate", shell.N("Date of birth"), func(u *store.User) *string { return &u.Profile.Birthdate }},
	{"profile.zoneinfo", shell.N("Time zone"), func(u *store.User) *string { return &u.Profile.Zoneinfo }},
	{"profile.locale", shell.N("Language"), func(u *store.User) *string { return &u.Profile.Locale }},
	{"profile.address.formatted", shell.N("Address as on a letter"), func(u *store.User) *string { return &u.Profile.Address.Formatted }},
	{"profile.address.streetAddress", shell.N("Street"), func(u *store.User) *string { return &u.Profile.Address.StreetAddress }},
	{"profile.address.locality", shell.N("Town"), func(u *store.User) *string { return &u.Profile.Address.Locality }},
	{"profile.address.region", shell.N("State or region"), func(u *store.User) *string { return &u.Profile.Address.Region }},
	{"profile.address.postalCode", shell.N("Postal code"), func(u *store.User) *string { return &u.Profile.Address.PostalCode }},
	{"profile.address.country", shell.N("Country"), func(u *store.User) *string { return &u.Profile.Address.Country }},
}

// firstMore and firstLives are where the further fields begin.
const firstMore, firstLives = 3, 14

// typed is what stands in the form of a person.
func typed(u store.User) url.Values {
	withAddress(&u)
	values := url.Values{"primaryEmail": {page.Address(u.Email)}}
	for _, f := range fields {
		values.Set(f.name, *f.of(&u))
	}
	return values
}

// withAddress gives a person a postal address of their own to read and write.
func withAddress(u *store.User) {
	var own store.ProfileAddress
	if u.Profile.Address != nil {
		own = *u.Profile.Address
	}
	u.Profile.Address = &own
}

// show is GET /console/users/ID.
func (p *Pages) show(v *shell.Visit) error {
	u, err := p.of(v)
	if err != nil {
		return err
	}
	return p.showProfile(v, http.StatusOK, u, shell.NewForm(typed(u), u.UpdatedAt))
}

func (p *Pages) showProfile(v *shell.Visit, status int, u store.User, f shell.Form) error {
	view := profileView{Frame: v.Frame(shell.Users), Form: f, head: headOf(v, u, "")}
	for i, one := range fields {
		filled := f.Value(one.name) != "" || f.Error(one.name) != ""
		view.More = view.More || filled && i >= firstMore && i < firstLives
		view.Lives = view.Lives || filled && i >= firstLives
	}
	return v.Show(status, p.set, "profile", &view)
}

// save is POST /console/users/ID.
func (p *Pages) save(v *shell.Visit) error {
	id, f := v.Param("id"), v.Typed()
	_, err := p.admin.UpdateUser(v.R.Context(), v.By, id, f.Seen(), func(u *store.User) (err error) {
		if u.Email, err = admin.ParseEmail("update user", "primaryEmail", v.Got("primaryEmail")); err != nil {
			return err
		}
		withAddress(u)
		for _, one := range fields {
			if v.Form.Has(one.name) {
				*one.of(u) = v.Got(one.name)
			}
		}
		if *u.Profile.Address == (store.ProfileAddress{}) {
			u.Profile.Address = nil
		}
		return nil
	})
	if err == nil {
		return v.Done(path(id, ""), v.T("Saved."))
	}
	now, gone := p.of(v)
	switch {
	case gone != nil:
		return gone
	case store.CodeOf(err) == store.Changed:
		labels := [][2]string{{"primaryEmail", v.T("Email address")}}
		for _, one := range fields {
			labels = append(labels, [2]string{one.name, v.T(one.label)})
		}
		f.Changed(typed(now), now.UpdatedAt, labels...)
	case !f.Take(v, err):
		return err
	}
	return p.showProfile(v, f.Status(), now, f)
}
