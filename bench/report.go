package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
)

// report is everything that is printed.
type report struct {
	Machine  machine  `json:"machine"`
	Settings options  `json:"settings"`
	Results  []result `json:"results"`
}

type machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	System string `json:"system"`
	Go     string `json:"go"`
}

func describeMachine() machine {
	return machine{
		CPU: field("/proc/cpuinfo", "model name", ":"), Cores: runtime.NumCPU(),
		System: strings.Trim(field("/etc/os-release", "PRETTY_NAME", "="), `"`), Go: runtime.Version(),
	}
}

// field reads one value of a file of keys and values.
func field(file, key, separator string) string {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if k, v, ok := strings.Cut(line, separator); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}

// print writes the report for people.
func (r report) print(out io.Writer) error {
	fmt.Fprintf(out, "%s, %d cores, %s, %s\n%d users at once, %d accounts, %s measured after %s, best of %d\n",
		r.Machine.CPU, r.Machine.Cores, r.Machine.System, r.Machine.Go,
		r.Settings.Clients, r.Settings.Users, r.Settings.Duration, r.Settings.Warmup, r.Settings.BestOf)
	if r.Settings.Filled > 0 {
		fmt.Fprintf(out, "%d more accounts with what they leave behind in the database\n", r.Settings.Filled)
	}
	fmt.Fprintf(out, "load %s in the end\n", machineLoad())
	if r.Settings.IPLimits {
		fmt.Fprintln(out, "all limits on, each account in its own network")
	} else {
		fmt.Fprintln(out, "limits per network off, all others on")
	}
	for _, one := range r.Results {
		if err := one.print(out); err != nil {
			return err
		}
	}
	return nil
}

func (r result) print(out io.Writer) error {
	if len(r.Endpoints) > 0 {
		return r.printEndpoints(out)
	}
	best, median := r.Runs[0], r.Runs[len(r.Runs)/2]
	fmt.Fprintf(out, "\n%s\n", r.Version)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name, format string, value func(run) any) {
		fmt.Fprintf(t, "  %s\t"+format+"\t", name, value(best))
		if len(r.Runs) > 1 {
			fmt.Fprintf(t, format+"\t", value(median))
		}
		fmt.Fprintln(t)
	}
	if len(r.Runs) > 1 {
		fmt.Fprintln(t, "\tbest\tmedian\t")
	}
	row("sign-ins a second", "%.0f", func(x run) any { return x.PerSecond })
	row("CPU per sign-in, ms", "%.3f", func(x run) any { return x.CPU() })
	row("of the server", "%.3f", func(x run) any { return x.ServerCPU })
	if r.Asked != nil {
		row("of Postgres", "%.3f", func(x run) any { return x.PostgresCPU })
		row("commits per sign-in", "%.2f", func(x run) any { return x.Commits })
		row("that wrote", "%.2f", func(x run) any { return x.Writes })
	}
	row("memory under load, MB", "%.1f", func(x run) any { return megabytes(x.RSS) })
	row("highest, MB", "%.1f", func(x run) any { return megabytes(x.PeakRSS) })
	row("CPU of the driver, ms", "%.3f", func(x run) any { return x.DriverCPU })
	row("empty handler, µs CPU", "%.1f", func(x run) any { return x.Reference.EmptyHandler })
	if r.Asked != nil {
		row("SELECT 1, µs CPU of Postgres", "%.1f", func(x run) any { return x.Reference.SelectOneServer })
		row("SELECT 1, µs CPU of Go", "%.1f", func(x run) any { return x.Reference.SelectOneClient })
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out, "\n  latency of the best run, ms")
	fmt.Fprintln(t, "\tp50\tp95\tp99\t")
	for _, l := range append([]latency{best.Total}, best.Steps...) {
		fmt.Fprintf(t, "  %s\t%.2f\t%.2f\t%.2f\t\n", l.Name, l.P50, l.P95, l.P99)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n  start to /healthz and /readyz, ms: first %.0f, %.0f; then best %.0f, %.0f, median %.0f, %.0f\n",
		r.Start.First.Healthz, r.Start.First.Readyz, r.Start.Best.Healthz, r.Start.Best.Readyz, r.Start.Median.Healthz, r.Start.Median.Readyz)
	fmt.Fprintf(out, "  memory idle: %.1f MB\n", megabytes(r.IdleRSS))
	if r.Asked != nil {
		r.Asked.print(out)
	}
	return nil
}

// print lists what a sign-in asks for; what is asked less than once in twenty
// sign-ins is background.
func (a *asked) print(out io.Writer) {
	fmt.Fprintf(out, "\n  asked of Postgres per sign-in: %.2f statements in %.2f round trips (counted on the wire, %d sign-ins)\n",
		a.Statements, a.RoundTrips, a.SignIns)
	const width = 110
	for _, s := range a.ByText {
		if s.PerSignIn >= 0.05 {
			fmt.Fprintf(out, "  %6.2f  %s\n", s.PerSignIn, s.SQL[:min(len(s.SQL), width)])
		}
	}
}

func megabytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }
