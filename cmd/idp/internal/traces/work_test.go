package traces_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	otlp "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"idp/cmd/idp/internal/traces"
	"idp/mailer"
	"idp/store"
	"idp/store/sqlstore"
	"idp/webhook"
)

// listen starts a collector; spans gives what it was told, which is all that was traced once
// the traces are closed.
func listen(t *testing.T) (url string, spans func() []*trace.Span) {
	t.Helper()
	var mu sync.Mutex
	var told []*trace.Span
	c := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var batch otlp.ExportTraceServiceRequest
		if err != nil || proto.Unmarshal(body, &batch) != nil {
			t.Errorf("not a batch: %v", err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for _, of := range batch.GetResourceSpans() {
			for _, in := range of.GetScopeSpans() {
				told = append(told, in.GetSpans()...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c.URL, func() []*trace.Span {
		mu.Lock()
		defer mu.Unlock()
		return told
	}
}

var errWordy = errors.New("550 ada@example.com at mx.example.net is too much")

// queue is the store of a mail queue, which gives and takes what it is told.
type queue struct {
	mailer.Store
	engine sqlstore.Engine
	mails  []store.QueuedMail
	err    error
}

func (q *queue) ClaimMail(context.Context, store.ID, time.Duration, int) ([]store.QueuedMail, error) {
	return q.mails, q.err
}

func (q *queue) SettleMail(ctx context.Context, _ []store.Settled) error {
	return q.engine.Run(ctx, &sqlstore.Script{})
}

// hooks is the store of webhooks, the same way.
type hooks struct {
	webhook.Store
	deliveries []store.HookDelivery
	err        error
}

func (h *hooks) ClaimHookDeliveries(context.Context, string, time.Duration, int) ([]store.HookDelivery, error) {
	return h.deliveries, h.err
}

func (h *hooks) SettleHookDeliveries(context.Context, store.ID, []store.HookResult) error {
	return h.err
}

// Of mails and webhooks the claims that bring something, the attempts and the results are
// told, with names and codes alone.
func TestMailsAndWebhooks(t *testing.T) {
	clean(t)
	url, spans := listen(t)
	tr, _ := setup(t, url)
	ctx, id := t.Context(), store.NewID(time.Now())

	q := &queue{engine: tr.Engine(free{})}
	s := tr.MailStore(q)
	_, _ = s.ClaimMail(ctx, id, time.Second, 5) // brings nothing
	q.mails = make([]store.QueuedMail, 3)
	_, _ = s.ClaimMail(ctx, id, time.Second, 5)
	q.mails, q.err = nil, &store.Error{Code: store.Unavailable, Op: "test", Err: errWordy}
	_, _ = s.ClaimMail(ctx, id, time.Second, 5)
	stopped, stop := context.WithCancel(ctx)
	stop()
	_, _ = s.ClaimMail(stopped, id, time.Second, 5) // is no failure
	_ = s.SettleMail(ctx, make([]store.Settled, 2))

	attempt, attempted := tr.Mails().Attempt(ctx, id, store.UsageSignIn, 2)
	_, sent := tr.Mails().Send(attempt, "ses")
	sent(&mailer.SendError{Class: mailer.Throttled, Err: errWordy})
	_, sent = tr.Mails().Send(attempt, "smtp")
	sent(nil)
	attempted(nil)
	_, attempted = tr.Mails().Attempt(ctx, id, store.UsageSignIn, 3)
	attempted(errWordy)

	h := &hooks{}
	hs := tr.WebhookStore(h)
	_, _ = hs.ClaimHookDeliveries(ctx, "hook", time.Second, 5) // brings nothing
	h.deliveries = make([]store.HookDelivery, 4)
	_, _ = hs.ClaimHookDeliveries(ctx, "hook", time.Second, 5)
	_ = hs.SettleHookDeliveries(ctx, id, make([]store.HookResult, 4))
	_, posted := tr.Webhooks()(ctx, id, "hook", "User.Created", 1)
	posted(http.StatusBadGateway, errWordy)
	_, posted = tr.Webhooks()(ctx, id, "hook", "User.Created", 2)
	posted(http.StatusOK, nil)
	if err := tr.Close(ctx); err != nil {
		t.Fatal(err)
	}

	var lines []string
	for _, s := range spans() {
		line := s.GetName()
		for _, a := range s.GetAttributes() {
			value := a.GetValue().GetStringValue()
			if value == "" {
				value = strings.TrimPrefix(a.GetValue().String(), "int_value:")
			}
			if value == id.String() {
				value = "ID"
			}
			line += " " + a.GetKey() + "=" + value
		}
		if s.GetStatus().GetCode() == trace.Status_STATUS_CODE_ERROR {
			line += " failed"
		}
		if len(s.GetParentSpanId()) > 0 {
			line += " within"
		}
		lines = append(lines, line)
	}
	want := `mail claim messaging.batch.message_count=3
mail claim messaging.batch.message_count=0 error.type=unavailable failed
store other db.operation.name=other idp.store.kind=write db.operation.batch.size=0 within
mail settle messaging.batch.message_count=2
mail send idp.mail.connector=ses error.type=throttled failed within
mail send idp.mail.connector=smtp within
mail attempt idp.mail=ID idp.mail.usage=SignIn idp.attempt=2
mail attempt idp.mail=ID idp.mail.usage=SignIn idp.attempt=3 error.type=temporary failed
webhook claim messaging.batch.message_count=4
webhook settle messaging.batch.message_count=4
webhook attempt idp.webhook=hook idp.webhook.event=User.Created idp.webhook.delivery=ID idp.attempt=1 http.response.status_code=502 error.type=post failed
webhook attempt idp.webhook=hook idp.webhook.event=User.Created idp.webhook.delivery=ID idp.attempt=2 http.response.status_code=200`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("told:\n%s\nwant:\n%s", got, want)
	}
}

func TestNothingStandsBetweenWorkersWithoutCollector(t *testing.T) {
	t.Parallel()
	var tr *traces.Traces
	q, h := &queue{}, &hooks{}
	if tr.MailStore(q) != mailer.Store(q) || tr.WebhookStore(h) != webhook.Store(h) || tr.Mails() != nil || tr.Webhooks() != nil {
		t.Error("something stands in between")
	}
}
