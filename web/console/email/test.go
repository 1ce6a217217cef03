package email

import (
	"errors"

	"idp/admin"
	"idp/store"
	"idp/store/address"
	"idp/web/console/shell"
	"idp/web/page"
)

// tested is what became of a test mail.
type tested struct {
	Sent                        bool
	To, From, Subject, Provider string
	Milliseconds                int64
	Delivery                    string // address of its page
	Said, Hint                  string // by the provider, where it was not taken
}

// test sends a mail through a connector as it is typed.
func (p *Pages) test(v *shell.Visit, f admin.Factory, form *shell.Form, config map[string]any, asJSON bool) (*tested, error) {
	to, ok := recipient(v, form)
	if !ok {
		return nil, nil //nolint:nilnil // the form says why there is none
	}
	sent, err := p.admin.TestConnector(v.R.Context(), v.By, f.ID, admin.ConnectorTest{
		To: to, Config: config, Usage: store.Usage(v.Form.Get("usage")), Locale: v.Form.Get("locale"),
	})
	out := &tested{Sent: err == nil, To: page.Address(to), From: sent.From, Subject: sent.Subject, Provider: sent.Provider, Milliseconds: sent.Took.Milliseconds()}
	if !sent.ID.IsZero() {
		out.Delivery = shell.Path + "/deliveries/" + sent.ID.String()
	}
	return out.refused(v, form, err, func(err error) bool { return takeConfig(v, form, err, asJSON) })
}

// refused puts an error into what became of a test, or into the form.
func (t *tested) refused(v *shell.Visit, form *shell.Form, err error, take func(error) bool) (*tested, error) {
	var refused *admin.SendError
	switch {
	case err == nil:
		return t, nil
	case errors.As(err, &refused):
		t.Said, t.Hint = refused.Err.Error(), v.T(refused.Hint)
		if refused.Class == "refused" && t.Hint == "" {
			t.Hint = v.T("The address is refused, not the connector: send the test to another one.")
		}
		return t, nil
	case take(err):
		return nil, nil //nolint:nilnil // the form says why there is none
	}
	return nil, err
}

// recipient is the address to send a test to; false if it is none, which the form says.
func recipient(v *shell.Visit, form *shell.Form) (store.Email, bool) {
	to, err := address.Parse(v.Got("to"))
	if err != nil {
		form.Reject("to", v.T("This is not an email address."))
		return "", false
	}
	return to, true
}
