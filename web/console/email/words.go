package email

import (
	"cmp"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
)

// mailName is how a kind of mail is called, and when it goes out.
type mailName struct{ Name, When string }

var mailNames = map[store.Usage]mailName{
	store.UsageSignIn:                   {shell.N("Sign-in"), shell.N("Somebody signs in.")},
	store.UsageRegister:                 {shell.N("Registration"), shell.N("Somebody makes an account.")},
	store.UsageForgotPassword:           {shell.N("Recovery"), shell.N("Somebody gets back into an account.")},
	store.UsageGeneric:                  {shell.N("Anything else"), shell.N("A test, and mails that have no words of their own.")},
	store.UsageUserPermissionValidation: {shell.N("Fresh proof"), shell.N("Before something that needs one.")},
	store.UsageBindNewIdentifier:        {shell.N("New address"), shell.N("Somebody gives an account another address.")},
	store.UsageOrganizationInvitation:   {shell.N("Invitation"), shell.N("Somebody is invited.")},
	store.UsageRecovered:                {shell.N("Notice: recovered"), shell.N("An account was recovered. No code.")},
	store.UsageNoAccount:                {shell.N("Notice: no account"), shell.N("A recovery was asked for an address without an account. No code.")},
	store.UsageClosed:                   {shell.N("Notice: closed"), shell.N("The same, where nobody can register. No code.")},
	store.UsageMfaVerification:          {shell.N("Second factor"), shell.N("Accepted for Logto’s sake.")},
	store.UsageBindMfa:                  {shell.N("Set up second factor"), shell.N("Accepted for Logto’s sake.")},
}

func nameOf(v *shell.Visit, u store.Usage) string { return v.T(mailNames[u].Name) }

// mails are the kinds of mail, for a select.
func (p *Pages) mails(v *shell.Visit) (out []shell.Option) {
	for _, u := range admin.MailUsages() {
		out = append(out, shell.Option{Value: string(u), Name: nameOf(v, u) + " (" + string(u) + ")"})
	}
	return out
}

// tongues are the languages that there are mails in, by the names that their speakers know.
func (p *Pages) tongues() (out []shell.Option) {
	for _, tag := range admin.MailLocales() {
		out = append(out, shell.Option{Value: tag, Name: p.tongue(tag)})
	}
	return out
}

func (p *Pages) tongue(tag string) string {
	for _, l := range p.languages.All() {
		if l.Tag == tag {
			return l.Name
		}
	}
	return tag
}

// variable is a name that a template can use.
type variable struct{ Name, Says string }

var variableSays = map[string]string{
	"code":              shell.N("the code"),
	"link":              shell.N("address of the button; may be empty"),
	"notMe":             shell.N("address to say “this was not me”; may be empty"),
	"minutes":           shell.N("how long the code works"),
	"application.name":  shell.N("the app’s name"),
	"organization.name": shell.N("the organization that invites"),
	"user.primaryEmail": shell.N("the address that the mail goes to"),
	"user.name":         shell.N("the person’s name; empty where it is not known"),
	"locale":            shell.N("the reader’s language"),
	"request.time":      shell.N("when the mail was asked for"),
	"request.place":     shell.N("the network that it was asked from"),
	"request.browser":   shell.N("the browser that it was asked in"),
}

func variables(v *shell.Visit) (out []variable) {
	for _, name := range admin.MailVariables() {
		out = append(out, variable{"{{ " + name + " }}", v.T(cmp.Or(variableSays[name], name))})
	}
	return out
}

// versionField is the version of what is deleted, as a field of the form that does.
func versionField(f shell.Form) map[string]string { return map[string]string{"version": f.Version} }
