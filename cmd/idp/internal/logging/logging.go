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
	h := &wall{out: newText(w, level, o.Colour), requestID: o.RequestID}
	if o.JSON {
		h.out, h.millis = slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}), true
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
		"method", "path", "route", "status", "bytes", "duration", "took", requestID, "ip", "peer", // a request
		"client", "client_id", "user", "email", "challenge", "outcome", "purpose", "screen", // a sign-in; email is masked
		"mail", "usage", "sender", "connector", "attempt", "attempts", "class", "provider", "retry", "locale", "topic", // a mail
		"limit", "count", "limits", "period", "wait", "age", "depth", "rows", "size", "memory", // numbers
		"alg", "kid", "key", "keys", // of signing keys: their public ids
		"version", "from", "to", "migration", "engine", "database", "replica", // the process; to and from are versions
		"url", "endpoint", "issuer", "listen", "address", "file", "signal", "setting", "network":
		return true
	}
	return false
}

// wall drops attributes that are not allowed and flattens groups: the key of the
// leaf decides.
type wall struct {
	out       slog.Handler
	requestID func(context.Context) string
	millis    bool // durations as a number of milliseconds: slog's nanoseconds are nobody's unit
}

// Enabled implements [slog.Handler].
func (h *wall) Enabled(ctx context.Context, l slog.Level) bool { return h.out.Enabled(ctx, l) }

// Handle implements [slog.Handler].
func (h *wall) Handle(ctx context.Context, r slog.Record) error {
	var room [12]slog.Attr // the line of a request fits
	attrs := room[:0]
	named := false
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		named = named || a.Key == requestID
		return true
	})
	clean := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	clean.AddAttrs(h.sieve(attrs)...)
	if h.requestID != nil && !named {
		if id := h.requestID(ctx); id != "" {
			clean.AddAttrs(slog.String(requestID, id))
		}
	}
	return h.out.Handle(ctx, clean)
}

// WithAttrs implements [slog.Handler].
func (h *wall) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &wall{h.out.WithAttrs(h.sieve(attrs)), h.requestID, h.millis}
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

func (h *wall) sieve(attrs []slog.Attr) []slog.Attr {
	kept := make([]slog.Attr, 0, len(attrs))
	var dropped []string
	var walk func([]slog.Attr)
	walk = func(attrs []slog.Attr) {
		for _, a := range attrs {
			a.Value = a.Value.Resolve()
			switch {
			case a.Value.Kind() == slog.KindGroup:
				walk(a.Value.Group())
			case allowed(a.Key):
				kept = append(kept, h.plain(a))
			case a.Key != "":
				dropped = append(dropped, a.Key)
			}
		}
	}
	walk(attrs)
	if len(dropped) > 0 {
		slices.Sort(dropped)
		kept = append(kept, slog.String("dropped", strings.Join(slices.Compact(dropped), ",")))
	}
	return kept
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
