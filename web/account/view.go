package account

import (
	"strings"
	"time"

	"idp/store"
	"idp/web/page"
)

// view is what the templates show. A page uses some of it.
type view struct {
	page.Frame
	T, O string // token and sealed sign-out of forms

	Email, Name string
	Since       time.Time
	Sessions    []row
	More        int    // sessions that are not shown
	Notice      string // "ended"
	Stale       bool   // the form was out of date: nothing was done

	Asker string // the app that asks to sign out

	Refused   bool // the app's address to return to is not registered
	Mismatch  *page.Mismatch
	Reference string
}

// row is one session in the list.
type row struct {
	ID              string
	N               int // of the row, for labels
	Browser, System string
	SignedIn, Used  time.Time
	Here            bool
}

// view starts a page's view; here is its own address.
func (p *Pages) view(v *visit, here string) *view {
	data := &view{Frame: page.Of(p.host, v.look), T: p.token(v)}
	data.Languages = page.Languages(p.languages, v.lang, here)
	u := v.session.User
	data.Email, data.Name, data.Since = page.Address(u.Email), u.Name, u.CreatedAt
	return data
}

func (p *Pages) render(v *visit, status int, name string, data *view) error {
	return p.templates.Render(v.w, status, v.lang, name, data)
}

// maxRows bounds the list. Nobody keeps so many browsers: who has more of them signs
// out everywhere.
const maxRows = 50

// list shows the sessions, this browser's first.
func (p *Pages) list(v *visit, sessions []store.Session, data *view) {
	rows := []row{p.row(v, v.session)}
	for _, s := range sessions {
		if s.Hash == v.hash {
			rows[0] = p.row(v, s)
			continue
		}
		if s.Browser == v.browser { // an earlier one of this browser: it ends with this one
			continue
		}
		if len(rows) == maxRows {
			data.More++
			continue
		}
		rows = append(rows, p.row(v, s))
	}
	for i := range rows {
		rows[i].N = i
	}
	data.Sessions = rows
}

func (p *Pages) row(v *visit, s store.Session) row {
	r := row{ID: p.name(s.Hash), SignedIn: s.AuthTime, Here: s.Hash == v.hash}
	if s.SeenAt.Sub(s.AuthTime) > time.Minute { // else it says the same twice
		r.Used = s.SeenAt
	}
	r.Browser, r.System, _ = strings.Cut(s.Agent, " on ") // as the sign-in pages write it
	return r
}
