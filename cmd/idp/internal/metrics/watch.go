package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"idp/mailer"
	"idp/otp"
	"idp/store"
	"idp/store/postgres"
	"idp/store/sqlite"
	"idp/store/sqlstore"
)

// Sources is what is read when somebody asks.
type Sources struct {
	DB          *sqlstore.DB
	Engine      sqlstore.Engine // under DB
	Alarm       func() otp.GuessAlarm
	Ceiling     func() mailer.Ceiling
	Ready       func(context.Context) bool
	Certificate func() time.Time // when it ends; nil: there is none
}

const (
	most      = 10_000          // of what waits is counted
	keep      = 5 * time.Second // what was read of the database
	longQuery = 2 * time.Second
)

// Watch adds what is read of the parts of a server. It is called once.
func (m *Metrics) Watch(s Sources) { m.registry.MustRegister(&watch{Sources: s}) }

type watch struct {
	Sources

	mu       sync.Mutex
	read     time.Time
	backlogs store.Backlogs
	err      error
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	ready       = desc("idp_ready", "1 if /readyz says that requests can be answered.")
	backlog     = desc("idp_backlog", "What waits in the database, of all replicas together and counted up to 10000, by queue: mails, webhooks, audit.", "queue")
	backlogAge  = desc("idp_backlog_oldest_age_seconds", "For how long the oldest of what waits has waited; 0 if nothing does.", "queue")
	backlogRead = desc("idp_backlog_read", "1 if the backlogs could be read, 0 if the database did not answer.")
	alarm       = desc("idp_guess_alarm", "1 while codes are guessed at on many addresses and new codes are longer.")
	alarmMissed = desc("idp_guess_alarm_missed", "Wrong codes that came to nothing, of all replicas together, in the period of the alarm.")
	alarmLimit  = desc("idp_guess_alarm_limit", "What idp_guess_alarm_missed must pass for the alarm.")
	ceiling     = desc("idp_mail_ceiling", "1 while the ceiling of all mails is reached and nobody but operators can ask for codes.")
	ceilingLeft = desc("idp_mail_ceiling_left", "Mails that may go before the ceiling of all mails is reached, if one is set.")
	cacheUse    = desc("idp_cache_lookups_total", "Configuration that was looked for in the cache of this process, by result: hit, miss.", "result")
	certificate = desc("idp_certificate_expiry_timestamp_seconds", "When the TLS certificate that is served ends, in Unix time.")

	poolMost    = desc("idp_database_pool_connections_max", "Connections to Postgres that this process may have.")
	poolOpen    = desc("idp_database_pool_connections", "Connections to Postgres that this process has.")
	poolUsed    = desc("idp_database_pool_connections_in_use", "Connections to Postgres that are in use.")
	poolWaits   = desc("idp_database_pool_waits_total", "Calls that found no connection to Postgres free.")
	poolWaited  = desc("idp_database_pool_wait_seconds_total", "How long calls have waited for a free connection to Postgres, all together.")
	writerQueue = desc("idp_database_writer_waiting", "Transactions that wait for SQLite's writer, those it is at included.")
	writerDone  = desc("idp_database_writer_commits_total", "Commits of SQLite's writer.")
	writerGroup = desc("idp_database_writer_transactions_total", "Transactions that the commits of SQLite's writer held: their ratio is the size of a group.")
)

// Describe implements [prometheus.Collector].
func (w *watch) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{ready, backlog, backlogAge, backlogRead, alarm, alarmMissed, alarmLimit, ceiling, ceilingLeft, cacheUse, certificate,
		poolMost, poolOpen, poolUsed, poolWaits, poolWaited, writerQueue, writerDone, writerGroup} {
		out <- d
	}
}

// Collect implements [prometheus.Collector].
func (w *watch) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge(ready, flag(w.Ready(context.Background())))
	b, err := w.waiting()
	gauge(backlogRead, flag(err == nil))
	if err == nil {
		now := w.DB.Now()
		for queue, q := range map[string]store.Backlog{"mails": b.Mails, "webhooks": b.Hooks, "audit": b.Events} {
			gauge(backlog, float64(q.Waiting), queue)
			age := 0.
			if !q.Oldest.IsZero() {
				age = max(0, now.Sub(q.Oldest).Seconds())
			}
			gauge(backlogAge, age, queue)
		}
	}
	a := w.Alarm()
	gauge(alarm, flag(a.On))
	gauge(alarmMissed, float64(a.Missed))
	gauge(alarmLimit, float64(a.Limit))
	c := w.Ceiling()
	gauge(ceiling, flag(c.Reached))
	if c.Enabled {
		gauge(ceilingLeft, float64(c.Left))
	}
	hits, misses := w.DB.CacheUse()
	count(cacheUse, float64(hits), "hit")
	count(cacheUse, float64(misses), "miss")
	if w.Certificate != nil {
		if end := w.Certificate(); !end.IsZero() {
			gauge(certificate, float64(end.Unix()))
		}
	}
	switch e := w.Engine.(type) {
	case *postgres.Engine:
		s := e.Stats()
		gauge(poolMost, float64(s.Most))
		gauge(poolOpen, float64(s.Open))
		gauge(poolUsed, float64(s.Used))
		count(poolWaits, float64(s.Waits))
		count(poolWaited, s.Waited.Seconds())
	case *sqlite.Engine:
		s := e.Stats()
		gauge(writerQueue, float64(s.Waiting))
		count(writerDone, float64(s.Commits))
		count(writerGroup, float64(s.Scripts))
	}
}

// waiting reads the backlogs, unless that was done just now: asking more often is no way to
// burden the database. Who waited for somebody else's answer takes it.
func (w *watch) waiting() (store.Backlogs, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.read.IsZero() && time.Since(w.read) < keep {
		return w.backlogs, w.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), longQuery)
	defer cancel()
	w.backlogs, w.err = w.DB.Backlogs(ctx, most)
	w.read = time.Now()
	return w.backlogs, w.err
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
