package webhooks

import (
	"net/http"
	"strings"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
)

const perPage = 20

type listView struct {
	shell.Frame
	Hooks []row
	Pager shell.Pager
	Full  bool // there can be no more
}

type row struct {
	Title, URL, Path string
	Enabled, Failing bool
	Standing         admin.HookStanding
	Last             *told // nil: nothing was posted yet
}

// list is GET /console/webhooks.
func (p *Pages) list(v *shell.Visit) error {
	found, err := p.admin.Hooks(v.R.Context())
	if err != nil {
		return err
	}
	full := len(found) >= store.MaxHooks
	n, l := v.Listing(perPage)
	found = named(found, l.Search)
	total := len(found)
	found = found[min(l.Skip, total):min(l.Skip+l.Limit, total)]
	view := listView{Frame: v.Frame(shell.Webhooks), Pager: v.Page(n, perPage, len(found), total), Full: full}
	for _, h := range found {
		r := row{Title: titleOf(h), URL: h.Config.URL, Path: path(h.ID, ""), Enabled: h.Enabled}
		if r.Standing, err = p.admin.HookStanding(v.R.Context(), h.ID, glanced); err != nil {
			return err
		}
		r.Failing = r.Enabled && r.Standing.Failing()
		if !r.Standing.Last.ID.IsZero() {
			last := tell(v, r.Standing.Last)
			r.Last = &last
		}
		view.Hooks = append(view.Hooks, r)
	}
	return v.Show(http.StatusOK, p.set, "list", view)
}

// named are the webhooks that have a text in their name or address.
func named(hooks []admin.Hook, text string) (out []admin.Hook) {
	text = strings.ToLower(text)
	for _, h := range hooks {
		if strings.Contains(strings.ToLower(h.Name), text) || strings.Contains(strings.ToLower(h.Config.URL), text) {
			out = append(out, h)
		}
	}
	return out
}
