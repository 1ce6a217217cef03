package applications

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idp/store"
	"idp/web/console/shell"
	"idp/web/page"
)

type redirectsView struct {
	frame
	shell.Form
	Sent       string
	Asked      bool // for an address
	Matches    bool
	AnyPort    bool // it matches because ports of a loopback address are not compared
	Difference *page.Mismatch
}

// redirects is GET /console/applications/{id}/redirects: whether what an app sends is
// registered. An address of our own authorization endpoint is taken apart.
func (p *Pages) redirects(v *shell.Visit) error {
	c, err := p.interactive(v)
	if err != nil {
		return err
	}
	view := redirectsView{frame: p.frame(v, c, tabCheck), Form: v.Typed(), Sent: sentURI(v.Got("sent"))}
	if view.Asked = view.Sent != ""; view.Asked {
		exact := slices.Contains(c.RedirectURIs, view.Sent)
		view.Matches = c.Registered(view.Sent)
		view.AnyPort = view.Matches && !exact
		if !view.Matches {
			view.Difference = page.NewMismatch(store.Problem{Client: c.ID, Sent: view.Sent, Registered: c.RedirectURIs})
		}
	}
	return v.Show(http.StatusOK, p.set, "redirects", &view)
}

// sentURI is the redirect URI in what was pasted: itself, or that of an authorization
// request, as it stands in the address bar of a browser.
func sentURI(text string) string {
	address, query, found := strings.Cut(text, "?")
	if !found || !strings.HasSuffix(address, "/oidc/auth") {
		return text
	}
	if values, err := url.ParseQuery(query); err == nil && values.Has("redirect_uri") {
		return values.Get("redirect_uri")
	}
	return text
}
