package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// printEndpoints writes a line for each endpoint: its best run.
func (r result) printEndpoints(out io.Writer) error {
	fmt.Fprintf(out, "\n%s; CPU in µs per request\n", r.Version)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	postgres := r.Engine == "postgres"
	fmt.Fprint(t, "\ta second\tp50 ms\tp99 ms\tCPU\ttarget\there\tserver\t÷ empty handler\t")
	if postgres {
		fmt.Fprint(t, "Postgres\t÷ SELECT 1\t")
	}
	fmt.Fprintln(t)
	for _, e := range r.Endpoints {
		best := e.Runs[0]
		ref := best.Reference
		fmt.Fprintf(t, "%s\t%.0f\t%.2f\t%.2f\t%.0f\t%s\t%.0f\t%.0f\t%.1f × %.0f\t", e.Name, best.PerSecond, best.Latency.P50, best.Latency.P99,
			best.CPU(), orNone(best.Target), best.TargetHere, best.ServerCPU, best.ServerCPU/ref.EmptyHandler, ref.EmptyHandler)
		if postgres {
			fmt.Fprintf(t, "%.0f\t%.1f × %.0f\t", best.PostgresCPU, best.PostgresCPU/ref.SelectOneServer, ref.SelectOneServer)
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out, "target: 1.5 times the floor of the design's machine and, for what needs the database, SELECT 1 of this run (Go and Postgres)")
	fmt.Fprintln(out, "here:   the same, with this run's empty handler and ES256 signature as the floor")
	return nil
}

func orNone(target float64) string {
	if target == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f", target)
}
