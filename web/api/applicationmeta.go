package api

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"idp/store"
)

type applicationOIDC struct {
	RedirectURIs           []string `json:"redirectUris"`
	PostLogoutRedirectURIs []string `json:"postLogoutRedirectUris"`
}

// applicationOIDCGiven is what is sent: only what is there changes.
type applicationOIDCGiven struct {
	RedirectURIs           *[]string `json:"redirectUris,omitempty" maxItems:"100"`
	PostLogoutRedirectURIs *[]string `json:"postLogoutRedirectUris,omitempty" maxItems:"100"`
	BackchannelURI         string    `json:"backchannelLogoutUri,omitempty" maxLength:"2000" doc:"Refused: there is no back-channel sign-out"`
	BackchannelSession     bool      `json:"backchannelLogoutSessionRequired,omitempty"`
	LogoURI                string    `json:"logoUri,omitempty" maxLength:"2000" doc:"Refused: the logo is set with the sign-in experience of the application"`
}

func (g *applicationOIDCGiven) onto(c *store.Client) error {
	const op = "set application"
	switch {
	case g == nil:
		return nil
	case g.BackchannelURI != "":
		return store.InvalidField(op, "oidcClientMetadata.backchannelLogoutUri", "does not fit: there is no back-channel sign-out")
	case g.BackchannelSession:
		return store.InvalidField(op, "oidcClientMetadata.backchannelLogoutSessionRequired", "does not fit: there is no back-channel sign-out")
	case g.LogoURI != "":
		return store.InvalidField(op, "oidcClientMetadata.logoUri", "does not fit: set the logo with PUT "+Path+applicationPath("{id}", "/sign-in-experience"))
	}
	if g.RedirectURIs != nil {
		c.RedirectURIs = *g.RedirectURIs
	}
	if g.PostLogoutRedirectURIs != nil {
		c.PostLogoutRedirectURIs = *g.PostLogoutRedirectURIs
	}
	return nil
}

// What is the same for every application here.
const (
	idTokenTTL  = int(time.Hour / time.Second)
	refreshDays = 14
	daySeconds  = int(24 * time.Hour / time.Second)
)

// applicationCustom is shown as it is; only what may differ between applications can be set
// to anything else.
type applicationCustom struct {
	Origins     []string `json:"corsAllowedOrigins"`
	IDTokenTTL  int      `json:"idTokenTtl" doc:"Seconds"`
	RefreshDays int      `json:"refreshTokenTtlInDays"`
	Always      bool     `json:"alwaysIssueRefreshToken"`
	Rotate      bool     `json:"rotateRefreshToken"`
}

type applicationCustomGiven struct {
	Origins     *[]string `json:"corsAllowedOrigins,omitempty" maxItems:"100" doc:"Each the origin of a redirect URI, which are allowed anyway"`
	IDTokenTTL  *int      `json:"idTokenTtl,omitempty" doc:"3600 is the only one"`
	RefreshTTL  *int      `json:"refreshTokenTtl,omitempty" doc:"Seconds; 1209600 is the only one"`
	RefreshDays *int      `json:"refreshTokenTtlInDays,omitempty" doc:"14 is the only one"`
	Always      *bool     `json:"alwaysIssueRefreshToken,omitempty"`
	Rotate      *bool     `json:"rotateRefreshToken,omitempty" doc:"true is the only one"`
	Exchange    bool      `json:"allowTokenExchange,omitempty" doc:"false is the only one"`
	Device      bool      `json:"isDeviceFlow,omitempty" doc:"false is the only one"`
	MaxGrants   *int      `json:"maxAllowedGrants,omitempty" doc:"Refused"`
}

func (g *applicationCustomGiven) onto(c *store.Client) error {
	if g == nil {
		return nil
	}
	refuse := func(field, reason string) error {
		return store.InvalidField("set application", "customClientMetadata."+field, reason)
	}
	only := func(given *int, one int) bool { return given == nil || *given == one }
	switch {
	case !only(g.IDTokenTTL, idTokenTTL):
		return refuse("idTokenTtl", "is "+strconv.Itoa(idTokenTTL)+" for every application")
	case !only(g.RefreshTTL, refreshDays*daySeconds):
		return refuse("refreshTokenTtl", "is "+strconv.Itoa(refreshDays*daySeconds)+" for every application")
	case !only(g.RefreshDays, refreshDays):
		return refuse("refreshTokenTtlInDays", "is "+strconv.Itoa(refreshDays)+" for every application")
	case g.Rotate != nil && !*g.Rotate:
		return refuse("rotateRefreshToken", "cannot be false: refresh tokens always rotate")
	case g.Exchange:
		return refuse("allowTokenExchange", "cannot be true: there is no token exchange")
	case g.Device:
		return refuse("isDeviceFlow", "cannot be true: there is no device flow")
	case g.MaxGrants != nil:
		return refuse("maxAllowedGrants", "does not fit: grants are not counted")
	}
	if g.Always != nil {
		c.AlwaysRefresh = *g.Always
	}
	if g.Origins == nil {
		return nil
	}
	allowed := originsOf(c.RedirectURIs)
	for i, o := range *g.Origins {
		if !slices.Contains(allowed, o) {
			return refuse("corsAllowedOrigins["+strconv.Itoa(i)+"]", "is no origin of a redirect URI: those, and no others, may call from browsers")
		}
	}
	c.Metadata = nil
	if len(*g.Origins) > 0 {
		c.Metadata, _ = json.Marshal(applicationKept{*g.Origins}) // strings
	}
	return nil
}

// applicationKept is what is kept of an application because it was sent.
type applicationKept struct {
	Origins []string `json:"corsAllowedOrigins"`
}

func showCustom(c store.Client) applicationCustom {
	var kept applicationKept
	_ = json.Unmarshal(c.Metadata, &kept) // there is none, or it was written here
	allowed := originsOf(c.RedirectURIs)
	gone := func(o string) bool { return !slices.Contains(allowed, o) }
	return applicationCustom{Origins: orEmpty(slices.DeleteFunc(kept.Origins, gone)), IDTokenTTL: idTokenTTL, RefreshDays: refreshDays, Always: c.AlwaysRefresh, Rotate: true}
}

func originsOf(uris []string) (out []string) {
	for _, text := range uris {
		if u, err := url.Parse(text); err == nil && u.Host != "" {
			out = append(out, u.Scheme+"://"+u.Host)
		}
	}
	return out
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// null is a field that Logto's answers have, and that is always null here.
type null struct{}

// MarshalJSON implements json.Marshaler.
func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// Schema implements huma.SchemaProvider.
func (null) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Description: "Always null"} }
