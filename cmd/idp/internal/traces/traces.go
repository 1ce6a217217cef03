// Package traces tells a collector of OpenTelemetry what a server does: a span for each
// request, each attempt to send a mail or to deliver to a webhook, and under it one for each
// transaction and query.
//
// What a span says are names in this program, names of connectors and webhooks that an
// operator set up, a status, and the id of a request, mail or delivery: no address, no
// network, no client, no user, no path with an id in it, no query, no argument of SQL.
//
// A nil *Traces tells nothing: its methods give back what they are given, so that a server
// without a collector pays nothing.
package traces

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"idp/web/serve"
)

// Traces is what one process tells. Its methods are safe for concurrent use.
type Traces struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// On tells whether the environment names a collector.
func On() bool {
	return !strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") && !strings.EqualFold(os.Getenv("OTEL_TRACES_EXPORTER"), "none") &&
		(os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "")
}

// Check tells whether the environment asks for something that is not there.
func Check() error {
	if !On() {
		return nil
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		text := os.Getenv(name)
		if u, err := url.Parse(text); text != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
			return fmt.Errorf("%s is no address of a collector: write it like http://127.0.0.1:4318", name)
		}
	}
	name := "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
	if os.Getenv(name) == "" {
		name = "OTEL_EXPORTER_OTLP_PROTOCOL"
	}
	switch text := os.Getenv(name); text {
	case "", "http/protobuf", "http/json":
		return nil
	default:
		return fmt.Errorf("%s %q is not spoken: http/protobuf and http/json are", name, text)
	}
}

// New tells the collector that the environment names; nil if it names none. All else that
// the environment says (OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER, ...) is read by the SDK.
func New(ctx context.Context, version string, log *slog.Logger) (*Traces, error) {
	if !On() {
		return nil, nil
	}
	otel.SetLogger(logr.FromSlogHandler(log.Handler()))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces", "err", err) }))
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	res, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "idp"), attribute.String("service.version", version)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	p := sdk.NewTracerProvider(sdk.WithBatcher(&patient{SpanExporter: exporter, log: log}), sdk.WithResource(res))
	return &Traces{provider: p, tracer: p.Tracer("idp")}, nil
}

// patient is an exporter whose collector may be away: what it cannot take is lost, which is
// said once until it is there again.
type patient struct {
	sdk.SpanExporter
	log  *slog.Logger
	away atomic.Bool
}

// ExportSpans implements [sdk.SpanExporter].
func (p *patient) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := p.SpanExporter.ExportSpans(ctx, spans)
	switch {
	case err == nil:
		if p.away.Swap(false) {
			p.log.Info("the collector takes traces again")
		}
	case !p.away.Swap(true):
		p.log.Warn("the collector does not take traces: they are lost until it does", "err", err)
	}
	return nil
}

// longFlush bounds how long a stop waits for the collector.
const longFlush = 3 * time.Second

// Close sends what is left, within a bound.
func (t *Traces) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), longFlush)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("flush the traces: %w", err)
	}
	return nil
}

// Requests traces each request. A traceparent that comes with it is not looked at: anybody
// may send one, and would say what is sampled and whose trace it belongs to.
func (t *Traces) Requests() func(context.Context) (context.Context, serve.Traced) {
	if t == nil {
		return nil
	}
	return func(ctx context.Context) (context.Context, serve.Traced) {
		ctx, span := t.tracer.Start(ctx, "request", trace.WithSpanKind(trace.SpanKindServer), trace.WithNewRoot())
		if !span.IsRecording() {
			return ctx, nil
		}
		return ctx, request{span}
	}
}

type request struct{ trace.Span }

func (r request) ID() string { return r.SpanContext().TraceID().String() }

func (r request) Answered(method, route string, status int, id string) {
	r.SetName(method + " " + route)
	r.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route),
		attribute.Int("http.response.status_code", status), attribute.String("idp.request_id", id))
	if status >= http.StatusInternalServerError {
		r.SetStatus(codes.Error, "")
	}
	r.End()
}
