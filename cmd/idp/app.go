package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"idp/cmd/idp/internal/logging"
	"idp/cmd/idp/internal/metrics"
	"idp/cmd/idp/internal/settings"
	"idp/cmd/idp/internal/traces"
	"idp/mailer"
	"idp/store/sqlstore"
	"idp/web/serve"
)

// Exit statuses.
const (
	statusOK     = 0
	statusFailed = 1 // the operation did not work
	statusUsage  = 2 // the command line or a setting is wrong
)

// commands is the command line.
type commands struct {
	settings.Store `embed:""`
	settings.Mail  `embed:""`
	settings.Log   `embed:""`

	Dev         devCmd         `cmd:"" help:"Run everything on this machine: server, mailbox in the browser, sample app."`
	Serve       serveCmd       `cmd:"" help:"Run the server."`
	Health      healthCmd      `cmd:"" help:"Ask the server on this machine whether it is ready, for the checks of containers and services."`
	Migrate     migrateCmd     `cmd:"" help:"Bring the database's schema up to date, or look at it."`
	Client      clientCmd      `cmd:"" help:"Register and look after the apps that people sign in to."`
	Admin       adminCmd       `cmd:"" help:"Say who may do everything."`
	User        userCmd        `cmd:"" help:"Look after people, and bring them in and out as files."`
	Connector   connectorCmd   `cmd:"" help:"Choose what sends the mails."`
	Template    templateCmd    `cmd:"" help:"Word the mails yourself, and see what they look like."`
	Delivery    deliveryCmd    `cmd:"" help:"Look at what became of each mail."`
	Suppression suppressionCmd `cmd:"" help:"Look at the addresses that take no mail, and change which."`
	TestAddress testAddressCmd `cmd:"" name:"test-address" help:"Give addresses a code that is always the same, for tests and reviews of apps."`
	Audit       auditCmd       `cmd:"" help:"Look at what was done, by whom, and check that the record of it is whole."`
	Apply       applyCmd       `cmd:"" help:"Make the instance as a configuration file says."`
	Export      exportCmd      `cmd:"" help:"Write the configuration as such a file."`
	Backup      backupCmd      `cmd:"" help:"Write the SQLite database into a file, while the server runs."`
	Copy        copyCmd        `cmd:"" help:"Copy everything into another database, from SQLite to Postgres."`
	Doctor      doctorCmd      `cmd:"" help:"Look for what keeps mails and sign-ins from working, and say what mends it."`
	Secret      secretCmd      `cmd:"" name:"secret" help:"Change the instance secret, the root of all keys."`
	Keys        keysCmd        `cmd:"" help:"Look at the keys that sign tokens, and make new ones."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

// app is one run of the command.
type app struct {
	env            []string
	stdin          io.Reader
	stdout, stderr io.Writer
	source         *settings.Source
	metrics        *metrics.Metrics // nil: nothing is measured
	traces         *traces.Traces   // nil: nothing is traced
	settings.Store
	settings.Mail
	settings.Log
}

// measured has what a database does measured and traced, if anything is.
func (a *app) measured(e sqlstore.Engine) sqlstore.Engine {
	return a.traces.Engine(a.metrics.Engine(e))
}

// Main runs the command and returns its exit status.
func Main(args, env []string, stdin io.Reader, stdout, stderr io.Writer) (status int) {
	a := &app{env: env, stdin: stdin, stdout: stdout, stderr: stderr}
	var c commands
	parser, err := kong.New(&c,
		kong.Name("idp"),
		kong.Description("A passwordless OpenID Provider. Try it: idp dev"),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exit(code)) }), // --help
		kong.Vars(settings.Defaults()),
		kong.Vars{"mail_states": strings.Join(mailer.StateNames(), ", ")},
		kong.ExplicitGroups(groups()),
		kong.ValueFormatter(describe),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Bind(a),
	)
	if err != nil {
		panic(err) // the commands above do not fit together
	}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case exit:
			status = int(p)
		default:
			panic(p)
		}
	}()
	run, err := parser.Parse(args)
	if err != nil {
		hint := ""
		if len(args) == 0 || strings.HasPrefix(err.Error(), "unexpected argument") || strings.HasPrefix(err.Error(), "expected one of") {
			hint = "The commands: idp --help"
		}
		return a.fail(usage(err, hint))
	}
	a.Store, a.Mail, a.Log = c.Store, c.Mail, c.Log
	return a.fail(run.Run(a))
}

type exit int

// BeforeResolve reads the environment and the settings file, which answer for
// the flags that were not given.
func (*commands) BeforeResolve(ctx *kong.Context, a *app) error {
	if ctx.Command() == "version" {
		return nil
	}
	file := ""
	for _, f := range ctx.Model.Flags {
		if f.Name == "config" {
			file, _ = ctx.FlagValue(f).(string)
		}
	}
	source, err := settings.Read(a.env, file)
	if err != nil {
		return err
	}
	a.source = source
	ctx.AddResolver(source)
	return nil
}

// AfterApply reads what is given as a file.
func (c *commands) AfterApply(a *app) error {
	if a.source == nil {
		return nil
	}
	return a.source.Complete(&c.Store)
}

// failure is an error with what mends it.
type failure struct {
	err    error
	hint   string
	status int
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// usage is an error in the command line or the settings.
func usage(err error, hint string) error { return &failure{err, hint, statusUsage} }

// failed is an operation that did not work.
func failed(err error, hint string) error { return &failure{err, hint, statusFailed} }

// fail says what is wrong on standard error, and how to mend it.
func (a *app) fail(err error) int {
	if err == nil {
		return statusOK
	}
	f := &failure{err: err, status: statusFailed}
	errors.As(err, &f)
	seen := map[string]bool{}
	for line := range strings.SplitSeq(strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n\t", " "), "\n") {
		if !seen[line] {
			fmt.Fprintf(a.stderr, "idp: %s\n", printable(line))
		}
		seen[line] = true
	}
	if f.hint != "" {
		for line := range strings.SplitSeq(f.hint, "\n") {
			fmt.Fprintf(a.stderr, "     %s\n", printable(line))
		}
	}
	return f.status
}

// logger makes the log of a server. Libraries that log by themselves get the same
// one, for what is at least a warning.
func (a *app) logger() *slog.Logger {
	terminal := isTerminal(a.stderr)
	log := logging.New(a.stderr, logging.Options{
		Level:     a.LogLevel,
		JSON:      a.LogFormat == "json" || a.LogFormat == "auto" && !terminal,
		Colour:    a.colour(a.stderr),
		RequestID: serve.RequestID,
	})
	slog.SetDefault(slog.New(logging.Quiet(log.Handler(), slog.LevelWarn)))
	return log
}

// colour tells whether to write in colour: on a terminal, unless NO_COLOR is set.
func (a *app) colour(stream any) bool {
	return isTerminal(stream) && !slices.ContainsFunc(a.env, func(e string) bool { return strings.HasPrefix(e, "NO_COLOR=") && e != "NO_COLOR=" })
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// describe adds the variable's name to a setting's help.
func describe(v *kong.Value) string {
	if key := settings.Key(v.Name); settings.Known(key) {
		return v.Help + " [" + settings.Variable(key) + "]"
	}
	return v.Help
}

func groups() (out []kong.Group) {
	for key, title := range settings.Groups {
		out = append(out, kong.Group{Key: key, Title: title})
	}
	return append(out, kong.Group{Key: "doctor", Title: "What to ask"}, kong.Group{Key: "app", Title: "One app"})
}
