package api

import (
	"context"
	"net/http"

	"idp/store"
)

// applicationExp is what the sign-in pages of an application have of their own, as Logto
// shows it; what is not there is the instance's.
type applicationExp struct {
	Tenant      string              `json:"tenantId"`
	Application string              `json:"applicationId"`
	Color       applicationColor    `json:"color"`
	Branding    applicationBranding `json:"branding"`
	CSS         *string             `json:"customCss" doc:"Always null: styles are the instance's"`
	Terms       *string             `json:"termsOfUseUrl"`
	Privacy     *string             `json:"privacyPolicyUrl"`
	Display     *string             `json:"displayName"`
}

type applicationColor struct {
	Primary string `json:"primaryColor,omitempty" maxLength:"7"`
	Dark    string `json:"darkPrimaryColor,omitempty" maxLength:"7"`
}

type applicationBranding struct {
	Logo string `json:"logoUrl,omitempty" maxLength:"2000"`
	Dark string `json:"darkLogoUrl,omitempty" maxLength:"2000"`
}

type oneApplicationExp struct {
	ETag string `header:"ETag"`
	Body applicationExp
}

func (a *API) applicationExperience() {
	const noun, path = "applications", "/applications/{applicationId}/sign-in-experience"
	register(a, operation{http.MethodGet, path, noun, "Read what the sign-in pages of an application have of their own", 0}, a.getApplicationExp)
	register(a, operation{http.MethodPut, path, noun, "Set what the sign-in pages of an application have of their own", 0}, a.putApplicationExp)
}

func (a *API) getApplicationExp(ctx context.Context, in *struct {
	ID string `path:"applicationId" maxLength:"64"`
}) (*oneApplicationExp, error) {
	c, err := a.Admin.Client(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return showApplicationExp(c), nil
}

func (a *API) putApplicationExp(ctx context.Context, in *struct {
	ID string `path:"applicationId" maxLength:"64"`
	Seen
	Body struct {
		Color    applicationColor    `json:"color,omitempty"`
		Branding applicationBranding `json:"branding,omitempty"`
		Display  sent[string]        `json:"displayName,omitempty"`
		Terms    sent[string]        `json:"termsOfUseUrl,omitempty"`
		Privacy  sent[string]        `json:"privacyPolicyUrl,omitempty"`
		CSS      sent[string]        `json:"customCss,omitempty" doc:"Refused unless it is null: styles are the instance's"`
	}
}) (*oneApplicationExp, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	b := in.Body
	if b.CSS.Value != "" {
		return nil, store.InvalidField("set experience of application", "customCss", "does not fit: styles are the instance's")
	}
	c, err := a.Admin.UpdateClient(ctx, actor(ctx), in.ID, version, func(c *store.Client) error {
		c.Experience = store.ClientExperience{DisplayName: b.Display.Value, LogoURL: b.Branding.Logo, DarkLogoURL: b.Branding.Dark,
			PrimaryColor: b.Color.Primary, DarkPrimaryColor: b.Color.Dark, TermsOfUseURL: b.Terms.Value, PrivacyPolicyURL: b.Privacy.Value}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return showApplicationExp(c), nil
}

func showApplicationExp(c store.Client) *oneApplicationExp {
	x := c.Experience
	return &oneApplicationExp{ETag: etag(c.UpdatedAt), Body: applicationExp{Tenant: tenant, Application: c.ID,
		Color: applicationColor{x.PrimaryColor, x.DarkPrimaryColor}, Branding: applicationBranding{x.LogoURL, x.DarkLogoURL},
		Terms: orNull(x.TermsOfUseURL), Privacy: orNull(x.PrivacyPolicyURL), Display: orNull(x.DisplayName)}}
}
