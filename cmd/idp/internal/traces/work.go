package traces

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"idp/mailer"
	"idp/store"
	"idp/webhook"
)

// batch is how many mails or deliveries were claimed or settled at once.
const batch = attribute.Key("messaging.batch.message_count")

// claimed tells of a claim that brought something, or failed. Workers ask all day, and are
// mostly told that there is nothing: so a claim becomes a span once it is over, and what it
// asked of the database is no part of it.
func (t *Traces) claimed(ctx context.Context, name string, began time.Time, n int, err error) {
	if n == 0 && (err == nil || ctx.Err() != nil) {
		return
	}
	_, span := t.tracer.Start(ctx, name, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindConsumer), trace.WithTimestamp(began),
		trace.WithAttributes(batch.Int(n)))
	end(span, err)
}

// settling begins the span of results that are written down.
func (t *Traces) settling(ctx context.Context, name string, n int) (context.Context, trace.Span) {
	return t.tracer.Start(ctx, name, trace.WithNewRoot(), trace.WithAttributes(batch.Int(n)))
}

// MailStore traces the mails that a queue claims, and the results that it writes down.
func (t *Traces) MailStore(s mailer.Store) mailer.Store {
	if t == nil {
		return s
	}
	return &mailStore{s, t}
}

type mailStore struct {
	mailer.Store
	t *Traces
}

func (s *mailStore) ClaimMail(ctx context.Context, worker store.ID, lease time.Duration, limit int) ([]store.QueuedMail, error) {
	began := time.Now()
	mails, err := s.Store.ClaimMail(ctx, worker, lease, limit)
	s.t.claimed(ctx, "mail claim", began, len(mails), err)
	return mails, err
}

func (s *mailStore) SettleMail(ctx context.Context, results []store.Settled) error {
	ctx, span := s.t.settling(ctx, "mail settle", len(results))
	err := s.Store.SettleMail(ctx, results)
	end(span, err)
	return err
}

// Mails traces each attempt to send a mail, and under it each connector that was tried.
// What wording it asks of the database is under it, too.
func (t *Traces) Mails() mailer.Trace {
	if t == nil {
		return nil
	}
	return mails{t.tracer}
}

type mails struct{ tracer trace.Tracer }

func (m mails) Attempt(ctx context.Context, mail store.ID, usage store.Usage, n int) (context.Context, func(error)) {
	ctx, span := m.tracer.Start(ctx, "mail attempt", trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindConsumer))
	if span.IsRecording() {
		span.SetAttributes(attribute.String("idp.mail", mail.String()), attribute.String("idp.mail.usage", string(usage)), attribute.Int("idp.attempt", n))
	}
	return ctx, func(err error) { endMail(span, err) }
}

func (m mails) Send(ctx context.Context, connector string) (context.Context, func(error)) {
	ctx, span := m.tracer.Start(ctx, "mail send", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("idp.mail.connector", connector)))
	return ctx, func(err error) { endMail(span, err) }
}

// endMail says how it went by a class: a provider's words may hold the address.
func endMail(span trace.Span, err error) {
	if err != nil {
		class := mailer.Temporary
		if e := (*mailer.SendError)(nil); errors.As(err, &e) {
			class = e.Class
		}
		span.SetAttributes(attribute.String("error.type", string(class)))
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// WebhookStore traces the deliveries that are claimed, and the results that are written down.
func (t *Traces) WebhookStore(s webhook.Store) webhook.Store {
	if t == nil {
		return s
	}
	return &hookStore{s, t}
}

type hookStore struct {
	webhook.Store
	t *Traces
}

func (s *hookStore) ClaimHookDeliveries(ctx context.Context, hook string, lease time.Duration, limit int) ([]store.HookDelivery, error) {
	began := time.Now()
	deliveries, err := s.Store.ClaimHookDeliveries(ctx, hook, lease, limit)
	s.t.claimed(ctx, "webhook claim", began, len(deliveries), err)
	return deliveries, err
}

func (s *hookStore) SettleHookDeliveries(ctx context.Context, worker store.ID, results []store.HookResult) error {
	ctx, span := s.t.settling(ctx, "webhook settle", len(results))
	err := s.Store.SettleHookDeliveries(ctx, worker, results)
	end(span, err)
	return err
}

// Webhooks traces each attempt to deliver to a webhook: what it reads of the database for
// it, and the post.
func (t *Traces) Webhooks() webhook.Trace {
	if t == nil {
		return nil
	}
	return func(ctx context.Context, delivery store.ID, hook, event string, n int) (context.Context, func(int, error)) {
		ctx, span := t.tracer.Start(ctx, "webhook attempt", trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindClient))
		if span.IsRecording() {
			span.SetAttributes(attribute.String("idp.webhook", hook), attribute.String("idp.webhook.event", event),
				attribute.String("idp.webhook.delivery", delivery.String()), attribute.Int("idp.attempt", n))
		}
		return ctx, func(status int, err error) { endPost(span, status, err) }
	}
}

// endPost says how it went by the status or a code: an error's text may hold the host.
func endPost(span trace.Span, status int, err error) {
	if status != 0 {
		span.SetAttributes(attribute.Int("http.response.status_code", status))
	}
	if err != nil {
		code := string(store.CodeOf(err)) // of the database; a post has none
		if code == "" {
			code = "post"
		}
		span.SetAttributes(attribute.String("error.type", code))
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
