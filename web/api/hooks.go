package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"idp/admin"
	"idp/store"
)

// hook is a webhook as Logto shows it.
type hook struct {
	ID             string      `json:"id"`
	TenantID       string      `json:"tenantId" enum:"default"`
	Name           string      `json:"name"`
	Event          *string     `json:"event" doc:"Always null: see events"`
	Events         []hookEvent `json:"events"`
	Config         hookConfig  `json:"config"`
	SigningKey     string      `json:"signingKey" doc:"Key of the signature; shown when it is made, and masked from then on"`
	Enabled        bool        `json:"enabled"`
	CreatedAt      int64       `json:"createdAt" doc:"Milliseconds since 1970"`
	ExecutionStats *hookStats  `json:"executionStats,omitempty"`
}

// hookEvent is the name of an event.
type hookEvent string

// Schema implements huma.SchemaProvider.
func (hookEvent) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString, Description: "Name of an event"}
	for _, name := range admin.HookEvents() {
		s.Enum = append(s.Enum, name)
	}
	s.PrecomputeMessages()
	return s
}

type hookConfig struct {
	URL     string            `json:"url" maxLength:"2048" doc:"Where it is posted to: https, and no address that is private"`
	Headers map[string]string `json:"headers,omitempty" doc:"Added to each request. Values are masked: sent back as they are shown, they stay what they are"`
	Retries *int              `json:"retries,omitempty" minimum:"0" maximum:"9" doc:"How often a delivery is tried again; 9 if it is not set"`
}

type hookStats struct {
	Successes int `json:"successCount" doc:"In the last 24 hours"`
	Requests  int `json:"requestCount" doc:"In the last 24 hours"`
}

type oneHook struct {
	ETag string `header:"ETag"`
	Body hook
}

// HookStatsWanted is the parameter that asks for them.
type HookStatsWanted struct {
	Stats bool `query:"includeExecutionStats" doc:"Tell how deliveries went in the last 24 hours"`
}

func (a *API) hooks() {
	register(a, operation{http.MethodGet, "/hooks", "hooks", "List webhooks", 0}, a.listHooks)
	register(a, operation{http.MethodPost, "/hooks", "hooks", "Create a webhook", http.StatusCreated}, a.createHook)
	register(a, operation{http.MethodGet, "/hooks/{id}", "hooks", "Read a webhook", 0}, a.getHook)
	register(a, operation{http.MethodPatch, "/hooks/{id}", "hooks", "Change a webhook", 0}, a.patchHook)
	register(a, operation{http.MethodDelete, "/hooks/{id}", "hooks", "Delete a webhook", http.StatusNoContent}, a.deleteHook)
	register(a, operation{http.MethodPatch, "/hooks/{id}/signing-key", "hooks", "Give a webhook another signing key", 0}, a.rotateHookKey)
	register(a, operation{http.MethodPost, "/hooks/{id}/test", "hooks", "Post test events, with nobody's data, and tell whether they came through", http.StatusNoContent}, a.testHook)
	register(a, operation{http.MethodGet, "/hooks/{id}/recent-logs", "hooks", "List what became of deliveries", 0}, a.listHookLogs)
}

func (a *API) listHooks(ctx context.Context, in *struct {
	Page
	HookStatsWanted
}) (*listed[hook], error) {
	found, err := a.Admin.Hooks(ctx)
	if err != nil {
		return nil, err
	}
	total := len(found)
	found = found[min(in.offset(), total):min(in.offset()+in.Size, total)]
	out := make([]hook, len(found))
	for i, h := range found {
		if out[i], err = a.hookWith(ctx, h, in.Stats); err != nil {
			return nil, err
		}
	}
	query := url.Values{}
	if in.Stats {
		query.Set("includeExecutionStats", "true")
	}
	return list("/hooks", query, in.Page, out, total), nil
}

