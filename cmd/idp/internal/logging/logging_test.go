package logging_test

import (
	"bytes"
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
