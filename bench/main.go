package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	Engines  []string
	Clients  int
	Users    int
	Duration time.Duration
	Warmup   time.Duration
	BestOf   int
	IPLimits bool
	Binary   string
	Perf     string
	Profile  string
	JSON     bool

	Endpoints bool // measure them instead of sign-ins
	Mails     int  // measure that many mails instead
	Backlog   int  // and this many after an outage
	Lists     bool // measure pages of the management API instead
	Console   bool // measure pages of the console instead
	Events    int  // over this many entries of the audit log
	People    int  // and this many accounts

	Filled   int   // accounts that are written into the database beforehand
	Purge    int   // measure beside the removal of that many expired rows
	Replicas []int // measure that many servers behind HAProxy, one number after the other

	Soak time.Duration // have people sign in for so long, and see what grows
	Rate float64       // at so many a second; 0: half of what the machine can do
}

// profile is the file for the CPU profile of what is named, "" for none.
func (o options) profile(engine string, more ...string) string {
	if o.Perf == "" {
		return ""
	}
	parts := []string{o.Perf}
	if len(o.Engines) > 1 {
		parts = append(parts, engine)
	}
	return strings.NewReplacer(", ", "-", " ", "-").Replace(strings.Join(append(parts, more...), "-"))
}

func parseFlags() (options, error) {
	var o options
	db := flag.String("db", "both", "sqlite, postgres or both")
	flag.IntVar(&o.Clients, "clients", 16, "users who sign in at the same time")
	flag.IntVar(&o.Users, "users", 2000, "accounts, registered beforehand")
	flag.DurationVar(&o.Duration, "duration", 15*time.Second, "what is measured")
	flag.DurationVar(&o.Warmup, "warmup", 3*time.Second, "load before it")
	flag.IntVar(&o.BestOf, "best-of", 1, "runs; the best and the median are printed")
	flag.BoolVar(&o.IPLimits, "ip-limits", false, "leave the limits per network on and give each account a network of its own")
	flag.StringVar(&o.Binary, "binary", "", "measure this program instead of building ./cmd/idp")
	flag.StringVar(&o.Perf, "perf", "", "record the server's CPU profile of the first run with Linux perf into this file (with -db both: -ENGINE is added, with -endpoints: the name)")
	flag.StringVar(&o.Profile, "profile", "", "write the CPU profile of sign-ins that the compiler of a release reads into this file, instead of measuring")
	flag.BoolVar(&o.Endpoints, "endpoints", false, "measure the endpoints that an app lives on, one after the other, instead of sign-ins")
	flag.IntVar(&o.Mails, "mails", 0, "measure the mail queue with this many mails through a fake SES, instead of sign-ins; 20000 is a good number")
	flag.IntVar(&o.Backlog, "backlog", 100_000, "with -mails: mails that wait for the end of an outage")
	flag.BoolVar(&o.Lists, "lists", false, "measure pages of the management API on a filled Postgres, instead of sign-ins")
	flag.BoolVar(&o.Console, "console", false, "measure the pages of the console on a filled Postgres, instead of sign-ins")
	flag.IntVar(&o.Events, "events", 10_000_000, "with -lists and -console: entries of the audit log")
	flag.IntVar(&o.People, "people", 1_000_000, "with -lists and -console: accounts")
	flag.IntVar(&o.Filled, "filled", 0, "accounts, with their sessions, grants, mails and so on, that are written into the database before sign-ins are measured")
	flag.IntVar(&o.Purge, "purge", 0, "measure sign-ins without and with so many expired rows, and how long until these are gone")
	replicas := flag.String("replicas", "", "measure so many servers behind HAProxy on one Postgres; 1,2,4 measures the three in turns")
	flag.DurationVar(&o.Soak, "soak", 0, "have people sign in for so long at half load, a line a minute, and fail if memory, goroutines, CPU or latency grow; 30m is a good time")
	flag.Float64Var(&o.Rate, "rate", 0, "with -soak: sign-ins a second, 0 for half of what the machine does at full load")
	flag.BoolVar(&o.JSON, "json", false, "print JSON")
	flag.Parse()
	switch *db {
	case "both":
		o.Engines = []string{"sqlite", "postgres"}
	case "sqlite", "postgres":
		o.Engines = []string{*db}
	default:
		return o, fmt.Errorf("-db is %q: choose sqlite, postgres or both", *db)
	}
	for number := range strings.SplitSeq(*replicas, ",") {
		n, err := strconv.Atoi(number)
		if *replicas != "" && (err != nil || n < 1 || n > 9) {
			return o, fmt.Errorf("-replicas is %q: write numbers from 1 to 9, with commas between", *replicas)
		}
		if *replicas != "" {
			o.Replicas = append(o.Replicas, n)
		}
	}
	switch {
	case flag.NArg() > 0:
		return o, fmt.Errorf("unexpected %q", flag.Arg(0))
	case o.Clients < 1 || o.BestOf < 1 || o.Duration <= 0 || o.Warmup < 0:
		return o, errors.New("-clients, -best-of and -duration have to be positive")
	case o.Filled < 0 || o.Purge < 0:
		return o, errors.New("-filled and -purge cannot be negative")
	case len(o.Replicas) > 0 && *db != "postgres":
		return o, errors.New("-replicas needs -db postgres: SQLite is for one server")
	case o.Soak < 0 || o.Rate < 0:
		return o, errors.New("-soak and -rate cannot be negative")
	case o.Users < 4*o.Clients:
		return o, errors.New("-users has to be at least four times -clients, so that nobody signs in twice at once")
	}
	return o, nil
}

func main() {
	if slices.Equal(os.Args[1:], []string{referenceArg}) {
		serveReference() // this program, started by itself
	}
	if slices.Equal(os.Args[1:], []string{fakeArg}) {
		serveFake() // likewise
	}
	o, err := parseFlags()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err = measureAll(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measureAll measures on each engine and prints the figures.
func measureAll(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "idp-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	switch {
	case o.Mails > 0:
		return mailsOnAll(ctx, o, dir)
	case o.Console:
		return consoleOnPostgres(ctx, o, dir)
	case o.Lists:
		return listsOnPostgres(ctx, o)
	}
	if o.Binary == "" {
		progress("building ./cmd/idp")
		if o.Binary, err = build(ctx, dir); err != nil {
			return err
		}
	}
	if o.Profile != "" {
		return profileOnAll(ctx, o, dir)
	}
	if o.Soak > 0 {
		return soakOnAll(ctx, o, dir)
	}
	if o.Purge > 0 {
		return purgeOnAll(ctx, o, dir)
	}
	if len(o.Replicas) > 0 {
		return replicasOnPostgres(ctx, o, dir)
	}
	r := report{Machine: describeMachine(), Settings: o}
	for _, engine := range o.Engines {
		result, err := measure(ctx, o, engine, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
		r.Results = append(r.Results, result)
	}
	if o.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(r)
	}
	return r.print(os.Stdout)
}

// mailsOnAll measures mails on each engine and prints the figures.
func mailsOnAll(ctx context.Context, o options, dir string) error {
	var all []mailFigures
	for _, engine := range o.Engines {
		f, err := measureMails(ctx, o, engine, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
		all = append(all, f)
	}
	if o.JSON {
		return json.NewEncoder(os.Stdout).Encode(all)
	}
	for _, f := range all {
		if err := f.print(os.Stdout); err != nil {
			return err
		}
	}
	return nil
}

// progress tells what goes on, beside the figures.
func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }
