// Package metrics measures a server for Prometheus. What it counts is of this process; what
// waits in the database is read when somebody asks, with a bound and not more often than
// every five seconds.
//
// Labels have few values, all of which are names in this program or of connectors that an
// operator set up: no address, no network, no client, no user, no path with an id in it.
//
// A nil *Metrics measures nothing: its methods give back what they are given, so that a
// server without the private address pays nothing.
package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is what one process measures. Its methods are safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	codes      *prometheus.CounterVec   // purpose, result
	guesses    *prometheus.CounterVec   // purpose, result
	sessions   *prometheus.CounterVec   // result
	refused    *prometheus.CounterVec   // limit
	mails      *prometheus.CounterVec   // connector, result
	hooks      *prometheus.CounterVec   // result
	tokens     *prometheus.CounterVec   // grant_type, result
	requests   *prometheus.HistogramVec // route, code
	operations *prometheus.HistogramVec // kind, result

	connectors connectors
}

// New makes the instruments; [Metrics.Watch] adds what is read when somebody asks.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		codes: counter("idp_codes_total", "Codes that were asked for, by what they are for and what came of it: sent, resent, repeated (a form sent twice), withheld (the mail reaches nobody), suppressed (the address takes no mail), or why not.",
			"purpose", "result"),
		guesses: counter("idp_guesses_total", "Codes, links and one-time tokens that were offered, by what they are for and the outcome; accepted is a right one.",
			"purpose", "result"),
		sessions: counter("idp_session_sign_ins_total", "Sign-ins to an app from a session that the browser has, without a code, by outcome.", "result"),
		refused:  counter("idp_limit_refusals_total", "Requests that a limit refused, by its name.", "limit"),
		mails: counter("idp_mails_total", "Attempts to send a mail that have ended, by connector and result: sent, retried, failed, expired, suppressed.",
			"connector", "result"),
		hooks:  counter("idp_webhook_posts_total", "Posts to webhooks that have ended, by result: delivered, retried, failed.", "result"),
		tokens: counter("idp_token_requests_total", "Requests for tokens of clients that are who they say, by grant type and result: issued, or the error code.", "grant_type", "result"),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "idp_http_request_duration_seconds", Help: "Time to answer a request, by the pattern of its route and the class of its status. What the caller did not wait for counts as 4xx: 499 in the log, as nginx has it.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route", "code"}),
		operations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "idp_database_operation_duration_seconds", Help: "Time of a transaction (write) or query (read), waiting included, by result: ok, unavailable, or refused (by what stands in the database).",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
		}, []string{"kind", "result"}),
		connectors: connectors{health: map[string]told{}},
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "idp_build_info", Help: "1, with the version of the program.", ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.registry.MustRegister(m.codes, m.guesses, m.sessions, m.refused, m.mails, m.hooks, m.tokens, m.requests, m.operations, &m.connectors, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.begin()
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// begin has the counters that alerts ask for stand at 0: the rate of one that is not there
// yet is not known, and its first step is not seen.
func (m *Metrics) begin() {
	for _, p := range []string{"sign_in", "register", "recover", "console", "verify"} {
		m.codes.WithLabelValues(p, "sent")
		m.guesses.WithLabelValues(p, "accepted")
		m.guesses.WithLabelValues(p, "wrong")
	}
	m.sessions.WithLabelValues("accepted")
	for _, grant := range []string{"authorization_code", "refresh_token", "client_credentials"} {
		m.tokens.WithLabelValues(grant, issued)
	}
	for _, result := range []string{"delivered", "failed"} {
		m.hooks.WithLabelValues(result)
	}
}

// answers at a time: more are turned away.
const answers = 2

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: answers, Timeout: 10 * time.Second, ErrorHandling: promhttp.ContinueOnError})
}

// Requests is told of each answer.
func (m *Metrics) Requests() func(route string, status int, took time.Duration) {
	if m == nil {
		return nil
	}
	return func(route string, status int, took time.Duration) {
		m.requests.WithLabelValues(route, class(status)).Observe(took.Seconds())
	}
}

func class(status int) string {
	if status < 100 || status > 599 {
		return "other"
	}
	return strconv.Itoa(status/100) + "xx"
}

const issued = "issued"

// TokenRequests is told of each request for tokens.
func (m *Metrics) TokenRequests() func(grantType, refusal string) {
	if m == nil {
		return nil
	}
	return func(grantType, refusal string) {
		if refusal == "" {
			refusal = issued
		}
		m.tokens.WithLabelValues(grantType, refusal).Inc()
	}
}
