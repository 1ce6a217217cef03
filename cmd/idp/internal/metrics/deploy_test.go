package metrics_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// What the dashboard and the alert rules ask for is there. Those of Postgres are not
// exported by this server, which is on SQLite.
func TestDashboardAndAlertsAskForWhatIsThere(t *testing.T) {
	t.Parallel()
	m, _ := setup(t)
	help := scrape(t, m) + "# TYPE idp_database_pool_connections_in_use \n# TYPE idp_database_pool_wait_seconds_total \n" +
		"# TYPE idp_limit_refusals_total \n# TYPE idp_mails_total \n# TYPE idp_mail_connector_up \n# TYPE idp_http_request_duration_seconds \n"
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
			base := strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count")
			if !strings.Contains(help, "# TYPE "+base+" ") {
				t.Errorf("%s asks for %s, which is not there", file, name)
			}
		}
		if asked < 10 {
			t.Errorf("%s asks for %d metrics", file, asked)
		}
	}
}
