package traces

import (
	"context"
	"runtime"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"idp/store"
	"idp/store/sqlstore"
)

// Engine traces what the database is asked for the sake of something that is traced. What
// workers ask all day is not.
func (t *Traces) Engine(e sqlstore.Engine) sqlstore.Engine {
	if t == nil {
		return e
	}
	return &engine{e, t.tracer}
}

type engine struct {
	sqlstore.Engine
	tracer trace.Tracer
}

func (e *engine) Run(ctx context.Context, s *sqlstore.Script) error {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return e.Engine.Run(ctx, s)
	}
	ctx, span := e.start(ctx, "write", len(s.Steps))
	err := e.Engine.Run(ctx, s)
	end(span, err)
	return err
}

func (e *engine) Read(ctx context.Context, query string, args []any, row func(scan func(dest ...any) error) error) error {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return e.Engine.Read(ctx, query, args, row)
	}
	ctx, span := e.start(ctx, "read", 1)
	err := e.Engine.Read(ctx, query, args, row)
	end(span, err)
	return err
}

func (e *engine) start(ctx context.Context, kind string, statements int) (context.Context, trace.Span) {
	op := operation()
	return e.tracer.Start(ctx, "store "+op, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("db.operation.name", op), attribute.String("idp.store.kind", kind), attribute.Int("db.operation.batch.size", statements)))
}

// end says how it went by a code: an error's text may hold what was asked for.
func end(span trace.Span, err error) {
	if err != nil {
		code := string(store.CodeOf(err))
		if code == "" {
			code = "error"
		}
		span.SetAttributes(attribute.String("error.type", code))
		if store.CodeOf(err) == store.Unavailable {
			span.SetStatus(codes.Error, "")
		}
	}
	span.End()
}

// operation is the method of the store that asks: the outermost on the stack.
func operation() string {
	const depth, method = 24, "idp/store/sqlstore.(*DB)."
	var at [depth]uintptr
	frames := runtime.CallersFrames(at[:runtime.Callers(4, at[:])])
	name := "other"
	for {
		frame, more := frames.Next()
		if rest, ok := strings.CutPrefix(frame.Function, method); ok {
			name, _, _ = strings.Cut(rest, ".") // a function within it has a dot
		} else if name != "other" && !strings.HasPrefix(frame.Function, "idp/store/sqlstore.") {
			return name
		}
		if !more {
			return name
		}
	}
}
