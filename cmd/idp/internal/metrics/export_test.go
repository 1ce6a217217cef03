package metrics

import "github.com/prometheus/client_golang/prometheus"

// Described are all metrics that can be scraped of m, whether they have a value now or not.
func Described(m *Metrics) (all []*prometheus.Desc) {
	out := make(chan *prometheus.Desc)
	go func() { defer close(out); m.registry.Describe(out) }()
	for d := range out {
		all = append(all, d)
	}
	return all
}