func (a *API) createHook(ctx context.Context, in *struct {
	Body struct {
		Name    string      `json:"name,omitempty" maxLength:"256"`
		Event   *hookEvent  `json:"event,omitempty" deprecated:"true" doc:"The only one; use events"`
		Events  []hookEvent `json:"events,omitempty" maxItems:"50"`
		Config  hookConfig  `json:"config"`
		Enabled *bool       `json:"enabled,omitempty" doc:"true if it is not set"`
	}
}) (*oneHook, error) {
	b := in.Body
	if b.Event != nil && len(b.Events) == 0 {
		b.Events = []hookEvent{*b.Event}
	}
	h, err := a.Admin.CreateHook(ctx, actor(ctx), admin.HookForm{Name: b.Name, Events: namesOf(b.Events), Config: b.Config.form(), Enabled: b.Enabled == nil || *b.Enabled}, "")
	if err != nil {
		return nil, err
	}
	return showHook(h), nil
}

func (a *API) getHook(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
	HookStatsWanted
}) (*oneHook, error) {
	h, err := a.Admin.Hook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := showHook(h)
	out.Body, err = a.hookWith(ctx, h, in.Stats)
	return out, err
}

func (a *API) patchHook(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
	Seen
	Body struct {
		Name    *string     `json:"name,omitempty" maxLength:"256"`
		Event   *hookEvent  `json:"event,omitempty" deprecated:"true" doc:"The only one; use events"`
		Events  []hookEvent `json:"events,omitempty" maxItems:"50"`
		Config  *hookConfig `json:"config,omitempty" doc:"The whole configuration"`
		Enabled *bool       `json:"enabled,omitempty"`
	}
}) (*oneHook, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	b := in.Body
	if b.Event != nil && b.Events == nil {
		b.Events = []hookEvent{*b.Event}
	}
	h, err := a.Admin.UpdateHook(ctx, actor(ctx), in.ID, version, func(f *admin.HookForm) error {
		if b.Name != nil {
			f.Name = *b.Name
		}
		if b.Events != nil {
			f.Events = namesOf(b.Events)
		}
		if b.Config != nil {
			f.Config = b.Config.form()
		}
		if b.Enabled != nil {
			f.Enabled = *b.Enabled
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return showHook(h), nil
}

func (a *API) deleteHook(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
	Seen
}) (*struct{}, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	return nil, a.Admin.DeleteHook(ctx, actor(ctx), in.ID, version)
}

func (a *API) rotateHookKey(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
	Seen
}) (*oneHook, error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	h, err := a.Admin.RotateHookKey(ctx, actor(ctx), in.ID, version)
	if err != nil {
		return nil, err
	}
	return showHook(h), nil
}

func (a *API) testHook(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Events []hookEvent `json:"events" minItems:"1" maxItems:"50"`
		Config hookConfig  `json:"config" doc:"Where to post; it need not be saved"`
	}
}) (*struct{}, error) {
	err := a.Admin.TestHook(ctx, actor(ctx), in.ID, namesOf(in.Body.Events), in.Body.Config.form())
	var failed *admin.HookTestError
	if errors.As(err, &failed) {
		p := &problem{status: http.StatusUnprocessableEntity, Code: "hook.send_test_payload_failed", Message: "The test did not come through: " + failed.Err.Error() + ".",
			Data: []problemField{{"body.config.url", failed.Error()}}}
		if failed.Status != 0 {
			p.Code = "hook.endpoint_responded_with_error"
		}
		return nil, p
	}
	return nil, err
}

// hookLog is what became of a delivery, as Logto's log shows it.
type hookLog struct {
	ID        string         `json:"id"`
	TenantID  string         `json:"tenantId" enum:"default"`
	Key       string         `json:"key" example:"TriggerHook.PostSignIn"`
	Payload   hookLogPayload `json:"payload"`
	CreatedAt int64          `json:"createdAt" doc:"Milliseconds since 1970"`
}

type hookLogPayload struct {
	Key      string           `json:"key"`
	Result   string           `json:"result" enum:"Success,Error"`
	Error    string           `json:"error,omitempty"`
	HookID   string           `json:"hookId"`
	Attempts int              `json:"attempts" doc:"How often it was posted"`
	Response *hookLogResponse `json:"response,omitempty" doc:"The last answer, if there was one"`
	Next     int64            `json:"nextAttemptAt,omitempty" doc:"Milliseconds since 1970; it is tried again then"`
}

type hookLogResponse struct {
	Status int `json:"statusCode"`
}

