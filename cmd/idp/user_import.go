package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"

	"idp/admin/bulk"
	"idp/audit"
)

type userImportCmd struct {
	jsonFlag
	File          string `arg:"" help:"CSV with a line of titles, JSON lines, or a JSON list as Logto's API answers it; - for standard input."`
	Format        string `help:"csv or jsonl (default: by the name of the file)." enum:",csv,jsonl" default:"" placeholder:"FORMAT"`
	DryRun        bool   `help:"Write nothing; say what would be refused."`
	Report        string `help:"Write the refused lines into a file: line, id, email, field, reason; JSON lines, or CSV if its name ends with .csv." placeholder:"FILE"`
	IgnoreUnknown bool   `help:"Pass over fields that are none of a person, in the place of refusing them."`
}

// Help shows how it is used.
func (*userImportCmd) Help() string {
	return `Fields: id, email, name, username, avatar, profile, customData, createdAt, suspended, roles (names); only email is needed.
Who is there already, with the same values, is passed over: after an interruption, run the command again.
Nobody is sent a mail.

  idp user import people.csv --dry-run --report refused.jsonl
  idp user import people.csv --report refused.jsonl`
}

// shownRefusals is how many refused lines are told on the screen where there is no report.
const shownRefusals = 20

// Run imports the file.
func (c *userImportCmd) Run(a *app) (err error) {
	file, size, err := a.openInput(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	format, err := formatOf(c.Format, c.File, "--format")
	if err != nil {
		return err
	}
	counted := &countingReader{in: file}
	reader, err := bulk.NewReader(counted, format, c.IgnoreUnknown)
	if err != nil {
		hint := ""
		if errors.As(err, new(*bulk.UnknownColumns)) {
			hint = "Take the columns out, or pass them over with --ignore-unknown. What there is: idp user import --help"
		}
		return usage(fmt.Errorf("%s: %w", printable(c.File), err), hint)
	}
	report, err := newRefusals(c.Report)
	if err != nil {
		return err
	}
	return a.withoutLimit(func(ctx context.Context, in *instance) error {
		p := a.newProgress(size)
		im := &bulk.Importer{Service: in.admin, By: audit.Command(), DryRun: c.DryRun}
		im.Step = func(n bulk.Counts) { p.show(n.Made+n.There+n.Refused, counted.n) }
		refused := 0
		im.Refuse = func(r bulk.Refusal) error {
			if refused++; c.Report == "" && refused <= shownRefusals {
				p.clear()
				a.note("refused: %s", r.Error())
			}
			return report.write(r)
		}
		counts, err := im.Run(ctx, reader)
		p.clear()
		return c.finish(a, counts, reader.Passed, errors.Join(err, report.close()), ctx.Err() != nil)
	})
}

// finish says how it went.
func (c *userImportCmd) finish(a *app, n bulk.Counts, passed map[string]int, err error, stopped bool) error {
	made, rest := "made", "the rest was taken"
	if c.DryRun {
		made, rest = "would be made", "the rest would be taken"
	}
	if c.JSON {
		if err := a.printJSON(n); err != nil {
			return err
		}
	} else {
		a.note("%s %s, %d there already, %s refused.", counted(n.Made, "account", "accounts"), made, n.There, counted(n.Refused, "line", "lines"))
	}
	for _, name := range slices.Sorted(maps.Keys(passed)) {
		a.note("Passed over: %s, of %s.", name, counted(passed[name], "person", "people"))
	}
	again := "What was made stays. Run the command again: it goes on where it stopped."
	switch {
	case stopped:
		return failed(errors.New("interrupted"), again)
	case err != nil:
		return failed(err, again)
	case n.Refused == 0:
		return nil
	case c.Report != "":
		return failed(fmt.Errorf("%s refused", counted(n.Refused, "line was", "lines were")), "See why in "+c.Report+"; "+rest+".")
	case n.Refused > shownRefusals:
		return failed(fmt.Errorf("%d lines were refused, of which %d are shown", n.Refused, shownRefusals), "See all with --report FILE; "+rest+".")
	}
	return failed(fmt.Errorf("%s refused", counted(n.Refused, "line was", "lines were")), "They are above; "+rest+".")
}

// openInput opens a file, or standard input for -. size is 0 if it is not known.
func (a *app) openInput(name string) (file io.ReadCloser, size int64, err error) {
	if name == "-" {
		return io.NopCloser(a.stdin), 0, nil
	}
	f, err := os.Open(name) //nolint:gosec // the file that the operator names
	if err != nil {
		return nil, 0, usage(err, "")
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		size = info.Size()
	}
	return f, size, nil
}

// formatOf is what was chosen, or what the name of the file says.
func formatOf(chosen, file, flag string) (bulk.Format, error) {
	if chosen != "" {
		return bulk.Format(chosen), nil
	}
	if f := bulk.FormatOf(file); f != "" {
		return f, nil
	}
	return "", usage(fmt.Errorf("the name of %s does not tell its form", printable(file)), "Add "+flag+" csv or "+flag+" jsonl.")
}

// refusals is the file of refused lines; none without a name.
type refusals struct {
	file *os.File
	csv  *csv.Writer
}

func newRefusals(name string) (*refusals, error) {
	if name == "" {
		return &refusals{}, nil
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // the file that the operator names
	if err != nil {
		return nil, usage(err, "")
	}
	r := &refusals{file: f}
	if bulk.FormatOf(name) == bulk.CSV {
		r.csv = csv.NewWriter(f)
		return r, r.csv.Write([]string{"line", "id", "email", "field", "reason"})
	}
	return r, nil
}

func (r *refusals) write(line bulk.Refusal) error {
	switch {
	case r.file == nil:
		return nil
	case r.csv != nil:
		return r.csv.Write([]string{strconv.Itoa(line.Line), line.ID, line.Email, line.Field, line.Reason})
	}
	return json.NewEncoder(r.file).Encode(line)
}

func (r *refusals) close() error {
	if r.file == nil {
		return nil
	}
	if r.csv != nil {
		r.csv.Flush()
		return errors.Join(r.csv.Error(), r.file.Close())
	}
	return r.file.Close()
}

// countingReader knows how much of a file was read.
type countingReader struct {
	in io.Reader
	n  int64
}

// Read implements [io.Reader].
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	return n, err
}
