package settings

import (
	"net/http"
	"slices"
	"strings"

	"idp/web/console/shell"
)

// groups are the titles of settings, in the order of the page.
var groups = [][3]string{
	{"otp", shell.N("Codes"), shell.N("Codes that open the console have at least 8 digits, whatever is set here.")},
	{"limit", shell.N("Limits"), shell.N("How much of something is let through in how long: 5/h is five in an hour. With two of them, both hold.")},
	{"ttl", shell.N("Lifetimes"), shell.N("The console has its own: a session ends after 30 minutes without use, and after 12 hours.")},
}

// meanings say what a setting is, by its variable.
var meanings = map[string]string{
	"IDP_OTP_DIGITS":            shell.N("Digits of a code."),
	"IDP_OTP_CODE_TTL":          shell.N("How long a code is right."),
	"IDP_OTP_TTL":               shell.N("How long one attempt to sign in lives, with all its codes."),
	"IDP_OTP_TRIES":             shell.N("Wrong codes in one attempt."),
	"IDP_OTP_SENDS":             shell.N("Mails in one attempt."),
	"IDP_OTP_RESEND_WAIT":       shell.N("Wait before a second code can be asked for. Before the third it is twice as long."),
	"IDP_OTP_LINK":              shell.N("Whether mails have a link beside the code."),
	"IDP_LIMIT_IP_SENDS":        shell.N("Codes that were asked for and not used, per network."),
	"IDP_OTP_PROOF_BITS":        shell.N("Work of a browser whose network is asked for a proof, in bits. One more doubles it."),
	"IDP_LIMIT_IP_PROOF":        shell.N("Of these, those that need no proof that this is not a flood."),
	"IDP_LIMIT_IP_WAITS":        shell.N("Of those that need a proof, the ones for which half a minute of waiting is enough."),
	"IDP_LIMIT_IP_GUESSES":      shell.N("Wrong codes per network."),
	"IDP_LIMIT_RECIPIENT_SENDS": shell.N("Mails to one address."),
	"IDP_LIMIT_UNKNOWN_SENDS":   shell.N("Mails to an address that has no account. Those beyond go nowhere, and nobody is told."),
	"IDP_LIMIT_UNKNOWN_NOTICES": shell.N("Mails that say that there is no account."),
	"IDP_LIMIT_ACCOUNT_GUESSES": shell.N("Wrong codes for one address, in all attempts together."),
	"IDP_LIMIT_GUESS_ALARM":     shell.N("Wrong codes on attempts that came to nothing, for all addresses together. Beyond it new codes have 8 digits, until there are fewer again."),
	"IDP_LIMIT_MAILS":           shell.N("All mails together. Beyond it nobody can ask for codes but operators, and mails wait."),
	"IDP_TTL_AUTH_CODE":         shell.N("Authorization code: from the sign-in until the app fetches tokens."),
	"IDP_TTL_ACCESS_TOKEN":      shell.N("Access token. An API may have its own."),
	"IDP_TTL_ID_TOKEN":          shell.N("ID token."),
	"IDP_TTL_REFRESH_IDLE":      shell.N("Refresh token that is not used."),
	"IDP_TTL_REFRESH_ABSOLUTE":  shell.N("Refresh token with all that replace it."),
	"IDP_TTL_SESSION_IDLE":      shell.N("Session of a browser that is not used."),
	"IDP_TTL_SESSION_ABSOLUTE":  shell.N("Session of a browser, used or not."),
}

// Tells tells whether the page says what a setting means.
func Tells(variable string) bool { return meanings[variable] != "" }

type setting struct{ Variable, Meaning, Text string }

type group struct {
	Name, Text string
	Settings   []setting
}

type limitsView struct {
	shell.Frame
	Tabs   []shell.Tab
	Groups []group
}

// limits is GET /console/settings/limits.
func (p *Pages) limits(v *shell.Visit) error {
	view := limitsView{Frame: v.Frame(shell.Settings), Tabs: tabs(v, root+"/limits")}
	for _, g := range groups {
		i := slices.IndexFunc(p.instance.InForce, func(l Limits) bool { return l.Group == g[0] })
		if i < 0 {
			continue
		}
		shown := group{Name: v.T(g[1]), Text: v.T(g[2])}
		for _, one := range p.instance.InForce[i].Values {
			shown.Settings = append(shown.Settings, setting{one.Variable, v.T(meanings[one.Variable]), text(v, one.Text)})
		}
		view.Groups = append(view.Groups, shown)
	}
	return v.Show(http.StatusOK, p.set, "limits", view)
}

// text is a value as people read it.
func text(v *shell.Visit, value string) string {
	switch value {
	case "true":
		return v.T("Yes")
	case "false":
		return v.T("No")
	case "off", "":
		return v.T("No limit")
	}
	return strings.ReplaceAll(value, ",", ", ")
}

type aboutView struct {
	shell.Frame
	Tabs                                 []shell.Tab
	Endpoint, Issuer, Discovery, Version string
	Database                             string
}

// about is GET /console/settings/instance.
func (p *Pages) about(v *shell.Visit) error {
	endpoint := strings.TrimRight(p.shell.Endpoint.String(), "/")
	issuer := endpoint + "/oidc"
	return v.Show(http.StatusOK, p.set, "instance", aboutView{
		v.Frame(shell.Settings), tabs(v, root+"/instance"), endpoint, issuer, issuer + "/.well-known/openid-configuration", p.instance.Version, p.instance.Database,
	})
}
