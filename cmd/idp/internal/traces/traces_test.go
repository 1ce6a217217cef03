package traces_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	otlp "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"idp/cmd/idp/internal/traces"
	"idp/store"
	"idp/store/sqlstore"
	"idp/web/serve"
)

// clean is an environment that asks for no traces.
func clean(t *testing.T) {
	t.Helper()
	for _, name := range []string{"OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
		"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"} {
		t.Setenv(name, "")
	}
}

func setup(t *testing.T, collector string) (*traces.Traces, *bytes.Buffer) {
	t.Helper()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
	var out bytes.Buffer
	tr, err := traces.New(t.Context(), "test", slog.New(slog.NewJSONHandler(&out, nil)))
	if err != nil || tr == nil {
		t.Fatalf("%v, %v", tr, err)
	}
	return tr, &out
}

// ask sends a request of a stranger who says that it is sampled, and gives the log's line.
func ask(tr *traces.Traces) string {
	var line bytes.Buffer
	r := chi.NewRouter()
	r.Use(serve.Middleware(serve.Deps{
		Log: slog.New(slog.NewJSONHandler(&line, nil)), ClientIP: func(*http.Request) netip.Addr { return netip.Addr{} }, Trace: tr.Requests(),
	}))
	r.Get("/", func(http.ResponseWriter, *http.Request) {})
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	r.ServeHTTP(httptest.NewRecorder(), request)
	return line.String()
}

// free is an engine that does nothing.
type free struct{ sqlstore.Engine }

func (free) Run(context.Context, *sqlstore.Script) error { return nil }

func TestNothingIsTracedWithoutCollector(t *testing.T) {
	clean(t)
	off := func(what string) {
		t.Helper()
		tr, err := traces.New(t.Context(), "test", slog.New(slog.DiscardHandler))
		if e := (free{}); tr != nil || err != nil || tr.Engine(e) != sqlstore.Engine(e) || tr.Requests() != nil || tr.Close(t.Context()) != nil {
			t.Errorf("%s: something stands in between: %v", what, err)
		}
	}
	off("nothing set")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	t.Setenv("OTEL_SDK_DISABLED", "true")
	off("disabled")
	t.Setenv("OTEL_SDK_DISABLED", "")
	t.Setenv("OTEL_TRACES_EXPORTER", "none")
	off("no exporter")
}

// away is an engine whose errors say too much.
type away struct{ sqlstore.Engine }

func (away) Run(context.Context, *sqlstore.Script) error {
	return &store.Error{Code: store.Unavailable, Op: "test", Err: errors.New("ada@example.com is too much")}
}

func (away) Read(context.Context, string, []any, func(func(...any) error) error) error {
	return errors.New("ada@example.com is too much")
}

// Of an error a span has the code, also where a handler panics; without a request there is none.
func TestErrorsAreCodes(t *testing.T) {
	clean(t)
	var mu sync.Mutex
	var told []byte
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		told = append(told, body...)
	}))
	defer collector.Close()
	tr, _ := setup(t, collector.URL)
	e := tr.Engine(away{})
	_ = e.Run(t.Context(), &sqlstore.Script{}) // as a worker
	r := chi.NewRouter()
	r.Use(serve.Middleware(serve.Deps{
		Log: slog.New(slog.DiscardHandler), ClientIP: func(*http.Request) netip.Addr { return netip.Addr{} }, Trace: tr.Requests(),
		Failed: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	}))
	r.Get("/panics/{id}", func(_ http.ResponseWriter, r *http.Request) {
		err := e.Run(r.Context(), &sqlstore.Script{})
		panic(errors.Join(err, e.Read(r.Context(), "SELECT secret", []any{"ada@example.com"}, nil)))
	})
	r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("BREW", "/panics/ada@example.com", nil))
	r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/panics/ada@example.com?code=123456", nil))
	if err := tr.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	var batch otlp.ExportTraceServiceRequest
	if err := proto.Unmarshal(told, &batch); err != nil {
		t.Fatal(err)
	}
	text := batch.String()
	for _, bad := range []string{"ada@", "too much", "SELECT", "123456", "BREW"} {
		if strings.Contains(text, bad) {
			t.Errorf("%s is told: %s", bad, text)
		}
	}
	spans := batch.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()
	var failed []string
	for _, s := range spans {
		if s.GetStatus().GetCode() == trace.Status_STATUS_CODE_ERROR {
			failed = append(failed, s.GetName())
		}
	}
	if len(spans) != 4 || !slices.Equal(failed, []string{"store other", "GET /panics/{id}"}) || !strings.Contains(text, string(store.Unavailable)) {
		t.Errorf("%d spans, failed %q: %s", len(spans), failed, text)
	}
}

// What a stranger sends neither samples a request nor says whose trace it is in.
func TestTraceparentOfStrangers(t *testing.T) {
	clean(t)
	var told atomic.Int64
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { told.Add(1) }))
	defer collector.Close()
	t.Setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
	tr, _ := setup(t, collector.URL)
	if line := ask(tr); strings.Contains(line, "trace_id") {
		t.Errorf("sampled: %s", line)
	}
	if err := tr.Close(t.Context()); err != nil || told.Load() != 0 {
		t.Errorf("%d batches, %v", told.Load(), err)
	}
	t.Setenv("OTEL_TRACES_SAMPLER", "")
	tr, _ = setup(t, collector.URL)
	if line := ask(tr); !strings.Contains(line, `"trace_id":"`) || strings.Contains(line, "4bf92f3577b34da6a3ce929d0e0e4736") {
		t.Errorf("line %s", line)
	}
	if err := tr.Close(t.Context()); err != nil || told.Load() != 1 {
		t.Errorf("%d batches, %v", told.Load(), err)
	}
}

// A collector that is away is told of once, and one that stalls holds no stop up.
func TestCollectorIsAway(t *testing.T) {
	clean(t)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
	away := httptest.NewServer(http.NotFoundHandler())
	tr, out := setup(t, away.URL)
	away.Close()
	for range 5 {
		ask(tr)
		time.Sleep(60 * time.Millisecond) // several batches
	}
	if err := tr.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if n := strings.Count(out.String(), "\n"); n != 1 || !strings.Contains(out.String(), `"level":"WARN"`) {
		t.Errorf("%d lines: %s", n, out)
	}

	release := make(chan struct{})
	stalls := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer stalls.Close()
	defer close(release)
	tr, _ = setup(t, stalls.URL)
	ask(tr)
	began := time.Now()
	if err := tr.Close(t.Context()); err != nil || time.Since(began) > 9*time.Second {
		t.Errorf("a stop took %v, %v", time.Since(began), err)
	}
}
