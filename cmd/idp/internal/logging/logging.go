// Package logging is the log of the process: one line an event, coloured on a
// terminal, JSON elsewhere, and only the attributes that are on a list.
//
// The list is a wall, not a filter for taste: codes, tokens, cookies, secrets,
// state and query strings have no key on it, so neither our own mistake nor a
// library that logs through [slog.Default] can put them into a file. A dropped
// attribute leaves its name behind, under "dropped".
package logging

import (
	"context"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strings"
)

// Options say how to log.
type Options struct {
	Level  string // debug, info, warn, error
	JSON   bool
	Colour bool // of text

	// RequestID gives the id of the request that a context belongs to, or "". Lines
	// logged with such a context carry it; nil: none do.
	RequestID func(context.Context) string
}

// New makes the logger.
func New(w io.Writer, o Options) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.Level)); err != nil {
		level = slog.LevelInfo
	}
	h := &wall{out: &text{w: w, colour: o.Colour}, level: level, requestID: o.RequestID}
	if o.JSON {
		h.out, h.millis = &jsonLines{w: w}, true
	}
	return slog.New(h)
}

// requestID is the key of the id that visitors see on error pages.
const requestID = "request_id"

// allowed tells whether an attribute may be logged. What stands under these keys
// is fit for an operator's eyes by construction: masked addresses, route
// patterns, ids that open nothing, counts.
func allowed(key string) bool {
	switch key {
	case "err", "error", "error_code", "reason", "doing", "op", "kind", "hint", "panic", "stack", // what went wrong; error_code is OAuth's name of it
		"method", "path", "route", "status", "bytes", "duration", "took", requestID, "trace_id", "ip", "peer", // a request
		"client", "client_id", "user", "email", "challenge", "outcome", "purpose", "screen", // a sign-in; email is masked
		"mail", "usage", "sender", "connector", "attempt", "attempts", "class", "provider", "retry", "locale", "topic", // a mail
		"limit", "count", "limits", "period", "wait", "delay", "age", "depth", "rows", "size", "length", "memory", // numbers
		"guesses", "redeemed", "sent", "day", "last", "mails", "backlog", "events", "waiting", // counts, and whether there are more
		"hook", "event", "delivery", "again", // a webhook: ids, and the kind of an event
		"batch", "now", // numbers of batches of the audit log
		"alg", "kid", "key", "keys", // of signing keys: their public ids
		"version", "from", "to", "migration", "engine", "database", "replica", // the process; to and from are versions
		"url", "endpoint", "issuer", "listen", "address", "file", "signal", "setting", "network":
		return true
	}
	return false
}

// lines writes lines; it is called by several at once.
type lines interface {
	line(r slog.Record, attrs []slog.Attr) error
}

// wall drops attributes that are not allowed and flattens groups: the key of the
// leaf decides.
type wall struct {
	out       lines
	level     slog.Level
	attrs     []slog.Attr // of each line, sieved
	requestID func(context.Context) string
	millis    bool // durations as a number of milliseconds: slog's nanoseconds are nobody's unit
}

// Enabled implements [slog.Handler].
func (h *wall) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }

// Handle implements [slog.Handler].
func (h *wall) Handle(ctx context.Context, r slog.Record) error {
	kept := append(make([]slog.Attr, 0, len(h.attrs)+r.NumAttrs()+1), h.attrs...)
	var dropped []string
	named := false
	r.Attrs(func(a slog.Attr) bool {
		named = named || a.Key == requestID
		kept, dropped = h.sieve(kept, dropped, a)
		return true
	})
	kept = withDropped(kept, dropped)
	if h.requestID != nil && !named {
		if id := h.requestID(ctx); id != "" {
			kept = append(kept, slog.String(requestID, id))
		}
	}
	return h.out.line(r, kept)
}

// WithAttrs implements [slog.Handler].
func (h *wall) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.attrs = slices.Clip(h.attrs)
	var dropped []string
	for _, a := range attrs {
		with.attrs, dropped = h.sieve(with.attrs, dropped, a)
	}
	with.attrs = withDropped(with.attrs, dropped)
	return &with
}

// WithGroup implements [slog.Handler]. Groups are left out: keys are flat.
func (h *wall) WithGroup(string) slog.Handler { return h }

// Quiet passes on what is at least of a level.
func Quiet(h slog.Handler, least slog.Level) slog.Handler { return quiet{h, least} }

type quiet struct {
	slog.Handler
	least slog.Level
}

// Enabled implements [slog.Handler].
func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= q.least && q.Handler.Enabled(ctx, l)
}

// WithAttrs implements [slog.Handler].
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quiet{q.Handler.WithAttrs(attrs), q.least}
}

// WithGroup implements [slog.Handler].
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name), q.least} }

// sieve appends an attribute, or its name to those that are dropped.
func (h *wall) sieve(kept []slog.Attr, dropped []string, a slog.Attr) ([]slog.Attr, []string) {
	a.Value = a.Value.Resolve()
	switch {
	case a.Value.Kind() == slog.KindGroup:
		for _, inner := range a.Value.Group() {
			kept, dropped = h.sieve(kept, dropped, inner)
		}
	case allowed(a.Key):
		kept = append(kept, h.plain(a))
	case a.Key != "":
		dropped = append(dropped, a.Key)
	}
	return kept, dropped
}

// withDropped appends the names of what was dropped.
func withDropped(kept []slog.Attr, dropped []string) []slog.Attr {
	if len(dropped) == 0 {
		return kept
	}
	slices.Sort(dropped)
	return append(kept, slog.String("dropped", strings.Join(slices.Compact(dropped), ",")))
}

// plain turns a structured value into text only where that cannot spill fields:
// errors and Stringers speak for themselves, other structs are left out.
func (h *wall) plain(a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindDuration:
		if h.millis {
			return slog.Float64(a.Key, float64(a.Value.Duration().Microseconds())/1000)
		}
		return a
	case slog.KindAny:
	default:
		return a
	}
	switch v := a.Value.Any().(type) {
	case nil:
		return a
	case error:
		return slog.String(a.Key, v.Error())
	case interface{ String() string }:
		return slog.String(a.Key, v.String())
	case []string:
		return slog.String(a.Key, strings.Join(v, " "))
	}
	if v := reflect.ValueOf(a.Value.Any()); v.Kind() == reflect.String {
		return slog.String(a.Key, v.String())
	}
	return slog.String(a.Key, "(not logged)")
}
