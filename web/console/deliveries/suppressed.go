package deliveries

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"idp/admin"
	"idp/mailer"
	"idp/store"
	"idp/store/address"
	"idp/web/console/shell"
)

type suppressedView struct {
	shell.Frame
	shell.Form
	Tabs    []shell.Tab
	Sought  string
	Unclear string // what is wrong with what was searched
	Found   *one   // the address that was searched
	All     []one
	Pager   shell.Pager
	Confirm string // what is wrong with the confirmation
	MaxNote int
}

// one is an address that takes no mail.
type one struct {
	admin.Suppression
	Why, Path, Mail string
}

var reasons = map[store.Reason]string{
	store.ReasonBounce: shell.N("A mail bounced for good"), store.ReasonComplaint: shell.N("The recipient called a mail spam"),
	store.ReasonRefused: shell.N("The provider refused the address"), store.ReasonManual: shell.N("Added by hand"),
}

func tell(v *shell.Visit, s admin.Suppression) one {
	out := one{Suppression: s, Why: v.T(reasons[s.Reason])}
	if s.Address != "" {
		out.Path = suppressed + "?q=" + url.QueryEscape(s.Address)
	}
	if s.Mail != "" {
		out.Mail = pathOf(s.Mail)
	}
	return out
}

// suppressions is GET /console/deliveries/suppressed.
func (p *Pages) suppressions(v *shell.Visit) error {
	return p.showSuppressed(v, http.StatusOK, shell.NewForm(url.Values{}, time.Time{}), v.Got("q"), "")
}

func (p *Pages) showSuppressed(v *shell.Visit, status int, f shell.Form, sought, confirm string) error {
	view := suppressedView{Frame: v.Frame(shell.Deliveries), Form: f, Tabs: tabs(v, true), Sought: sought, Confirm: confirm, MaxNote: mailer.MaxNote}
	if sought != "" {
		to, err := address.Parse(sought)
		if err != nil {
			view.Unclear = v.T("Enter the whole address: only its fingerprint is searched.")
			return v.Show(http.StatusUnprocessableEntity, p.set, "suppressed", &view)
		}
		s, err := p.admin.Suppression(v.R.Context(), to)
		switch {
		case store.CodeOf(err) == store.NotFound:
		case err != nil:
			return err
		default:
			found := tell(v, s)
			view.Found = &found
		}
		return v.Show(status, p.set, "suppressed", &view)
	}
	all, err := p.admin.Suppressions(v.R.Context(), v.Got("before"), perPage+1, true)
	if err != nil {
		return err
	}
	further := ""
	if len(all) > perPage {
		all = all[:perPage]
		further = all[perPage-1].Cursor
	}
	for _, s := range all {
		view.All = append(view.All, tell(v, s))
	}
	view.Pager = v.Turn("before", "", further)
	return v.Show(status, p.set, "suppressed", &view)
}

// suppress is POST /console/deliveries/suppressed.
func (p *Pages) suppress(v *shell.Visit) error {
	f := v.Typed()
	to, err := address.Parse(v.Got("address"))
	if err != nil {
		f.Reject("address", v.T("That is no mail address."))
		return p.showSuppressed(v, http.StatusUnprocessableEntity, f, "", "")
	}
	switch err := p.admin.Suppress(v.R.Context(), v.By, to, v.Got("note")); {
	case err == nil:
		return v.Done(suppressed, v.T("%s takes no mail any more.", string(to)))
	case store.CodeOf(err) == store.Conflict:
		f.Reject("address", v.T("This address is on the list already."))
	case !f.Take(v, err):
		return err
	}
	return p.showSuppressed(v, http.StatusUnprocessableEntity, f, "", "")
}

// lift is POST /console/deliveries/suppressed/lift.
func (p *Pages) lift(v *shell.Visit) error {
	to, err := address.Parse(v.Got("address"))
	if err != nil {
		return &store.Error{Code: store.NotFound, Op: "lift suppression", Err: err}
	}
	if !strings.EqualFold(v.Got("confirm"), string(to)) {
		return p.showSuppressed(v, http.StatusUnprocessableEntity, v.Typed(), string(to), v.T("That is not the address: nothing was changed."))
	}
	if err := p.admin.LiftSuppression(v.R.Context(), v.By, to); err != nil {
		return err
	}
	return v.Done(suppressed, v.T("Mail is sent to %s again.", string(to)))
}

// Fields are the hidden fields of the form that lifts it.
func (o one) Fields() map[string]string { return map[string]string{"address": o.Address} }
