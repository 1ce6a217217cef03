package users

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"idp/store"
	"idp/web/console/shell"
)

type sessionsView struct {
	shell.Frame
	head
	Sessions []session
	Grants   []grant
}

type session struct {
	ID, Agent              string
	Since, Seen, ExpiresAt time.Time
}

type grant struct {
	ID, App, Path, Scopes string
	Since, ExpiresAt      time.Time
	Offline               bool
}

// sessions is GET /console/users/ID/sessions.
func (p *Pages) sessions(v *shell.Visit) error {
	u, err := p.of(v)
	if err != nil {
		return err
	}
	view := sessionsView{Frame: v.Frame(shell.Users), head: headOf(v, u, "/sessions")}
	live, err := p.admin.Sessions(v.R.Context(), u.ID)
	if err != nil {
		return err
	}
	for _, s := range live {
		view.Sessions = append(view.Sessions, session{store.SessionID(s.Hash), cmp.Or(s.Agent, v.T("A browser that is not known")), s.AuthTime, s.SeenAt, s.ExpiresAt})
	}
	grants, err := p.admin.Grants(v.R.Context(), u.ID)
	if err != nil {
		return err
	}
	for _, g := range grants {
		view.Grants = append(view.Grants, grant{
			g.ID.String(), cmp.Or(g.ClientName, g.Client), shell.Applications.At(g.Client), strings.Join(g.Scopes, " "), g.CreatedAt, g.ExpiresAt, g.Offline,
		})
	}
	return v.Show(http.StatusOK, p.set, "sessions", &view)
}

// end is POST /console/users/ID/sessions/end.
func (p *Pages) end(v *shell.Visit) error {
	return p.ended(v, p.admin.EndSession(v.R.Context(), v.By, v.Param("id"), v.Got("session"), true), v.T("Signed out in that browser."))
}

// endAll is POST /console/users/ID/sessions/end-all.
func (p *Pages) endAll(v *shell.Visit) error {
	return p.ended(v, p.admin.EndAllSessions(v.R.Context(), v.By, v.Param("id")), v.T("Signed out everywhere, with all apps."))
}

// revoke is POST /console/users/ID/grants/revoke.
func (p *Pages) revoke(v *shell.Visit) error {
	return p.ended(v, p.admin.RevokeGrant(v.R.Context(), v.By, v.Param("id"), v.Got("grant")), v.T("The app can do nothing for this person until they sign in to it again."))
}

// ended goes back to what is left. What has ended by itself, or by a first click, is as good.
func (p *Pages) ended(v *shell.Visit, err error, notice string) error {
	if store.CodeOf(err) == store.NotFound {
		if _, err := p.of(v); err != nil {
			return err
		}
		err = nil
	}
	if err != nil {
		return err
	}
	return v.Done(path(v.Param("id"), "/sessions"), notice)
}
