package applications

import (
	"net/http"
	"net/url"

	"idp/store"
	"idp/web/console/shell"
)

type brandingView struct {
	frame
	shell.Form
}

// brandFields are the fields of the form, with what package admin calls them, for who is
// told that somebody else has changed them.
var brandLabels = [][2]string{
	{"displayName", shell.N("Name on the sign-in pages")}, {"logoUrl", shell.N("Logo")}, {"darkLogoUrl", shell.N("Logo on dark ground")},
	{"primaryColor", shell.N("Colour")}, {"darkPrimaryColor", shell.N("Colour on dark ground")},
	{"termsOfUseUrl", shell.N("Terms of use")}, {"privacyPolicyUrl", shell.N("Privacy policy")},
}

var brandFields = map[string]string{
	"branding.logoUrl": "logoUrl", "branding.darkLogoUrl": "darkLogoUrl", "color.primaryColor": "primaryColor", "color.darkPrimaryColor": "darkPrimaryColor",
}

// branding is GET /console/applications/{id}/branding.
func (p *Pages) branding(v *shell.Visit) error {
	c, err := p.interactive(v)
	if err != nil {
		return err
	}
	return p.showBranding(v, http.StatusOK, c, shell.NewForm(brandOf(c), c.UpdatedAt))
}

// interactive finds an application that people sign in to.
func (p *Pages) interactive(v *shell.Visit) (store.Client, error) {
	c, err := p.of(v)
	if err == nil && c.Type == store.Machine {
		err = &store.Error{Code: store.NotFound, Op: "find branding"}
	}
	return c, err
}

func (p *Pages) showBranding(v *shell.Visit, status int, c store.Client, form shell.Form) error {
	return v.Show(status, p.set, "branding", &brandingView{p.frame(v, c, tabBranding), form})
}

// brandOf is what stands in the form.
func brandOf(c store.Client) url.Values {
	x := c.Experience
	return url.Values{
		"displayName": {x.DisplayName}, "logoUrl": {x.LogoURL}, "darkLogoUrl": {x.DarkLogoURL}, "primaryColor": {x.PrimaryColor},
		"darkPrimaryColor": {x.DarkPrimaryColor}, "termsOfUseUrl": {x.TermsOfUseURL}, "privacyPolicyUrl": {x.PrivacyPolicyURL},
	}
}

// saveBranding is POST /console/applications/{id}/branding.
func (p *Pages) saveBranding(v *shell.Visit) error {
	c, err := p.interactive(v)
	if err != nil {
		return err
	}
	form := v.Typed()
	_, err = p.admin.UpdateClient(v.R.Context(), v.By, c.ID, form.Seen(), func(c *store.Client) error {
		c.Experience = store.ClientExperience{
			DisplayName: v.Got("displayName"), LogoURL: v.Got("logoUrl"), DarkLogoURL: v.Got("darkLogoUrl"), PrimaryColor: v.Got("primaryColor"),
			DarkPrimaryColor: v.Got("darkPrimaryColor"), TermsOfUseURL: v.Got("termsOfUseUrl"), PrivacyPolicyURL: v.Got("privacyPolicyUrl"),
		}
		return nil
	})
	switch {
	case err == nil:
		return v.Done(pathOf(c.ID)+"/branding", v.T("Saved."))
	case store.CodeOf(err) == store.Changed:
		if c, err = p.interactive(v); err != nil {
			return err
		}
		form.Changed(brandOf(c), c.UpdatedAt, translated(v, brandLabels)...)
		return p.showBranding(v, http.StatusConflict, c, form)
	case form.Take(v, err, brandFields):
		return p.showBranding(v, http.StatusUnprocessableEntity, c, form)
	}
	return err
}
