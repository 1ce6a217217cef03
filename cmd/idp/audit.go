package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"idp/audit"
	"idp/cmd/idp/internal/settings"
	"idp/store"
)

type auditCmd struct {
	List   auditListCmd   `cmd:"" help:"List the audit log, newest first."`
	Export auditExportCmd `cmd:"" help:"Write the audit log as JSON lines, oldest first."`
	Verify auditVerifyCmd `cmd:"" help:"Check that nothing was changed, taken out of or put into the audit log."`
}

// auditFilter says which entries.
type auditFilter struct {
	User   string `help:"Only what is about this account." placeholder:"ID"`
	Client string `help:"Only what is about this app." placeholder:"ID"`
	Kind   string `help:"Only this kind: user.signed_in, client.updated, ..." placeholder:"KIND"`
	Since  string `help:"Not before: 2026-01-31, 2026-01-31T12:00:00Z, or how long ago: 36h, 7d." placeholder:"TIME"`
	Until  string `help:"Only before." placeholder:"TIME"`
}

func (f auditFilter) parse() (out store.EventFilter, err error) {
	out = store.EventFilter{User: f.User, Client: f.Client, Kind: f.Kind}
	for _, one := range []struct {
		flag, text string
		into       *time.Time
	}{{"--since", f.Since, &out.Since}, {"--until", f.Until, &out.Until}} {
		if one.text == "" {
			continue
		}
		if *one.into, err = parseMoment(one.text, time.Now()); err != nil {
			return out, usage(fmt.Errorf("%s: %w", one.flag, err), "")
		}
	}
	return out, nil
}

// parseMoment reads a day, an instant, or how long ago.
func parseMoment(text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	var ago settings.Duration
	if err := ago.UnmarshalText([]byte(text)); err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a time (2026-01-31, 2026-01-31T12:00:00Z) nor how long ago (36h, 7d)", text)
	}
	return now.Add(-time.Duration(ago)), nil
}

// auditView is an entry for programs.
type auditView struct {
	ID       string          `json:"id"`
	At       time.Time       `json:"at"`
	Kind     string          `json:"kind"`
	Actor    string          `json:"actor,omitempty"`
	User     string          `json:"user,omitempty"`
	Client   string          `json:"client,omitempty"`
	Target   string          `json:"target,omitempty"`
	Request  string          `json:"request,omitempty"`
	Detail   json.RawMessage `json:"detail,omitempty"`
	Personal json.RawMessage `json:"personal,omitempty"`
	Erased   bool            `json:"erased,omitempty"`
	Batch    int64           `json:"batch,omitempty"`
}

func viewEntry(e audit.Opened) auditView {
	return auditView{e.ID.String(), e.At, e.Kind, e.Actor, e.User, e.Client, e.Target, e.Request, e.Detail, e.Known, e.Erased(), e.Batch}
}

type auditListCmd struct {
	jsonFlag
	auditFilter `embed:""`
	Limit       int    `help:"At most so many." default:"50"`
	Before      string `help:"Go on behind the entry with this id: the next page." placeholder:"ID"`
}

// Run lists entries.
func (c *auditListCmd) Run(a *app) error {
	if c.Limit < 1 || c.Limit > maxRows {
		return usage(fmt.Errorf("--limit is %d: choose 1 to %d", c.Limit, maxRows), "For more, go on with --before, or take all: idp audit export")
	}
	f, err := c.parse()
	if err != nil {
		return err
	}
	return a.with(func(ctx context.Context, in *instance) error {
		var before store.EventPlace
		if c.Before != "" {
			id, err := store.ParseID(c.Before)
			if err != nil {
				return usage(fmt.Errorf("--before: %w", err), "It takes the id of an entry.")
			}
			e, err := in.admin.Log(ctx, id)
			if store.CodeOf(err) == store.NotFound {
				return failed(fmt.Errorf("there is no entry %q", printable(c.Before)), "")
			}
			if err != nil {
				return err
			}
			before = e.Place()
		}
		found, err := in.admin.LogsBefore(ctx, f, before, c.Limit)
		if err != nil {
			return err
		}
		views, rows := []auditView{}, [][]string{{"ID", "AT", "KIND", "BY", "USER", "APP", "FROM"}}
		for _, e := range found {
			views = append(views, viewEntry(e))
			rows = append(rows, []string{e.ID.String(), e.At.Local().Format("2006-01-02 15:04:05"), e.Kind, orDash(e.Actor), orDash(e.User), orDash(e.Client), orDash(from(e))})
		}
		switch {
		case c.JSON:
			return a.printJSON(views)
		case len(found) == 0:
			a.note("No such entry.")
			return nil
		}
		if err := a.table(rows...); err != nil {
			return err
		}
		if len(found) == c.Limit {
			a.note("There may be more: --before %s", found[len(found)-1].ID)
		}
		return nil
	})
}

// from is the network address of an entry.
func from(e audit.Opened) string {
	var known struct {
		IP string `json:"ip"`
	}
	_ = json.Unmarshal(e.Known, &known) // without anything there is none
	if known.IP == "" && e.Erased() {
		return "erased"
	}
	return known.IP
}

type auditExportCmd struct {
	auditFilter `embed:""`
}

// exportPage is how many entries are read at a time.
const exportPage = 1000

