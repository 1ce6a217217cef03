package logging

import (
	"io"
	"log/slog"
	"math"
	"sync"

	"idp/keyring/flat"
)

// jsonLines writes lines for programs, as slog's own handler writes them: time, level and
// msg, then what the line has of its own. Every request has one, so it takes no memory of
// its own and half of the time.
type jsonLines struct {
	mu sync.Mutex
	w  io.Writer

	text []byte // of the line before
}

func (h *jsonLines) line(r slog.Record, attrs []slog.Attr) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var w flat.Writer
	w.Reuse(h.text)
	if !r.Time.IsZero() {
		w.Time("time", r.Time)
	}
	w.String("level", r.Level.String())
	w.String("msg", r.Message)
	for _, a := range attrs {
		switch v := a.Value; v.Kind() {
		case slog.KindInt64:
			w.Int(a.Key, v.Int64())
		case slog.KindFloat64:
			w.Float(a.Key, v.Float64())
		case slog.KindBool:
			w.Bool(a.Key, v.Bool())
		case slog.KindTime:
			w.Time(a.Key, v.Time())
		case slog.KindUint64:
			w.Int(a.Key, int64(min(v.Uint64(), math.MaxInt64)))
		case slog.KindAny: // [wall.plain] leaves nothing of this kind but nil
			w.Object(a.Key, []byte("null"))
		default: // of texts there are most; all else tells itself as one
			w.String(a.Key, v.String())
		}
	}
	h.text = append(w.Bytes(), '\n')
	_, err := h.w.Write(h.text)
	if cap(h.text) > maxKept {
		h.text = nil
	}
	return err
}

// maxKept is how long a line may be whose memory is kept for the next: that of a panic holds
// a stack.
const maxKept = 4 << 10
