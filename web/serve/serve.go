// Package serve is the outermost layer of every request: its id, its line in the
// access log, and the net under it when a handler panics.
package serve

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"idp/store"
)

// StatusLeft stands in the log, the metrics and the traces for an answer that nobody
// waited for, as in nginx's. No answer has it that somebody reads. Whoever breaks
// requests off must not make the server look ill.
const StatusLeft = 499

// Left tells whether err is nothing but the caller's having left.
func Left(ctx context.Context, err error) bool {
	return errors.Is(err, context.Canceled) && ctx.Err() != nil
}

// Deps is what the layer is made of.
type Deps struct {
	Log      *slog.Logger
	ClientIP func(*http.Request) netip.Addr
	Failed   http.HandlerFunc // answers when a handler panicked before it answered
	HTTPS    bool             // the endpoint is https: every answer says so for later (RFC 6797)

	// Seen is told of each answer; nil: nobody is. A route is as it is logged: of a set that is closed.
	Seen func(route string, status int, took time.Duration)

	// Trace begins to trace a request; nil: none is traced. What it gives is nil where this
	// request is not.
	Trace func(context.Context) (context.Context, Traced)
}

// Traced is a request that is traced.
type Traced interface {
	ID() string // of the trace, for the log
	// Answered ends it. A route is as it is logged; id is the request's.
	Answered(method, route string, status int, id string)
}

// Middleware is used on the outermost chi router, as its first.
//
// The log line has an allow-list of fields. The address is logged as its route's
// pattern: a raw path can hold an id, a query holds sealed values and state.
func Middleware(d Deps) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		next = middleware.GetHead(next) // HEAD works where GET does (RFC 9110 section 9.3.2)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			began := time.Now()
			id := newID()
			w.Header().Set("X-Request-Id", id)
			if d.HTTPS {
				w.Header().Set("Strict-Transport-Security", "max-age=31536000")
			}
			ip := d.ClientIP(r)
			r = r.WithContext(store.WithOrigin(r.Context(), &store.Origin{IP: ip, Agent: agent(r), Request: id}))
			out := &answer{ResponseWriter: w}
			var traced Traced
			if d.Trace != nil && !allDay(r) {
				var ctx context.Context
				if ctx, traced = d.Trace(r.Context()); traced != nil {
					r = r.WithContext(ctx)
					defer func() { traced.Answered(method(r), route(r, out.status), out.status, id) }() // after a panic too
				}
			}
			defer func() {
				if p := recover(); p != nil {
					rescue(d, out, r, p)
				}
				took, at := time.Since(began), route(r, out.status)
				if d.Seen != nil {
					d.Seen(at, out.status, took)
				}
				line := append(make([]slog.Attr, 0, 7), slog.String("method", method(r)), slog.String("route", at), slog.Int("status", out.status),
					slog.Duration("took", took.Round(time.Microsecond)), slog.String("ip", ip.String()),
					slog.String("request_id", id))
				if traced != nil {
					line = append(line, slog.String("trace_id", traced.ID()))
				}
				d.Log.LogAttrs(r.Context(), levelOf(out.status, r), "request", line...)
			}()
			next.ServeHTTP(out, r)
			switch {
			case out.status != 0:
			case r.Context().Err() != nil:
				out.status = StatusLeft
			default:
				out.status = http.StatusOK
			}
		})
	}
}

// rescue answers for a handler that panicked.
func rescue(d Deps, out *answer, r *http.Request, p any) {
	if p == http.ErrAbortHandler { //nolint:errorlint // a sentinel that is never wrapped
		panic(p)
	}
	d.Log.ErrorContext(r.Context(), "a handler panicked", "panic", p, "request_id", RequestID(r.Context()), "stack", string(debug.Stack()))
	if out.status != 0 {
		panic(http.ErrAbortHandler) // half an answer is out: break the connection, so that it is not taken for a whole one
	}
	d.Failed(out, r)
}

// RequestID is the id of the request that ctx belongs to, or "". Visitors see it
// on error pages, operators find it in the log.
func RequestID(ctx context.Context) string {
	return store.OriginOf(ctx).Request
}

// agent is what the browser or program calls itself, cut to what is worth keeping.
func agent(r *http.Request) string {
	const most = 160
	text := r.UserAgent()
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}

// Crockford's alphabet: ids are read aloud to support.
var alphabet = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

func newID() string {
	var b [10]byte
	rand.Read(b[:])
	return alphabet.EncodeToString(b[:])
}

// levelOf keeps what programs ask all day out of the usual log.
func levelOf(status int, r *http.Request) slog.Level {
	if status < http.StatusBadRequest && allDay(r) {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// allDay tells whether programs ask for this all day.
func allDay(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/static/") || strings.HasPrefix(r.URL.Path, "/dev/inbox") || r.URL.Path == "/healthz" || r.URL.Path == "/readyz"
}

// method is the request's, if it is one that HTTP knows: a method is free text.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}

// route is the pattern that matched. Below a wildcard the path stands for it
// where something answered: those paths are fixed names (/oidc/token).
func route(r *http.Request, status int) string {
	c := chi.RouteContext(r.Context())
	if c == nil || c.RoutePattern() == "" {
		return "none"
	}
	pattern := c.RoutePattern()
	if strings.HasPrefix(pattern, "/oidc/") && strings.HasSuffix(pattern, "*") && status != http.StatusNotFound && len(r.URL.Path) < 64 {
		return r.URL.Path
	}
	return pattern
}

// answer notes the status of a response.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= http.StatusOK {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap is for [http.ResponseController].
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
