package metrics

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"idp/mailer"
	"idp/store"
	"idp/store/sqlstore"
	"idp/webhook"
)

// Engine measures what the database is asked.
func (m *Metrics) Engine(e sqlstore.Engine) sqlstore.Engine {
	if m == nil {
		return e
	}
	return &engine{e, m}
}

type engine struct {
	sqlstore.Engine
	m *Metrics
}

func (e *engine) Run(ctx context.Context, s *sqlstore.Script) error {
	began := time.Now()
	err := e.Engine.Run(ctx, s)
	e.m.operations.WithLabelValues("write", database(err)).Observe(time.Since(began).Seconds())
	return err
}

func (e *engine) Read(ctx context.Context, query string, args []any, row func(scan func(dest ...any) error) error) error {
	began := time.Now()
	err := e.Engine.Read(ctx, query, args, row)
	e.m.operations.WithLabelValues("read", database(err)).Observe(time.Since(began).Seconds())
	return err
}

func database(err error) string {
	switch {
	case err == nil:
		return "ok"
	case store.CodeOf(err) == store.Unavailable:
		return "unavailable"
	}
	return "refused"
}

// MailStore is what is asked of the store of a queue that is measured.
type MailStore interface {
	mailer.Store
	mailer.HealthStore
}

// Mails measures what the queue writes down, and what it reads of other replicas.
func (m *Metrics) Mails(s MailStore) mailer.Store {
	if m == nil {
		return s
	}
	return &mails{s, m}
}

type mails struct {
	MailStore
	m *Metrics
}

func (s *mails) SettleMail(ctx context.Context, results []store.Settled) error {
	err := s.MailStore.SettleMail(ctx, results)
	if err != nil {
		return err
	}
	for _, r := range results {
		connector := r.Sender
		if connector == "" {
			connector = "none"
		}
		s.m.mails.WithLabelValues(connector, mailResult(r.State)).Inc()
	}
	return nil
}

func mailResult(s store.MailState) string {
	switch s {
	case store.MailQueued:
		return "retried"
	case store.MailSent:
		return "sent"
	case store.MailFailed:
		return "failed"
	case store.MailExpired:
		return "expired"
	case store.MailSuppressed:
		return "suppressed"
	}
	return "other"
}

func (s *mails) SetConnectorHealth(ctx context.Context, h store.ConnectorHealth) error {
	s.m.connectors.tell(h)
	return s.MailStore.SetConnectorHealth(ctx, h)
}

func (s *mails) ConnectorHealth(ctx context.Context) ([]store.ConnectorHealth, error) {
	rows, err := s.MailStore.ConnectorHealth(ctx)
	if err == nil {
		s.m.connectors.see(rows, s.Now())
	}
	return rows, err
}

// connectors is how this replica gets on with its connectors: it writes that down every 15
// seconds, and when it changes. And how all replicas do: the queue reads that every 15 seconds.
type connectors struct {
	mu     sync.Mutex
	health map[string]told
	all    map[string]mailer.ConnectorState // while the database is away: as it was before
}

type told struct {
	mailer.Report
	at time.Time // as this process tells the time
}

// forgotten is when a connector that nothing was told of is one that was removed.
const forgotten = time.Minute

func (c *connectors) tell(h store.ConnectorHealth) {
	t := told{Report: mailer.Report{Replica: h.Replica}, at: time.Now()}
	if json.Unmarshal(h.Health, &t.Health) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.health[h.Connector] = t
}

// see takes what the queue has read. What cannot be made out is as good as not there.
func (c *connectors) see(rows []store.ConnectorHealth, now time.Time) {
	states, _ := mailer.StatesOf(rows, now)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = map[string]mailer.ConnectorState{}
	for _, s := range states {
		c.all[s.Connector] = s
	}
}

var (
	connectorUp    = prometheus.NewDesc("idp_mail_connector_up", "1 if this replica sends through the connector, 0 while its circuit breaker keeps mails away from it.", []string{"connector"}, nil)
	connectorRow   = prometheus.NewDesc("idp_mail_connector_refused_recipients", "Recipients in a row whose mails the connector refused, each for a reason that may be the mail's own: the longest such row of any replica since the connector took a mail from one, counted up to 100.", []string{"connector"}, nil)
	connectorQuota = prometheus.NewDesc("idp_mail_connector_day_used_ratio", "Mails of the last 24 hours to those that the provider's account may send, where it tells.", []string{"connector"}, nil)
)

// Describe implements [prometheus.Collector].
func (c *connectors) Describe(out chan<- *prometheus.Desc) {
	out <- connectorUp
	out <- connectorRow
	out <- connectorQuota
}

// Collect implements [prometheus.Collector].
func (c *connectors) Collect(out chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, t := range c.health {
		if time.Since(t.at) > forgotten {
			delete(c.health, name)
			continue
		}
		up := 0.
		if t.State == mailer.Closed {
			up = 1
		}
		out <- prometheus.MustNewConstMetric(connectorUp, prometheus.GaugeValue, up, name)
		row, _ := c.all[name].With(t.Report).Refusing()
		out <- prometheus.MustNewConstMetric(connectorRow, prometheus.GaugeValue, float64(row.Recipients), name)
		if t.Day > 0 {
			out <- prometheus.MustNewConstMetric(connectorQuota, prometheus.GaugeValue, t.Sent/t.Day, name)
		}
	}
}

// Webhooks measures what is posted.
func (m *Metrics) Webhooks(s webhook.Store) webhook.Store {
	if m == nil {
		return s
	}
	return &hooks{s, m}
}

type hooks struct {
	webhook.Store
	m *Metrics
}

func (s *hooks) SettleHookDeliveries(ctx context.Context, worker store.ID, results []store.HookResult) error {
	err := s.Store.SettleHookDeliveries(ctx, worker, results)
	if err != nil {
		return err
	}
	for _, r := range results {
		switch {
		case r.State == store.HookWaiting && r.Untried:
		case r.State == store.HookWaiting:
			s.m.hooks.WithLabelValues("retried").Inc()
		case r.State == store.HookDelivered:
			s.m.hooks.WithLabelValues("delivered").Inc()
		default:
			s.m.hooks.WithLabelValues("failed").Inc()
		}
	}
	return nil
}
