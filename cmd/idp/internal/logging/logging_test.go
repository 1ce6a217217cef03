package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/cmd/idp/internal/logging"
)

func TestOnlyListedKeysAreLogged(t *testing.T) {
	t.Parallel()
	for _, isJSON := range []bool{true, false} {
		var b bytes.Buffer
		log := logging.New(&b, logging.Options{Level: "debug", JSON: isJSON})
		log.With("code", "SECRET1").WithGroup("request").With(slog.Group("auth", "token", "SECRET2", "client_id", "shop")).
			Info("hello", "state", "SECRET3", "cookie", "SECRET4", "err", errors.New("broken"),
				"user", struct{ Password string }{"SECRET5"}, slog.Any("request", map[string]string{"q": "SECRET6"}))
		out := b.String()
		if strings.Contains(out, "SECRET") {
			t.Errorf("a secret was logged: %s", out)
		}
		for _, want := range []string{"hello", "broken", "shop", "dropped"} {
			if !strings.Contains(out, want) {
				t.Errorf("%q is missing: %s", want, out)
			}
		}
	}
}

// Lines for programs are those of slog's own handler.
func TestJSONIsWhatSlogWrites(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"plain", "", `a "quote" and a \`, "line\nbreak\ttab", "é 日本 \u2028", "broken \xff", "<&>", "\x00\x1b[31m"} {
		values := []any{"op", text, "status", 200, "size", int64(-5), "count", uint64(7), "rows", 1.25, "retry", true, "age", time.Date(2026, 11, 28, 22, 0, 0, 5000, time.UTC), "err", nil}
		read := func(log func(io.Writer) *slog.Logger) map[string]any {
			var b bytes.Buffer
			log(&b).With("client", text).Warn(text, values...)
			if b.Bytes()[b.Len()-1] != '\n' || bytes.Count(b.Bytes(), []byte("\n")) != 1 {
				t.Errorf("not one line: %q", b.String())
			}
			var fields map[string]any
			if err := json.Unmarshal(b.Bytes(), &fields); err != nil {
				t.Fatalf("%v: %s", err, b.String())
			}
			if at, err := time.Parse(time.RFC3339Nano, fields["time"].(string)); err != nil || time.Since(at).Abs() > time.Minute {
				t.Errorf("time is %v", fields["time"])
			}
			delete(fields, "time")
			return fields
		}
		got := read(func(w io.Writer) *slog.Logger { return logging.New(w, logging.Options{JSON: true}) })
		want := read(func(w io.Writer) *slog.Logger { return slog.New(slog.NewJSONHandler(w, nil)) })
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%v\nwant %v", got, want)
		}
	}
}

// Lines that are written at once do not run into each other.
func TestJSONLinesStayApart(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	log := logging.New(&b, logging.Options{JSON: true})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 50 {
				log.Info("said", "op", strings.Repeat(string(rune('a'+i)), 10*(i+1)))
			}
		})
	}
	all.Wait()
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 400 {
		t.Errorf("%d lines", len(lines))
	}
	for _, line := range lines {
		var fields struct{ Op string }
		if err := json.Unmarshal([]byte(line), &fields); err != nil || fields.Op != strings.Repeat(fields.Op[:1], 10*int(fields.Op[0]-'a'+1)) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

type usage string

func TestValues(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	logging.New(&b, logging.Options{JSON: true}).Info("mail", "usage", usage("SignIn"), "took", 1500*time.Microsecond, "limits", []string{"a", "b"})
	if out := b.String(); !strings.Contains(out, `"usage":"SignIn","took":1.5,"limits":"a b"`) {
		t.Error(out)
	}
}

// A line about a request can be found by what its visitor was shown.
func TestRequestIDIsAdded(t *testing.T) {
	t.Parallel()
	for _, isJSON := range []bool{true, false} {
		var b bytes.Buffer
		log := logging.New(&b, logging.Options{JSON: isJSON, RequestID: func(ctx context.Context) string {
			id, _ := ctx.Value(idKey{}).(string)
			return id
		}}).With("op", "x")
		ctx := context.WithValue(t.Context(), idKey{}, "7z9")
		for _, c := range []struct {
			write func()
			want  int
		}{
			{func() { log.InfoContext(ctx, "with") }, 1},
			{func() { log.InfoContext(ctx, "once", "request_id", "7z9") }, 1},
			{func() { log.InfoContext(t.Context(), "without") }, 0},
		} {
			b.Reset()
			c.write()
			if out := b.String(); strings.Count(out, "request_id") != c.want || strings.Count(out, "7z9") != c.want {
				t.Errorf("%q", out)
			}
		}
	}
}

type idKey struct{}

// OAuth error names are fit to be read; "code" is the name of what is not.
func TestErrorCodeIsLogged(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	logging.New(&b, logging.Options{}).Info("denied", "error_code", "login_required", "code", "SECRET")
	if out := b.String(); !strings.Contains(out, "error_code=login_required") || strings.Contains(out, "SECRET") {
		t.Errorf("%q", out)
	}
}

func TestQuiet(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	log := slog.New(logging.Quiet(logging.New(&b, logging.Options{Level: "debug"}).Handler(), slog.LevelWarn)).With("op", "x")
	log.Info("chatter")
	log.Warn("matter")
	if out := b.String(); strings.Contains(out, "chatter") || !strings.Contains(out, "matter") {
		t.Error(out)
	}
}

func TestTextIsOneLineAndDrawsNothing(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	log := logging.New(&b, logging.Options{Level: "info"})
	log.Info("said\nERROR fake", "client", "\x1b[31mred", "path", "/a b")
	log.Debug("quiet")
	out := b.String()
	if strings.Count(out, "\n") != 1 || strings.Contains(out, "\x1b") {
		t.Errorf("%q", out)
	}
	if !strings.Contains(out, `path="/a b"`) {
		t.Errorf("%q", out)
	}
}
