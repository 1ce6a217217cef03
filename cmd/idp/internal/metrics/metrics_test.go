package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idp/cmd/idp/internal/metrics"
	"idp/mailer"
	"idp/otp"
	"idp/store"
	"idp/store/sqlite"
	"idp/store/sqlitetest"
	"idp/store/sqlstore"
)

// asked is an engine that counts queries, and is away when it is told so.
type asked struct {
	sqlstore.Engine
	backlogs atomic.Int64
	away     atomic.Bool
}

func (a *asked) Read(ctx context.Context, query string, args []any, row func(func(...any) error) error) error {
	if strings.Contains(query, "hook_delivery") {
		a.backlogs.Add(1)
		if a.away.Load() {
			return &store.Error{Code: store.Unavailable, Op: "test"}
		}
	}
	return a.Engine.Read(ctx, query, args, row)
}

func setup(t testing.TB) (*metrics.Metrics, *asked) {
	t.Helper()
	e, err := sqlite.Open(t.Context(), sqlitetest.File(t), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := &asked{Engine: e}
	m := metrics.New("test")
	db := sqlstore.New(m.Engine(a))
	if err := db.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	m.Watch(metrics.Sources{DB: db, Engine: e, Alarm: func() otp.GuessAlarm { return otp.GuessAlarm{On: true, Missed: 7, Limit: 5} },
		Ceiling: func() mailer.Ceiling { return mailer.Ceiling{Enabled: true, Reached: true, Left: 3} },
		Ready:   func(context.Context) bool { return true }, Certificate: func() time.Time { return time.Unix(1_900_000_000, 0) }})
	return m, a
}

func scrape(t testing.TB, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func has(t *testing.T, body string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+body, "\n"+line+"\n") {
			t.Errorf("no %s in\n%s", line, body)
		}
	}
}

// Asking is no lever on the database, and a database that is away is told as such.
func TestScrapesAreCheap(t *testing.T) {
	t.Parallel()
	m, a := setup(t)
	for range 20 {
		has(t, scrape(t, m), "idp_backlog_read 1", `idp_backlog{queue="mails"} 0`, "idp_guess_alarm 1", "idp_guess_alarm_missed 7", "idp_guess_alarm_limit 5", "idp_mail_ceiling 1", "idp_mail_ceiling_left 3",
			"idp_certificate_expiry_timestamp_seconds 1.9e+09")
	}
	if n := a.backlogs.Load(); n != 1 {
		t.Errorf("20 scrapes asked %d times", n)
	}
}

func TestDatabaseIsAway(t *testing.T) {
	t.Parallel()
	m, a := setup(t)
	a.away.Store(true)
	body := scrape(t, m)
	has(t, body, "idp_backlog_read 0")
	if strings.Contains(body, "idp_backlog{") {
		t.Error("a backlog that was not read is told")
	}
	has(t, scrape(t, m), `idp_database_operation_duration_seconds_count{kind="read",result="unavailable"} 1`)
}

// settled is a store of mails that takes what it is told, or not.
type settled struct {
	metrics.MailStore
	err error
}

func (s settled) SettleMail(context.Context, []store.Settled) error               { return s.err }
func (s settled) SetConnectorHealth(context.Context, store.ConnectorHealth) error { return s.err }

func TestMails(t *testing.T) {
	t.Parallel()
	m, _ := setup(t)
	results := []store.Settled{{State: store.MailSent, Sender: "ses"}, {State: store.MailQueued, Sender: "ses"}, {State: store.MailExpired}}
	if err := m.Mails(settled{}).SettleMail(t.Context(), results); err != nil {
		t.Fatal(err)
	}
	away := m.Mails(settled{err: errors.New("away")})
	if away.SettleMail(t.Context(), results) == nil { // it is written down again later: counted then
		t.Fatal("the error is lost")
	}
	for name, state := range map[string]string{"ses": "closed", "smtp": "open", "http": "half-open"} {
		// What the database does not take is told here all the same.
		_ = away.SetConnectorHealth(t.Context(), store.ConnectorHealth{Connector: name, Health: []byte(`{"state":"` + state + `","day":200,"sent":50,"refusals":{"recipients":3,"since":"2026-01-01T00:00:00Z"}}`)})
	}
	has(t, scrape(t, m), `idp_mails_total{connector="ses",result="sent"} 1`, `idp_mails_total{connector="ses",result="retried"} 1`, `idp_mails_total{connector="none",result="expired"} 1`,
		`idp_mail_connector_up{connector="ses"} 1`, `idp_mail_connector_up{connector="smtp"} 0`, `idp_mail_connector_up{connector="http"} 0`,
		`idp_mail_connector_refused_recipients{connector="ses"} 3`,
		`idp_mail_connector_day_used_ratio{connector="ses"} 0.25`)
}

// replicas is what replicas have told of their connectors, now.
type replicas struct {
	settled
	told map[store.ID]string
}

func (replicas) Now() time.Time { return time.Now() }

func (r replicas) ConnectorHealth(context.Context) (rows []store.ConnectorHealth, err error) {
	for id, health := range r.told {
		rows = append(rows, store.ConnectorHealth{Connector: "post", Replica: id, At: time.Now(), Health: []byte(health)})
	}
	return rows, r.err
}

