package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"idp/audit"
	"idp/store"
)

// logEntry is an entry of the audit log as Logto shows it.
type logEntry struct {
	TenantID  string     `json:"tenantId" enum:"default"`
	ID        string     `json:"id"`
	Key       string     `json:"key" doc:"What happened" example:"user.signed_in"`
	Payload   logPayload `json:"payload"`
	CreatedAt int64      `json:"createdAt" doc:"Milliseconds since 1970"`
}

type logPayload struct {
	Key           string         `json:"key"`
	Result        string         `json:"result" enum:"Success,Error"`
	UserID        string         `json:"userId,omitempty" doc:"Whose account it is about"`
	ApplicationID string         `json:"applicationId,omitempty"`
	IP            string         `json:"ip,omitempty"`
	UserAgent     string         `json:"userAgent,omitempty" doc:"The browser, as people are told of it, or the program"`
	Actor         string         `json:"actor,omitempty" doc:"Who did it: user:ID, client:ID or command; none: the person that it is about"`
	Target        string         `json:"target,omitempty" doc:"What it was done to" example:"hook:ID"`
	RequestID     string         `json:"requestId,omitempty" doc:"The request's id in the log of the server"`
	Before        map[string]any `json:"before,omitempty" doc:"What was different before"`
	After         map[string]any `json:"after,omitempty" doc:"What is different now"`
	Data          map[string]any `json:"data,omitempty" doc:"What else is known"`
	Erased        bool           `json:"erased,omitempty" doc:"What was personal cannot be read any more: the account is deleted"`
}

func (a *API) logs() {
	register(a, operation{http.MethodGet, "/logs", "logs", "List the audit log, newest first", 0}, a.listLogs)
	register(a, operation{http.MethodGet, "/logs/{id}", "logs", "Read an entry of the audit log", 0}, a.getLog)
}

func (a *API) listLogs(ctx context.Context, in *struct {
	Page
	User   string `query:"userId" maxLength:"64" doc:"Only what is about this account"`
	Client string `query:"applicationId" maxLength:"64" doc:"Only what is about this application"`
	Key    string `query:"logKey" maxLength:"64" doc:"Only this key"`
	Start  int64  `query:"start_time" minimum:"0" maximum:"253402300799999" doc:"Not before, in milliseconds since 1970"`
	End    int64  `query:"end_time" minimum:"0" maximum:"253402300799999" doc:"Not after, in milliseconds since 1970"`
	Cap    string `query:"enableCap" enum:"true,false" doc:"Taken for Logto's clients: the count always ends at 10001"`
}) (*listed[logEntry], error) {
	f := store.EventFilter{User: in.User, Client: in.Client, Kind: in.Key}
	query := url.Values{}
	for k, v := range map[string]string{"userId": in.User, "applicationId": in.Client, "logKey": in.Key, "enableCap": in.Cap} {
		if v != "" {
			query.Set(k, v)
		}
	}
	if in.Start > 0 {
		f.Since = time.UnixMilli(in.Start)
		query.Set("start_time", strconv.FormatInt(in.Start, 10))
	}
	if in.End > 0 {
		f.Until = time.UnixMilli(in.End + 1)
		query.Set("end_time", strconv.FormatInt(in.End, 10))
		if in.Start > in.End {
			return nil, &problem{status: http.StatusBadRequest, Code: "guard.invalid_input", Message: "The end is before the start.",
				Data: []problemField{{"query.start_time", "is later than end_time"}}}
		}
	}
	found, total, err := a.Admin.Logs(ctx, f, in.offset(), in.Size)
	if err != nil {
		return nil, err
	}
	items := make([]logEntry, len(found))
	for i, e := range found {
		items[i] = showLog(e)
	}
	return list("/logs", query, in.Page, items, total), nil
}

func (a *API) getLog(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*struct{ Body logEntry }, error) {
	id, err := store.ParseID(in.ID)
	if err != nil {
		return nil, &store.Error{Code: store.NotFound, Op: "read log"}
	}
	e, err := a.Admin.Log(ctx, id)
	if err != nil {
		return nil, err
	}
	return &struct{ Body logEntry }{showLog(e)}, nil
}

func showLog(e audit.Opened) logEntry {
	p := logPayload{Key: e.Kind, Result: "Success", UserID: e.User, ApplicationID: e.Client, Actor: e.Actor, Target: e.Target, RequestID: e.Request, Erased: e.Erased()}
	if e.Failed() {
		p.Result = "Error"
	}
	for _, text := range []json.RawMessage{e.Detail, e.Known} {
		var fields map[string]any
		_ = json.Unmarshal(text, &fields) // without anything it is nil
		for k, v := range fields {
			p.put(k, v)
		}
	}
	return logEntry{TenantID: "default", ID: e.ID.String(), Key: e.Kind, Payload: p, CreatedAt: e.At.UnixMilli()}
}

// put sorts a fact into the shape. Before and after have a personal part and another one.
func (p *logPayload) put(key string, value any) {
	into := &p.Data
	facts := map[string]any{key: value}
	switch key {
	case "ip":
		p.IP, _ = value.(string)
		return
	case "agent":
		p.UserAgent, _ = value.(string)
		return
	case "before":
		into = &p.Before
		facts, _ = value.(map[string]any)
	case "after":
		into = &p.After
		facts, _ = value.(map[string]any)
	}
	for k, v := range facts {
		if *into == nil {
			*into = map[string]any{}
		}
		(*into)[k] = v
	}
}
