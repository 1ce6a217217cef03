package timeline

import (
	"time"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
)

// obstacle is what stands in the way, in words, and what helps.
type obstacle struct {
	Title, Text, Detail string
	Since               time.Time
	Soft                bool   // it hinders, and need not be why
	Post, Button        string // a form that mends it
	Href, Link          string // or where it is mended
}

// told puts an obstacle into words.
func told(v *shell.Visit, o admin.Obstacle, of view) obstacle {
	out := obstacle{Detail: o.Detail, Since: o.Since}
	email := func(text string) {
		out.Href, out.Link = shell.Path+string(shell.Email), text
	}
	experience := func() {
		out.Href, out.Link = shell.Path+string(shell.Experience), v.T("Open the sign-in experience")
	}
	create := func() { out.Href, out.Link = of.Create, v.T("Create the account for them") }
	switch o.Kind {
	case admin.ObstacleSuspended:
		out.Title, out.Text = v.T("The account is suspended"), v.T("Mail and codes work, and the right code lets them in no more.")
		out.Post, out.Button = root+"/reinstate", v.T("Reinstate")
	case admin.ObstacleClosed:
		out.Title, out.Text = v.T("There is no account, and nobody can register"), v.T("The mail tells them so instead of giving a code. Create the account, or open registration.")
		create()
	case admin.ObstacleNotAdmitted:
		out.Title, out.Text = v.T("There is no account, and the address cannot get one"), v.T("The lists of the sign-in experience keep such addresses from registering. You can create the account all the same.")
		create()
	case admin.ObstacleSignInOff:
		out.Title, out.Text = v.T("Signing in is switched off"), v.T("The sign-in experience is for registering only.")
		experience()
	case admin.ObstacleSuppressed:
		out.Title, out.Text = v.T("The address takes no mail"), v.T(suppressed[o.Reason])
		out.Post, out.Button = root+"/lift-suppression", v.T("Send mail to it again")
	case admin.ObstacleMuted:
		out.Title = v.T("Somebody said “this was not me”")
		out.Text = v.T("For %s more, codes go only to browsers that have signed in before. Lift this if the person asks for codes in a new browser.", duration(v, o.Wait))
		out.Post, out.Button = root+"/lift-mute", v.T("Send codes to any browser")
	case admin.ObstacleLimit:
		out.Title, out.Text = v.T(limits[o.Name].title), v.T(limits[o.Name].text, duration(v, o.Wait))
		out.Href, out.Link = shell.Path+string(shell.Settings)+"/limits", v.T("See the limits in force")
	case admin.ObstacleCeiling:
		out.Title, out.Text = v.T("No more mail is sent"), v.T("As many mails have gone out as IDP_LIMIT_MAILS allows. Nobody but operators can ask for codes until there is room again.")
		out.Href, out.Link = shell.Path+string(shell.Settings)+"/limits", v.T("See the limits in force")
	case admin.ObstacleNoConnector:
		out.Title, out.Text = v.T("No email is set up"), v.T("Without a connector no code leaves this server, for anybody.")
		email(v.T("Set up email"))
	case admin.ObstacleInbox:
		out.Title, out.Text, out.Soft = v.T("Mails stay on this server"), v.T("The development mailbox keeps them: nobody outside gets a code."), true
		email(v.T("Set up email"))
	case admin.ObstacleDown:
		out.Title, out.Text = v.T("Mail does not leave the house"), v.T("%s fails, and there is no other connector that works. Mails wait, and are tried again.", o.Name)
		email(v.T("Look at the connector and test it"))
	case admin.ObstacleSandbox:
		out.Title, out.Text, out.Soft = v.T("The provider is in its sandbox"), v.T("%s sends only to addresses that are verified there, until you ask the provider for production access.", o.Name), true
		email(v.T("Look at the connector and test it"))
	case admin.ObstacleBacklog:
		out.Title, out.Text, out.Soft = v.T("Mails are waiting"), v.T("%d mails of the last half hour have not left yet: codes come late.", o.Count), true
		out.Href, out.Link = shell.Path+string(shell.Deliveries), v.T("See deliveries")
	}
	return out
}

var suppressed = map[store.Reason]string{
	store.ReasonBounce:    shell.N("A mail to it bounced for good: the mailbox is not there, or is full. Check the spelling with the person before you lift this."),
	store.ReasonComplaint: shell.N("Its owner marked a mail as spam. Lift this only if they ask you to."),
	store.ReasonRefused:   shell.N("The mail server refused the address. Check the spelling with the person before you lift this."),
	store.ReasonManual:    shell.N("An operator put it on the list."),
}

var limits = map[string]struct{ title, text string }{
	store.LimitRecipientSends: {shell.N("Too many mails were asked for"), shell.N("Browsers that are new to the address have asked for as many mails as it can have in an hour or a day. They get the next one in %s; where the person has signed in before, it goes out at once. A sign-in link helps meanwhile.")},
	store.LimitAccountGuesses: {shell.N("Too many wrong codes were typed"), shell.N("That was in browsers that are new to the address. Short codes are looked at again there in %s; another code is longer, and works at once.")},
	store.LimitUnknownSends:   {shell.N("Too many mails went there"), shell.N("It has no account, and was written to too often: mails go nowhere for another %s. Creating the account ends this at once.")},
	store.LimitUnknownNotices: {shell.N("Mail that there is no account is not repeated"), shell.N("It has no account, and was told so today already: the next such mail goes out in %s.")},
}

// duration tells a wait in words, rounded up.
func duration(v *shell.Visit, d time.Duration) string {
	switch minutes := int((d + time.Minute - 1) / time.Minute); {
	case minutes >= 120:
		return v.T("%d hours", (minutes+59)/60)
	case minutes == 1:
		return v.T("a minute")
	default:
		return v.T("%d minutes", minutes)
	}
}

// link is a page of another area, "" for none.
func link(entry shell.Entry, id string) string {
	if id == "" {
		return ""
	}
	return entry.At(id)
}
