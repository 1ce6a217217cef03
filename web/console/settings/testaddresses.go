package settings

import (
	"net/http"
	"net/url"
	"time"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
	"idp/web/page"
)

// testsPath is where the addresses for tests are.
const testsPath = root + "/test-addresses"

// tested is an address for tests as the pages tell of it.
type tested struct {
	Email, Path   string
	Since, EndsAt time.Time
	Over          bool
}

func tellTest(t admin.TestAddress) tested {
	return tested{page.Address(t.Email), testsPath + "/" + url.PathEscape(string(t.Email)), t.CreatedAt, t.EndsAt, t.Expired}
}

type testsView struct {
	shell.Frame
	Tabs []shell.Tab
	All  []tested
}

// tests is GET /console/settings/test-addresses. There are 100 at most: the page has all of them.
func (p *Pages) tests(v *shell.Visit) error {
	all, err := p.admin.TestAddresses(v.R.Context())
	if err != nil {
		return err
	}
	view := testsView{Frame: v.Frame(shell.Settings), Tabs: tabs(v, testsPath)}
	for _, t := range all {
		view.All = append(view.All, tellTest(t))
	}
	return v.Show(http.StatusOK, p.set, "tests", view)
}

type newTestView struct {
	shell.Frame
	shell.Form
	Least, Most string // days
}

// newTest is GET /console/settings/test-addresses/new.
func (p *Pages) newTest(v *shell.Visit) error {
	week := p.shell.Store.Now().AddDate(0, 0, 7).Format(time.DateOnly)
	return p.showNewTest(v, http.StatusOK, shell.NewForm(url.Values{"until": {week}}, time.Time{}))
}

func (p *Pages) showNewTest(v *shell.Visit, status int, f shell.Form) error {
	now := p.shell.Store.Now()
	return v.Show(status, p.set, "newtest", newTestView{v.Frame(shell.Settings), f, now.Format(time.DateOnly), now.AddDate(0, 0, 90).Format(time.DateOnly)})
}

// addTest is POST /console/settings/test-addresses/new. That a code which others know lets
// whoever has it in is confirmed by the address, typed again.
func (p *Pages) addTest(v *shell.Visit) error {
	f := v.Typed()
	day, err := time.Parse(time.DateOnly, v.Got("until"))
	switch {
	case v.Got("email") == "":
		f.Reject("email", v.T("Enter an address."))
	case err != nil:
		f.Reject("until", v.T("Choose a day."))
	case !v.Confirmed(v.Got("email")):
		f.Reject("confirm", v.T("That is not the address above: nothing was changed."))
	default:
		var refused error
		err := v.Once(func() (string, error) {
			if _, refused = p.admin.SetTestAddress(v.R.Context(), v.By, v.Got("email"), v.Got("code"), day.AddDate(0, 0, 1)); refused != nil {
				return "", refused
			}
			return testsPath, v.Done(testsPath, v.T("%s has a fixed code now. No mail goes there until it ends.", v.Got("email")))
		})
		switch {
		case refused == nil:
			return err
		case store.CodeOf(refused) == store.InUse:
			f.Reject("email", v.T("There are 100 addresses for tests, and there can be no more."))
		case !f.Take(v, refused):
			return refused
		}
	}
	return p.showNewTest(v, http.StatusUnprocessableEntity, f)
}

type testView struct {
	shell.Frame
	Of      tested
	Confirm string // what is wrong with the name that was typed to remove it
}

func (p *Pages) findTest(v *shell.Visit) (tested, error) {
	all, err := p.admin.TestAddresses(v.R.Context())
	for _, t := range all {
		if string(t.Email) == v.Param("email") {
			return tellTest(t), nil
		}
	}
	if err == nil {
		err = &store.Error{Code: store.NotFound, Op: "read test address"}
	}
	return tested{}, err
}

// showTest is GET /console/settings/test-addresses/EMAIL.
func (p *Pages) showTest(v *shell.Visit) error {
	t, err := p.findTest(v)
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, p.set, "test", testView{v.Frame(shell.Settings), t, ""})
}

// removeTest is POST /console/settings/test-addresses/EMAIL/remove.
func (p *Pages) removeTest(v *shell.Visit) error {
	t, err := p.findTest(v)
	if err != nil {
		return err
	}
	if !v.Confirmed(t.Email) && !v.Confirmed(v.Param("email")) {
		return v.Show(http.StatusUnprocessableEntity, p.set, "test", testView{v.Frame(shell.Settings), t, v.T("That is not the address: nothing was changed.")})
	}
	if err := p.admin.RemoveTestAddress(v.R.Context(), v.By, v.Param("email")); err != nil {
		return err
	}
	return v.Done(testsPath, v.T("%s gets codes by mail again.", t.Email))
}
