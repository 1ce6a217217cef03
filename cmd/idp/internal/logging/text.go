package logging

import (
	"bytes"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
)

// text writes a line for people: time, level, message, key=value.
type text struct {
	mu     sync.Mutex
	w      io.Writer
	colour bool
}

// ANSI colours that read well on dark and on light terminals.
const (
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	green  = "\x1b[32m"
	reset  = "\x1b[0m"
)

func (h *text) line(r slog.Record, attrs []slog.Attr) error {
	var b bytes.Buffer
	h.paint(&b, dim, r.Time.Format(time.TimeOnly))
	b.WriteByte(' ')
	h.paint(&b, levelColour(r.Level), pad(r.Level.String()))
	b.WriteByte(' ')
	b.WriteString(quoted(r.Message, false))
	for _, a := range attrs {
		b.WriteByte(' ')
		h.paint(&b, dim, a.Key+"=")
		b.WriteString(valueOf(a))
	}
	b.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := h.w.Write(b.Bytes())
	return err
}

func (h *text) paint(b *bytes.Buffer, colour, s string) {
	if !h.colour || colour == "" {
		b.WriteString(s)
		return
	}
	b.WriteString(colour + s + reset)
}

func levelColour(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return red
	case l >= slog.LevelWarn:
		return yellow
	case l >= slog.LevelInfo:
		return green
	}
	return dim
}

func pad(level string) string { return (level + "     ")[:max(5, len(level))] }

func valueOf(a slog.Attr) string {
	if a.Value.Kind() == slog.KindDuration {
		return a.Value.Duration().Round(10 * time.Microsecond).String()
	}
	return quoted(a.Value.String(), true)
}

// quoted keeps what a stranger sent from drawing on the terminal or faking lines.
func quoted(s string, value bool) string {
	for _, r := range s {
		if !strconv.IsPrint(r) {
			return strconv.Quote(s)
		}
	}
	if value && (s == "" || strings.ContainsAny(s, " =\"")) {
		return strconv.Quote(s)
	}
	return s
}
