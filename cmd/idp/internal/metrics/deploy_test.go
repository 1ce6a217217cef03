package metrics_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/cmd/idp/internal/metrics"
	"idp/store"
)

// metric is one of ours.
type metric struct{ name, kind, labels, help string }

var described = regexp.MustCompile(`fqName: "(idp_[a-z_]+)", help: "(.*?)", (?:unit: "", )?constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}`)

// registered are all of ours, by name, also those that have no value here.
func registered(t *testing.T) []metric {
	t.Helper()
	m, _ := setup(t)
	m.Requests()("/", 200, time.Second) // what has labels has a type once it has a value
	_, _ = m.Codes(limiting{}).Begin(t.Context(), store.Attempt{})
	_ = m.Mails(settled{}).SettleMail(t.Context(), []store.Settled{{State: store.MailSent}})
	_ = m.Mails(settled{}).SetConnectorHealth(t.Context(), store.ConnectorHealth{Connector: "ses", Health: []byte(`{"day":1}`)})
	body := scrape(t, m)
	var all []metric
	for _, d := range metrics.Described(m) {
		p := described.FindStringSubmatch(d.String())
		if p == nil {
			continue // of Go and the process
		}
		one := metric{name: p[1], help: p[2], labels: p[4]}
		if p[3] != "" {
			one.labels, _, _ = strings.Cut(p[3], "=")
		}
		_, typed, ok := strings.Cut(body, "\n# TYPE "+one.name+" ")
		switch {
		case ok:
			one.kind, _, _ = strings.Cut(typed, "\n")
		case !strings.HasPrefix(one.name, "idp_database_pool_"):
			t.Errorf("%s has no value", one.name)
		case strings.HasSuffix(one.name, "_total"): // the pool is Postgres', this is SQLite
			one.kind = "counter"
		default:
			one.kind = "gauge"
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b metric) int { return strings.Compare(a.name, b.name) })
	return all
}

// What the dashboard and the alert rules ask for is there.
func TestDashboardAndAlertsAskForWhatIsThere(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	for _, m := range registered(t) {
		there[m.name] = true
		if m.kind == "histogram" {
			there[m.name+"_bucket"], there[m.name+"_count"], there[m.name+"_sum"] = true, true, true
		}
	}
	for _, file := range []string{"grafana/dashboard.json", "prometheus/alerts.yaml"} {
		text, err := os.ReadFile("../../../../deploy/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, ".json") && !json.Valid(text) {
			t.Errorf("%s is no JSON", file)
		}
		var asked int
		for _, name := range regexp.MustCompile(`\bidp_[a-z_]+`).FindAllString(string(text), -1) {
			asked++
			if !there[name] {
				t.Errorf("%s asks for %s, which is not there", file, name)
			}
		}
		if asked < 10 {
			t.Errorf("%s asks for %d metrics", file, asked)
		}
	}
}

// The tests of the alerts leave none out.
func TestAlertsAreTested(t *testing.T) {
	t.Parallel()
	rules, err := os.ReadFile("../../../../deploy/prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile("../../../../deploy/prometheus/alerts_test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(string(rules), -1)
	if len(names) < 10 {
		t.Errorf("%d alerts", len(names))
	}
	for _, name := range names {
		if !strings.Contains(string(tests), "alertname: "+name[1]+", exp_alerts:") {
			t.Errorf("%s is shown by no series", name[1])
		}
	}
}

// The list in docs/monitoring.md is all of ours and nothing else, with the words that a
// scrape says.
func TestDocsListAllMetrics(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../../docs/monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, m := range registered(t) {
		labels := "" // in the order of the help
		if m.labels != "" {
			labels = "`" + strings.ReplaceAll(m.labels, ",", "`, `") + "`"
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s |\n", m.name, m.kind, labels, m.help)
	}
	_, list, _ := strings.Cut(string(text), "| Metric | Type | Labels | What it is |\n|---|---|---|---|\n")
	if list, _, _ = strings.Cut(list, "\n\n"); strings.TrimSpace(list) != strings.TrimSpace(want.String()) {
		t.Errorf("docs/monitoring.md lists:\n%s\nit should be:\n%s", list, want.String())
	}
}
