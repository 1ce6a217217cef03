package api

import (
	"context"
	"net/http"

	"idp/store"
)

// userSession is a session as Logto shows it. Logto keeps the libraries' own record of it;
// what of that exists here is there.
type userSession struct {
	Payload        sessionPayload    `json:"payload"`
	LastSubmission sessionSubmission `json:"lastSubmission" doc:"How it was made"`
	ClientID       *string           `json:"clientId" doc:"Always null: a session is for all applications"`
	AccountID      string            `json:"accountId"`
	ExpiresAt      int64             `json:"expiresAt" doc:"Milliseconds since 1970, unless it is used before"`
}

type sessionPayload struct {
	Expires        int64                    `json:"exp" doc:"Seconds since 1970"`
	IssuedAt       int64                    `json:"iat" doc:"Seconds since 1970"`
	ID             string                   `json:"jti" doc:"The claim sid of its ID tokens"`
	UID            string                   `json:"uid"`
	Kind           string                   `json:"kind" enum:"Session"`
	SignedIn       int64                    `json:"loginTs" doc:"Seconds since 1970"`
	AccountID      string                   `json:"accountId"`
	Authorizations map[string]authorization `json:"authorizations" doc:"Grants that hang on it, by application"`
}

type authorization struct {
	SID            string `json:"sid"`
	GrantID        string `json:"grantId"`
	PersistsLogout bool   `json:"persistsLogout" doc:"The grant outlives the session"`
}

type sessionSubmission struct {
	Event   string            `json:"interactionEvent" enum:"SignIn"`
	UserID  string            `json:"userId"`
	Records []nothing         `json:"verificationRecords" doc:"Always empty"`
	Context map[string]string `json:"signInContext" doc:"userAgent: the browser, as people are told of it"`
}

// userGrant is a grant as Logto shows it.
type userGrant struct {
	ID          string           `json:"id"`
	Payload     grantPayload     `json:"payload"`
	ExpiresAt   int64            `json:"expiresAt" doc:"Milliseconds since 1970, unless it is used before"`
	Application grantApplication `json:"application"`
}

type grantPayload struct {
	Expires   int64  `json:"exp" doc:"Seconds since 1970"`
	IssuedAt  int64  `json:"iat" doc:"Seconds since 1970"`
	ID        string `json:"jti"`
	Kind      string `json:"kind" enum:"Grant"`
	ClientID  string `json:"clientId"`
	AccountID string `json:"accountId"`
}

type grantApplication struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type sessionsBody struct {
	Sessions []userSession `json:"sessions"`
}

type grantsBody struct {
	Grants []userGrant `json:"grants"`
}

func (a *API) userSessions() {
	const noun = "users"
	register(a, operation{http.MethodGet, "/users/{id}/sessions", noun, "List where a person is signed in", 0}, a.listUserSessions)
	register(a, operation{http.MethodGet, "/users/{id}/sessions/{sessionId}", noun, "Read a session", 0}, a.getUserSession)
	register(a, operation{http.MethodDelete, "/users/{id}/sessions/{sessionId}", noun, "Sign a person out of a browser", http.StatusNoContent}, a.deleteUserSession)
	register(a, operation{http.MethodGet, "/users/{id}/grants", noun, "List what applications may do for a person", 0}, a.listUserGrants)
	register(a, operation{http.MethodDelete, "/users/{id}/grants/{grantId}", noun, "End what an application may do for a person", http.StatusNoContent}, a.deleteUserGrant)
}

func (a *API) listUserSessions(ctx context.Context, in *OfUser) (*struct{ Body sessionsBody }, error) {
	found, err := a.Admin.Sessions(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	grants, err := a.Admin.Grants(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &struct{ Body sessionsBody }{sessionsBody{[]userSession{}}}
	for _, s := range found {
		out.Body.Sessions = append(out.Body.Sessions, showSession(s, grants))
	}
	return out, nil
}

func (a *API) getUserSession(ctx context.Context, in *struct {
	OfUser
	Session string `path:"sessionId" maxLength:"64"`
}) (*struct{ Body userSession }, error) {
	s, err := a.Admin.Session(ctx, in.ID, in.Session)
	if err != nil {
		return nil, err
	}
	grants, err := a.Admin.Grants(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &struct{ Body userSession }{showSession(s, grants)}, nil
}

func (a *API) deleteUserSession(ctx context.Context, in *struct {
	OfUser
	Session string `path:"sessionId" maxLength:"64"`
	Target  string `query:"revokeGrantsTarget" enum:"all,firstParty" doc:"Either: what outlives the session ends, too"`
}) (*struct{}, error) {
	return nil, a.Admin.EndSession(ctx, actor(ctx), in.ID, in.Session, in.Target != "")
}

func (a *API) listUserGrants(ctx context.Context, in *struct {
	OfUser
	Type string `query:"appType" enum:"firstParty,thirdParty" doc:"There are no third-party applications: of these, none"`
}) (*struct{ Body grantsBody }, error) {
	found, err := a.Admin.Grants(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &struct{ Body grantsBody }{grantsBody{[]userGrant{}}}
	if in.Type == "thirdParty" {
		return out, nil
	}
	for _, g := range found {
		id := g.ID.String()
		out.Body.Grants = append(out.Body.Grants, userGrant{ID: id, ExpiresAt: g.ExpiresAt.UnixMilli(), Application: grantApplication{g.Client, g.ClientName},
			Payload: grantPayload{g.ExpiresAt.Unix(), g.CreatedAt.Unix(), id, "Grant", g.Client, in.ID}})
	}
	return out, nil
}

func (a *API) deleteUserGrant(ctx context.Context, in *struct {
	OfUser
	Grant string `path:"grantId" maxLength:"64"`
}) (*struct{}, error) {
	return nil, a.Admin.RevokeGrant(ctx, actor(ctx), in.ID, in.Grant)
}

func showSession(s store.Session, grants []store.GrantSummary) userSession {
	id := store.SessionID(s.Hash)
	out := userSession{AccountID: s.User.ID, ExpiresAt: s.ExpiresAt.UnixMilli(),
		Payload: sessionPayload{Expires: s.ExpiresAt.Unix(), IssuedAt: s.AuthTime.Unix(), ID: id, UID: id, Kind: "Session", SignedIn: s.AuthTime.Unix(),
			AccountID: s.User.ID, Authorizations: map[string]authorization{}},
		LastSubmission: sessionSubmission{Event: "SignIn", UserID: s.User.ID, Records: []nothing{}, Context: map[string]string{}}}
	if s.Agent != "" {
		out.LastSubmission.Context["userAgent"] = s.Agent
	}
	for _, g := range grants {
		if _, newer := out.Payload.Authorizations[g.Client]; g.Session == s.Hash && !newer {
			out.Payload.Authorizations[g.Client] = authorization{id, g.ID.String(), g.Offline}
		}
	}
	return out
}
