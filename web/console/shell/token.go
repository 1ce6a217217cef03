package shell

import (
	"strings"

	"idp/web/form"
)

// A form's token has two parts. The first says that a page of the console in this browser
// made the form: with it, what was entered is kept for who has to sign in again. The second
// says for whom: a tab that one person left open does nothing in the name of the next.

// token goes into the forms of a page.
func (v *Visit) token() string {
	if v.Session.User.ID == "" { // a form that is to be sent again keeps its own
		return v.Form.Get("t")
	}
	return form.Token(v.shell.tokens, v.browser[:]) + "." + form.Token(v.shell.tokens, v.browser[:], []byte(v.Session.User.ID))
}

// isOurs tells whether a page in this browser made the form.
func (v *Visit) isOurs() bool {
	made, _, _ := strings.Cut(v.Form.Get("t"), ".")
	return form.Matches(made, v.shell.tokens, v.browser[:])
}

// isTheirs tells whether it was made for who is signed in.
func (v *Visit) isTheirs() bool {
	_, whose, _ := strings.Cut(v.Form.Get("t"), ".")
	return form.Matches(whose, v.shell.tokens, v.browser[:], []byte(v.Session.User.ID))
}
