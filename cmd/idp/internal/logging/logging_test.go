package logging_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"idp/cmd/idp/internal/logging"
)

func TestOnlyListedKeysAreLogged(t *testing.T) {
	t.Parallel()
	for _, json := range []bool{true, false} {
		var b bytes.Buffer
		log := logging.New(&b, logging.Options{Level: "debug", JSON: json})
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
	for _, json := range []bool{true, false} {
		var b bytes.Buffer
		log := logging.New(&b, logging.Options{JSON: json, RequestID: func(ctx context.Context) string {
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