// Run writes entries.
func (c *auditExportCmd) Run(a *app) error {
	f, err := c.parse()
	if err != nil {
		return err
	}
	return a.withoutLimit(func(ctx context.Context, in *instance) error {
		out := json.NewEncoder(a.stdout)
		out.SetEscapeHTML(false)
		for after := (store.EventPlace{}); ; {
			page, err := in.admin.LogsAfter(ctx, f, after, exportPage)
			if err != nil {
				return err
			}
			for _, e := range page {
				if err := out.Encode(viewEntry(e)); err != nil {
					return err
				}
				after = e.Place()
			}
			if len(page) < exportPage {
				return nil
			}
		}
	})
}

type auditVerifyCmd struct {
	jsonFlag
	From       int64  `help:"Begin with this batch; what is before it is taken as it is." placeholder:"NUMBER"`
	Checkpoint string `help:"Check also that this is still in the chain: what an earlier run has printed." placeholder:"NUMBER:HASH"`
}

// Run checks the chain.
func (c *auditVerifyCmd) Run(a *app) error {
	var point *audit.Checkpoint
	if c.Checkpoint != "" {
		p, err := audit.ParseCheckpoint(c.Checkpoint)
		if err != nil {
			return usage(err, "")
		}
		if p.Batch < c.From-1 {
			return usage(fmt.Errorf("the checkpoint is of batch %d, before --from", p.Batch), "")
		}
		point = &p
	}
	if c.From < 0 {
		return usage(fmt.Errorf("--from is %d: batches are numbered from 1", c.From), "")
	}
	return a.withoutLimit(func(ctx context.Context, in *instance) error {
		v := audit.NewVerifier(in.db, in.ring)
		wipe := func() {}
		if isTerminal(a.stderr) {
			v.Progress = func(done, all int64) { fmt.Fprintf(a.stderr, "\r%d of %d batches", done, all) }
			wipe = func() { fmt.Fprint(a.stderr, "\r\x1b[K") }
		}
		r, err := v.Verify(ctx, c.From, point)
		wipe()
		if err != nil {
			return err
		}
		if err := in.admin.RecordVerification(ctx, audit.Command(), r, c.From == 0); err != nil {
			a.note("What was found could not be written down for the console: %v", err)
		}
		if c.JSON {
			err = a.printJSON(viewReport(r))
		} else {
			err = printReport(a.stdout, r)
		}
		if err == nil && r.Break != nil {
			err = failed(fmt.Errorf("the audit log is broken at batch %d: %s", r.Break.Batch, r.Break.What), "What is before that batch is as it was written: docs/audit.md")
		}
		return err
	})
}

func viewReport(r audit.Report) any {
	type broken struct {
		Batch int64  `json:"batch"`
		Event string `json:"event,omitempty"`
		Fault string `json:"fault"`
		What  string `json:"what"`
	}
	view := struct {
		Holds      bool    `json:"holds"`
		From       int64   `json:"from"`
		To         int64   `json:"to"`
		Events     int64   `json:"events"`
		Removed    int64   `json:"removedUpTo,omitempty"`
		Former     int64   `json:"underFormerSecrets,omitempty"`
		Checkpoint string  `json:"checkpoint,omitempty"`
		Broken     *broken `json:"broken,omitempty"`

		Waiting int        `json:"unchained"`
		Since   *time.Time `json:"unchainedSince,omitempty"`
	}{Holds: r.Break == nil, From: r.From, To: r.To, Events: r.Events, Removed: r.Cut, Former: r.Former, Waiting: r.Waiting}
	if !r.Since.IsZero() {
		view.Since = &r.Since
	}
	if r.Head.Batch > 0 {
		view.Checkpoint = r.Head.String()
	}
	if b := r.Break; b != nil {
		view.Broken = &broken{b.Batch, eventName(b), string(b.Fault), b.What}
	}
	return view
}

// eventName is "" unless it is one event that is broken.
func eventName(b *audit.Break) string {
	if b.Event.IsZero() {
		return ""
	}
	return b.Event.String()
}

func printReport(w io.Writer, r audit.Report) (err error) {
	line := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(w, format+"\n", args...)
		}
	}
	if r.Cut > 0 {
		line("Batches up to %d were removed on purpose, being older than entries are kept.", r.Cut)
	}
	if r.Break != nil {
		line("Broken: batch %d, %s: %s.", r.Break.Batch, r.Break.Fault, r.Break.What)
		if name := eventName(r.Break); name != "" {
			line("Entry: %s", name)
		}
		sound := int64(0)
		if r.From > 0 {
			sound = max(0, min(r.To+1, r.Break.Batch)-r.From)
		}
		line("%s before it hold.", counted(int(sound), "batch", "batches"))
		return err
	}
	if r.Waiting > 0 {
		line("In no batch yet, so not proved: %s, the oldest of %s. A server that runs chains them within seconds.", counted(r.Waiting, "entry", "entries"), moment(&r.Since))
	}
	if r.Head.Batch == 0 {
		line("Nothing is chained yet.")
		return err
	}
	line("The audit log holds: %s, %s.", counted(int(r.To-r.From+1), "batch", "batches"), counted(int(r.Events), "entry", "entries"))
	if r.Former > 0 {
		line("%s were made under an earlier secret; those that came later vouch for them.", counted(int(r.Former), "batch", "batches"))
	}
	line("Checkpoint: %s", r.Head)
	return err
}
