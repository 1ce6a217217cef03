package deliveries

import (
	"slices"

	"idp/store"
	"idp/web/console/shell"
)

// state is what is said of a state of a mail: its name, what it means, and what helps.
type state struct{ value, name, kind, means, helps string }

var states = []state{
	{"queued", shell.N("Queued"), "info", shell.N("It waits for a connector to take it."), shell.N("If it stays like this, look whether a connector is down under Email.")},
	{"sent", shell.N("Sent"), "good", shell.N("The provider has taken it. Nothing was heard of it since."), shell.N("If it did not come, look into the spam folder. What becomes of mails is only known once feedback of the provider is set up.")},
	{"delivered", shell.N("Delivered"), "good", shell.N("The recipient’s server has taken it."), shell.N("If nobody finds it, it is in the spam folder or a filter has moved it.")},
	{"delayed", shell.N("Delayed"), "warn", shell.N("The recipient’s server does not take it yet. The provider goes on trying."), shell.N("A new code is sent when it is asked for at the sign-in page.")},
	{"bounced", shell.N("Bounced"), "bad", shell.N("The recipient’s server refused it."), shell.N("Check how the address is written. If it bounced for good, it takes no mail until that is lifted.")},
	{"complained", shell.N("Called spam"), "bad", shell.N("The recipient has marked it as spam."), shell.N("It takes no mail until that is lifted. Ask the recipient first.")},
	{"rejected", shell.N("Rejected"), "bad", shell.N("The provider took it, and then did not send it."), shell.N("Providers do that if they find a virus. Look at your template.")},
	{"failed", shell.N("Not sent"), "bad", shell.N("The connectors refused it."), shell.N("The error says why. Send a test under Email once it is put right.")},
	{"expired", shell.N("Too late"), "bad", shell.N("No connector took it before its code had expired."), shell.N("Look whether a connector is down, or its limit too low, under Email.")},
	{"suppressed", shell.N("Held back"), "warn", shell.N("It was not sent: the address takes no mail."), shell.N("See why among the addresses that take no mail, and lift that if it is over.")},
	{"withheld", shell.N("Not for anybody"), "", shell.N("It went nowhere on purpose: the address has no account and was written to too often, or it is for tests."), shell.N("Nothing is to be done. The sign-in page looks the same, so that nobody learns who has an account.")},
}

// stayed is said in the place of "sent" where no provider was asked.
var stayed = state{means: shell.N("It is in the development mailbox of this server: nobody outside was sent it."), helps: shell.N("Set up Amazon SES or an SMTP server under Email, or see why the connectors before the mailbox did not take it.")}

func stateOf(value string) state {
	if i := slices.IndexFunc(states, func(s state) bool { return s.value == value }); i >= 0 {
		return states[i]
	}
	return state{value: value, name: value}
}

// usages are what mails are for.
var usages = []struct {
	usage store.Usage
	name  string
}{
	{store.UsageSignIn, shell.N("Sign-in code")},
	{store.UsageRegister, shell.N("Registration code")},
	{store.UsageForgotPassword, shell.N("Recovery code")},
	{store.UsageGeneric, shell.N("Code")},
	{store.UsageBindNewIdentifier, shell.N("Code for a new address")},
	{store.UsageUserPermissionValidation, shell.N("Code for a fresh proof")},
	{store.UsageMfaVerification, shell.N("Code, asked for over the API")},
	{store.UsageBindMfa, shell.N("Code for a second factor")},
	{store.UsageOrganizationInvitation, shell.N("Invitation")},
	{store.UsageRecovered, shell.N("Notice of a recovery")},
	{store.UsageNoAccount, shell.N("Answer: no account")},
	{store.UsageClosed, shell.N("Answer: no registration")},
}

func usageName(v *shell.Visit, u store.Usage) string {
	for _, one := range usages {
		if one.usage == u {
			return v.T(one.name)
		}
	}
	return string(u)
}