// Each replica tells what the console and the doctor say of all of them: one that idles hides
// nothing, and one that had a mail taken since ends it.
func TestRefusedRecipientsOfReplicas(t *testing.T) {
	t.Parallel()
	row := func(n, since int) string {
		return fmt.Sprintf(`"refusals":{"recipients":%d,"since":"2026-01-01T00:00:%02dZ"}`, n, since)
	}
	taken := func(at int) string { return fmt.Sprintf(`"lastSuccess":"2026-01-01T00:00:%02dZ"`, at) }
	mine, other := store.ID{1}, store.ID{2}
	for name, c := range map[string]struct {
		told      string // by the other one
		before    string // by this one, when it read that
		now       string
		elsewhere error
		want      int
	}{
		"the other one idles":              {told: taken(5), now: row(12, 6), want: 12},
		"this one idles":                   {told: row(12, 6), now: taken(5), want: 12},
		"the other one had a mail taken":   {told: taken(7), now: row(12, 6)},
		"this one had a mail taken":        {told: row(12, 6), now: taken(7)},
		"this one's goes on":               {told: taken(5), before: row(10, 6), now: row(11, 6), want: 11},
		"this one's ended, and began anew": {told: taken(5), before: row(14, 6), now: taken(7) + "," + row(2, 8), want: 2},
		"the other one's makes no sense":   {told: `"since":7`, now: row(12, 6), want: 12},
		"the database is away":             {told: taken(7), now: row(12, 6), elsewhere: errors.New("away"), want: 12},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, _ := setup(t)
			told := map[store.ID]string{other: `{` + c.told + `}`}
			if c.before != "" {
				told[mine] = `{` + c.before + `}`
			}
			mails := m.Mails(replicas{settled{err: c.elsewhere}, told})
			if rows, err := mails.ConnectorHealth(t.Context()); len(rows) != len(told) || !errors.Is(err, c.elsewhere) {
				t.Fatal(rows, err)
			}
			_ = mails.SetConnectorHealth(t.Context(), store.ConnectorHealth{Connector: "post", Replica: mine, Health: []byte(`{` + c.now + `}`)})
			has(t, scrape(t, m), fmt.Sprintf(`idp_mail_connector_refused_recipients{connector="post"} %d`, c.want))
		})
	}
}

// limiting refuses everything.
type limiting struct{ metrics.CodeEngine }

func (limiting) Begin(context.Context, store.Attempt) (store.Begun, error) {
	return store.Begun{}, &store.Error{Code: store.Limited, Limit: "ip_sends"}
}

func (limiting) Verify(_ context.Context, g store.Guess, _ store.Completion) (store.SignedIn, error) {
	return store.SignedIn{Outcome: store.OutcomeLimited, Limit: "account_guesses"}, nil
}

func TestRefusalsByLimit(t *testing.T) {
	t.Parallel()
	m, _ := setup(t)
	codes := m.Codes(limiting{})
	_, _ = codes.Begin(t.Context(), store.Attempt{Purpose: store.PurposeSignIn, Email: "ada@example.com"})
	_, _ = codes.Verify(t.Context(), store.Guess{Purpose: store.PurposeConsole}, store.Completion{})
	body := scrape(t, m)
	has(t, body, `idp_limit_refusals_total{limit="ip_sends"} 1`, `idp_limit_refusals_total{limit="account_guesses"} 1`,
		`idp_codes_total{purpose="sign_in",result="limited"} 1`, `idp_guesses_total{purpose="console",result="limited"} 1`)
	if strings.Contains(body, "ada@") {
		t.Error("an address is told")
	}
}

// Of what a stranger sends nothing becomes a label.
func TestStrangeStatus(t *testing.T) {
	t.Parallel()
	m, _ := setup(t)
	m.Requests()("none", 0, time.Second)
	m.Requests()("none", 404, time.Second)
	has(t, scrape(t, m), `idp_http_request_duration_seconds_count{code="other",route="none"} 1`, `idp_http_request_duration_seconds_count{code="4xx",route="none"} 1`)
}

func TestNothingIsMeasuredWithoutMetrics(t *testing.T) {
	t.Parallel()
	var m *metrics.Metrics
	e, s, c := &asked{}, settled{}, limiting{}
	if m.Engine(e) != sqlstore.Engine(e) || m.Mails(s) != mailer.Store(s) || m.Codes(c) != metrics.CodeEngine(c) || m.Requests() != nil || m.TokenRequests() != nil ||
		m.Sessions(nil) != nil || m.Webhooks(nil) != nil {
		t.Error("something stands in between")
	}
}

// free is an engine that does nothing, so that what is left is the instrument.
type free struct{ sqlstore.Engine }

func (free) Run(context.Context, *sqlstore.Script) error { return nil }

func BenchmarkEngine(b *testing.B) {
	e := metrics.New("test").Engine(free{})
	for b.Loop() {
		_ = e.Run(b.Context(), nil)
	}
}

func BenchmarkRequest(b *testing.B) {
	seen := metrics.New("test").Requests()
	for b.Loop() {
		seen("/oidc/token", 200, time.Millisecond)
	}
}

func BenchmarkGuess(b *testing.B) {
	codes := metrics.New("test").Codes(limiting{})
	for b.Loop() {
		_, _ = codes.Verify(b.Context(), store.Guess{Purpose: store.PurposeSignIn}, store.Completion{})
	}
}
