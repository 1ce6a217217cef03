package serve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"idp/web/serve"
)

func setup(t *testing.T) (http.Handler, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	r := chi.NewRouter()
	r.Use(serve.Middleware(serve.Deps{
		Log:      slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})),
		ClientIP: func(*http.Request) netip.Addr { return netip.MustParseAddr("203.0.113.9") },
		Failed:   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	}))
	r.Get("/mail/{id}", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(serve.RequestID(r.Context())))
	})
	r.Get("/nothing", func(http.ResponseWriter, *http.Request) {})
	r.Get("/panic", func(http.ResponseWriter, *http.Request) { panic("boom") })
	r.Handle("/oidc/*", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "secret") {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	return r, &out
}

func TestLogHasNoAddressAndNoQuery(t *testing.T) {
	t.Parallel()
	h, out := setup(t)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/mail/secret?code=123456", nil))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/nowhere/secret", nil))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/oidc/secret", nil))
	if strings.Contains(out.String(), "secret") || strings.Contains(out.String(), "123456") {
		t.Errorf("the log tells too much:\n%s", out)
	}
	var line map[string]any
	if err := json.NewDecoder(out).Decode(&line); err != nil {
		t.Fatal(err)
	}
	id := w.Header().Get("X-Request-Id")
	if line["request_id"] != id || w.Body.String() != id || len(id) != 16 {
		t.Errorf("request id %q, in the log %v, in the handler %q", id, line["request_id"], w.Body)
	}
	if line["route"] != "/mail/{id}" || line["status"] != float64(200) || line["ip"] != "203.0.113.9" {
		t.Errorf("line %v", line)
	}
}

func TestKnownProtocolPathsAreLogged(t *testing.T) {
	t.Parallel()
	h, out := setup(t)
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/oidc/token", nil))
	if !strings.Contains(out.String(), `"route":"/oidc/token"`) {
		t.Error(out)
	}
}

func TestPanicIsAnsweredAndLogged(t *testing.T) {
	t.Parallel()
	h, out := setup(t)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/panic", nil))
	if w.Code != http.StatusInternalServerError || !strings.Contains(out.String(), "boom") || !strings.Contains(out.String(), `"status":500`) {
		t.Errorf("status %d, log:\n%s", w.Code, out)
	}
}

// What nobody waited for is no answer, and no fault either.
func TestStatusOfWhoLeft(t *testing.T) {
	t.Parallel()
	left, leave := context.WithCancel(t.Context())
	leave()
	for path, want := range map[string]string{"/nothing": `"status":499`, "/mail/1": `"status":200`} {
		h, out := setup(t)
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(left, http.MethodGet, path, nil))
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s: %s", path, out)
		}
	}
	h, out := setup(t)
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/nothing", nil))
	if !strings.Contains(out.String(), `"status":200`) {
		t.Error(out)
	}
}
