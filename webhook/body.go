package webhook

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"idp/store"
)

// note is what waits in the queue: what happened, without what can be read when it is
// posted. Who is deleted meanwhile is told of by id only.
type note struct {
	At     int64           `json:"at"` // milliseconds since 1970
	User   string          `json:"user,omitempty"`
	Client string          `json:"client,omitempty"`
	Target string          `json:"target,omitempty"` // as in [store.Event]
	IP     string          `json:"ip,omitempty"`
	Agent  string          `json:"agent,omitempty"`
	Detail json.RawMessage `json:"detail,omitempty"`
}

// body is what is posted, in the order and by the names of Logto's.
type body struct {
	HookID    string `json:"hookId"`
	Event     string `json:"event"`
	CreatedAt string `json:"createdAt"`

	// Of the pages.
	InteractionEvent string       `json:"interactionEvent,omitempty"`
	UserIP           string       `json:"userIp,omitempty"`
	UserAgent        string       `json:"userAgent,omitempty"`
	UserID           string       `json:"userId,omitempty"`
	User             *person      `json:"user,omitempty"`
	ApplicationID    string       `json:"applicationId,omitempty"`
	Application      *application `json:"application,omitempty"`

	// Of data.
	IP     string            `json:"ip,omitempty"`
	Params map[string]string `json:"params,omitempty"`
	Data   any               `json:"data,omitempty"` // nil: left out; null is json.RawMessage
}

// person is somebody as Logto shows them.
type person struct {
	ID            string          `json:"id"`
	Username      *string         `json:"username"`
	PrimaryEmail  *string         `json:"primaryEmail"`
	PrimaryPhone  *string         `json:"primaryPhone"`
	Name          *string         `json:"name"`
	Avatar        *string         `json:"avatar"`
	CustomData    json.RawMessage `json:"customData"`
	Identities    struct{}        `json:"identities"`
	Profile       store.Profile   `json:"profile"`
	ApplicationID *string         `json:"applicationId"`
	IsSuspended   bool            `json:"isSuspended"`
	LastSignInAt  *int64          `json:"lastSignInAt,omitempty"`
	CreatedAt     int64           `json:"createdAt"`
	UpdatedAt     int64           `json:"updatedAt"`
}

type application struct {
	ID          string  `json:"id"`
	Type        string  `json:"type"`
	Name        string  `json:"name"`
	Description *string `json:"description,omitempty"`
}

func showPerson(u store.User) *person {
	p := &person{
		ID: u.ID, Username: known(u.Username), PrimaryEmail: known(string(u.Email)), Name: known(u.Name), Avatar: known(u.Avatar), CustomData: u.CustomData,
		Profile: u.Profile, ApplicationID: known(u.Client), IsSuspended: !u.SuspendedAt.IsZero(), CreatedAt: u.CreatedAt.UnixMilli(), UpdatedAt: u.UpdatedAt.UnixMilli(),
	}
	if len(p.CustomData) == 0 {
		p.CustomData = json.RawMessage("{}")
	}
	if !u.SignedIn.IsZero() {
		at := u.SignedIn.UnixMilli()
		p.LastSignInAt = &at
	}
	return p
}

func showApplication(c store.Client) *application {
	types := map[store.ClientType]string{store.Traditional: "Traditional", store.SPA: "SPA", store.Native: "Native", store.Machine: "MachineToMachine"}
	return &application{ID: c.ID, Type: types[c.Type], Name: c.Name, Description: known(c.Description)}
}

func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// compose makes the body of a delivery, with the person and the app as they are now.
func (s *Service) compose(ctx context.Context, hook, event string, n note) ([]byte, error) {
	b := body{HookID: hook, Event: event, CreatedAt: isoTime(n.At), UserAgent: n.Agent}
	var about *person
	if n.User != "" {
		u, err := s.store.User(ctx, n.User)
		switch {
		case err == nil:
			about = showPerson(u)
		case store.CodeOf(err) != store.NotFound:
			return nil, err
		}
	}
	if interaction, ok := interactions[event]; ok {
		b.InteractionEvent, b.UserIP, b.UserID, b.User, b.ApplicationID = interaction, n.IP, n.User, about, n.Client
		if about == nil { // where somebody was who is gone is theirs, too
			b.UserIP, b.UserAgent = "", ""
		}
		if n.Client != "" {
			c, err := s.store.Client(ctx, n.Client)
			switch {
			case err == nil:
				b.Application = showApplication(c)
			case store.CodeOf(err) != store.NotFound:
				return nil, err
			}
		}
		return json.Marshal(b)
	}
	b.IP = n.IP
	b.Params, b.Data = n.data(event, about)
	thing, err := s.thing(ctx, event, n)
	switch {
	case err == nil && thing != nil:
		b.Data = thing
	case err != nil && store.CodeOf(err) != store.NotFound:
		return nil, err
	}
	return json.Marshal(b)
}

// role and scope are as Logto shows them.
type role struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Type        string `json:"type"`
	Default     bool   `json:"isDefault"`
}

type scope struct {
	ID          string `json:"id"`
	Resource    string `json:"resourceId"`
	Name        string `json:"name"`
	Description string `json:"description"`
	CreatedAt   int64  `json:"createdAt"`
}

// thing is what an event tells of, if it is there and no person; nil if it is none of these.
func (s *Service) thing(ctx context.Context, event string, n note) (any, error) {
	id := idOf(n.Target)
	switch event {
	case RoleCreated, RoleUpdated, RoleScopes:
		r, err := s.store.Role(ctx, id)
		return role{r.ID, r.Name, r.Description, string(r.Type), r.Default}, err
	case ScopeCreated, ScopeUpdated:
		c, err := s.store.Scope(ctx, id)
		return scope{c.ID, c.Resource, c.Name, c.Description, c.CreatedAt.UnixMilli()}, err
	case AddressSuppressed:
		if s.suppressed != nil {
			return s.suppressed(ctx, n.Target)
		}
	}
	return nil, nil
}

// data is what an event of data tells by itself, and what it was done to.
func (n note) data(event string, about *person) (params map[string]string, data any) {
	id := idOf(n.Target)
	switch event {
	case UserCreated, UserUpdated, UserSuspension, UserDeleted:
		params = map[string]string{"userId": n.User}
		if about != nil && event != UserDeleted {
			return params, about
		}
		return params, json.RawMessage("null")
	case SessionRevoked:
		return map[string]string{"userId": n.User}, n.detail(id)
	case AddressSuppressed:
		return nil, json.RawMessage("null")
	}
	return map[string]string{"id": id}, n.detail(id)
}

// isoTime words a time as JavaScript does.
func isoTime(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// idOf is the id in what an entry was done to: "role:ID".
func idOf(text string) string {
	_, id, found := strings.Cut(text, ":")
	if !found {
		return text
	}
	return id
}

// detail is what the audit log tells of a thing: how it is after the change, or what the
// entry says. id is put with it.
func (n note) detail(id string) any {
	var said map[string]any
	if err := json.Unmarshal(n.Detail, &said); err != nil || said == nil {
		said = map[string]any{}
	}
	if after, ok := said["after"].(map[string]any); ok {
		said = after
	}
	delete(said, "before")
	if id != "" {
		said["id"] = id
	}
	return said
}