// hookLogPrefix is what Logto puts before the name of an event.
const hookLogPrefix = "TriggerHook."

func (a *API) listHookLogs(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Key  string `query:"logKey" maxLength:"64" doc:"TriggerHook. and the name of an event: only these"`
	Cap  bool   `query:"enableCap" doc:"Totals are capped in any case"`
	From int64  `query:"start_time" minimum:"0" maximum:"9999999999999" doc:"Milliseconds since 1970; without one of the two, the last 24 hours are listed"`
	To   int64  `query:"end_time" minimum:"0" maximum:"9999999999999" doc:"Milliseconds since 1970"`
	Page
}) (*listed[hookLog], error) {
	f := store.HookLogFilter{Hook: in.ID}
	query := url.Values{}
	if in.Key != "" {
		query.Set("logKey", in.Key)
		f.Event = eventOf(in.Key)
	}
	if in.Cap {
		query.Set("enableCap", "true")
	}
	switch {
	case in.From == 0 && in.To == 0:
		f.From = time.Now().Add(-admin.HookDay)
	case in.To != 0 && in.From > in.To:
		return nil, &problem{status: http.StatusBadRequest, Code: "guard.invalid_input", Message: "The time ends before it starts.", Data: []problemField{{"query.end_time", "is before start_time"}}}
	}
	if in.From != 0 {
		f.From = time.UnixMilli(in.From)
		query.Set("start_time", strconv.FormatInt(in.From, 10))
	}
	if in.To != 0 {
		f.To = time.UnixMilli(in.To)
		query.Set("end_time", strconv.FormatInt(in.To, 10))
	}
	found, total, err := a.Admin.HookLog(ctx, f, in.offset(), in.Size, maxCount+1)
	if err != nil {
		return nil, err
	}
	out := make([]hookLog, len(found))
	for i, d := range found {
		out[i] = showHookLog(d)
	}
	return list("/hooks/"+url.PathEscape(in.ID)+"/recent-logs", query, in.Page, out, total), nil
}

// eventOf is the name of the event in a key; of a key that is none, a name that no event has.
func eventOf(key string) string {
	if len(key) > len(hookLogPrefix) && key[:len(hookLogPrefix)] == hookLogPrefix {
		return key[len(hookLogPrefix):]
	}
	return "-"
}

func showHookLog(d store.HookDelivery) hookLog {
	key := hookLogPrefix + d.Event
	out := hookLog{ID: d.ID.String(), TenantID: "default", Key: key, CreatedAt: d.CreatedAt.UnixMilli(),
		Payload: hookLogPayload{Key: key, Result: "Error", Error: d.Error, HookID: d.Hook, Attempts: d.Attempts}}
	switch d.State {
	case store.HookDelivered:
		out.Payload.Result = "Success"
	case store.HookWaiting:
		out.Payload.Next = d.DueAt.UnixMilli()
	}
	if d.Status != 0 {
		out.Payload.Response = &hookLogResponse{d.Status}
	}
	return out
}

func (a *API) hookWith(ctx context.Context, h admin.Hook, stats bool) (hook, error) {
	out := showHook(h).Body
	if !stats {
		return out, nil
	}
	c, err := a.Admin.HookCounts(ctx, h.ID)
	out.ExecutionStats = &hookStats{c.Successes, c.Requests}
	return out, err
}

func showHook(h admin.Hook) *oneHook {
	out := hook{ID: h.ID, TenantID: "default", Name: h.Name, Events: []hookEvent{}, Config: hookConfig{h.Config.URL, h.Config.Headers, h.Config.Retries},
		SigningKey: h.SigningKey, Enabled: h.Enabled, CreatedAt: h.CreatedAt.UnixMilli()}
	for _, e := range h.Events {
		out.Events = append(out.Events, hookEvent(e))
	}
	return &oneHook{ETag: etag(h.UpdatedAt), Body: out}
}

func (c hookConfig) form() admin.HookConfig {
	return admin.HookConfig{URL: c.URL, Headers: c.Headers, Retries: c.Retries}
}

func namesOf(events []hookEvent) []string {
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = string(e)
	}
	return out
}
