package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"idp/store"
	"idp/web/serve"
)

// problem is an error as the caller gets it: Logto's code and message, and what is wrong
// with which field.
type problem struct {
	status  int
	wait    time.Duration  // until it is worth trying again; 0: nobody knows
	Code    string         `json:"code" doc:"What went wrong, for programs" example:"guard.invalid_input"`
	Message string         `json:"message" doc:"What went wrong, for people"`
	Data    []problemField `json:"data,omitempty" doc:"What is wrong with which field"`
	Request string         `json:"requestId,omitempty" doc:"By which the log tells of it"`
}

type problemField struct {
	Field   string `json:"field" example:"body.redirectUris[0]"`
	Message string `json:"message"`
}

// Error implements error.
func (p *problem) Error() string { return p.Code + ": " + p.Message }

// GetStatus implements huma.StatusError.
func (p *problem) GetStatus() int { return p.status }

// GetHeaders implements huma.HeadersError.
func (p *problem) GetHeaders() http.Header {
	if p.wait == 0 {
		return nil
	}
	return http.Header{"Retry-After": {strconv.Itoa(int(math.Ceil(p.wait.Seconds())))}}
}

// newProblem makes the errors of the library, which finds what is not as the document says.
func newProblem(status int, message string, errs ...error) huma.StatusError {
	p := &problem{status: status, Code: "entity." + strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_"), Message: message}
	if status == http.StatusUnprocessableEntity || status == http.StatusBadRequest {
		p.status, p.Code = http.StatusBadRequest, "guard.invalid_input"
	}
	for _, err := range errs {
		var own *problem
		var detail *huma.ErrorDetail
		switch {
		case err == nil:
		case errors.As(err, &own):
			return own
		case errors.As(err, &detail):
			p.Data = append(p.Data, problemField{detail.Location, detail.Message})
		default:
			p.Data = append(p.Data, problemField{"", err.Error()})
		}
	}
	return p
}

// problemOf makes the answer to an error of package admin.
func (a *API) problemOf(ctx context.Context, err error) *problem {
	var own *problem
	if errors.As(err, &own) {
		return own
	}
	if serve.Left(ctx, err) {
		return &problem{status: serve.StatusLeft, Code: "left", Message: "The request was broken off."}
	}
	var known *store.Error
	if !errors.As(err, &known) {
		a.Log.ErrorContext(ctx, "a call of the management API failed", "error", err, "request_id", serve.RequestID(ctx))
		return &problem{status: http.StatusInternalServerError, Code: "internal", Message: "Something went wrong here. The log tells more under the id of this request.", Request: serve.RequestID(ctx)}
	}
	var field *store.FieldError
	switch known.Code {
	case store.Invalid:
		p := &problem{status: http.StatusUnprocessableEntity, Code: "entity.invalid_input", Message: sentence(known)}
		if errors.As(err, &field) {
			p.Message, p.Data = "What was sent does not fit: "+field.Error()+".", []problemField{{"body." + field.Field, field.Reason}}
		}
		return p
	case store.NotFound:
		return &problem{status: http.StatusNotFound, Code: "entity.not_found", Message: "There is no such thing here."}
	case store.Conflict:
		p := &problem{status: http.StatusUnprocessableEntity, Code: "entity.unique_integrity_violation", Message: sentence(known)}
		if errors.As(err, &field) {
			p.Message, p.Data = "What was sent is taken: "+field.Error()+".", []problemField{{"body." + field.Field, field.Reason}}
		}
		return p
	case store.InUse:
		return &problem{status: http.StatusConflict, Code: "entity.in_use", Message: sentence(known)}
	case store.Forbidden:
		return &problem{status: http.StatusForbidden, Code: "auth.forbidden", Message: sentence(known)}
	case store.Changed:
		return &problem{status: http.StatusPreconditionFailed, Code: "entity.changed", Message: "It was changed since you have read it. Read it again, and change that."}
	case store.Limited:
		if known.Limit == store.LimitMails {
			return &problem{status: http.StatusTooManyRequests, wait: max(known.Wait, time.Second), Code: "request.rate_limited", Message: "No more mail can be sent at the moment. The Retry-After header says how many seconds to wait."}
		}
		return &problem{status: http.StatusTooManyRequests, wait: max(known.Wait, time.Second), Code: "request.rate_limited", Message: "That was too often. The Retry-After header says how many seconds to wait."}
	case store.Unavailable:
		a.Log.WarnContext(ctx, "the database did not answer the management API", "error", err, "request_id", serve.RequestID(ctx))
		return &problem{status: http.StatusServiceUnavailable, wait: retryUnavailable, Code: "unavailable", Message: "The database does not answer at the moment. Try again shortly.", Request: serve.RequestID(ctx)}
	}
	return &problem{status: http.StatusUnprocessableEntity, Code: "entity." + string(known.Code), Message: sentence(known)}
}

// retryUnavailable is how long a caller is asked to give the database.
const retryUnavailable = 5 * time.Second

// sentence says what an error says, without what the database said.
func sentence(err *store.Error) string {
	if err.Err == nil || err.Code == store.Conflict && !isPlain(err.Err) {
		return fmt.Sprintf("This did not work: %s: %s.", err.Op, err.Code)
	}
	text := err.Err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// isPlain tells whether an error was worded here, and not by a database.
func isPlain(err error) bool { return reflect.TypeOf(err) == reflect.TypeOf(errors.New("")) }

// write answers with a problem before a handler is reached.
func (a *API) write(ctx huma.Context, p *problem) {
	_ = huma.WriteErr(a.huma, ctx, p.status, p.Message, p) // the caller may have gone
}

func (a *API) notFound(w http.ResponseWriter, _ *http.Request) {
	plain(w, &problem{status: http.StatusNotFound, Code: "entity.not_found", Message: "The management API has no such path: see " + Path + "/swagger.json."})
}

// notAllowed says which methods the path takes (RFC 9110 section 15.5.6).
func (a *API) notAllowed(w http.ResponseWriter, r *http.Request) {
	item := a.pathItem(strings.TrimPrefix(r.URL.Path, Path))
	for _, one := range []struct {
		method    string
		operation *huma.Operation
	}{{http.MethodGet, item.Get}, {http.MethodPost, item.Post}, {http.MethodPut, item.Put}, {http.MethodPatch, item.Patch}, {http.MethodDelete, item.Delete}} {
		if one.operation != nil {
			w.Header().Add("Allow", one.method)
		}
	}
	plain(w, &problem{status: http.StatusMethodNotAllowed, Code: "request.method_not_allowed", Message: "This path takes other methods: see " + Path + "/swagger.json."})
}

// pathItem is what the document has for a path: of several, the one with the fewest parameters.
func (a *API) pathItem(path string) *huma.PathItem {
	best, fewest := &huma.PathItem{}, math.MaxInt
	parts := strings.Split(path, "/")
	for template, item := range a.huma.OpenAPI().Paths {
		wanted := strings.Split(template, "/")
		fits := slices.EqualFunc(wanted, parts, func(w, p string) bool { return w == p || strings.HasPrefix(w, "{") && p != "" })
		if n := strings.Count(template, "{"); fits && n < fewest {
			best, fewest = item, n
		}
	}
	return best
}
