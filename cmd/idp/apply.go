package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"idp/admin"
	"idp/audit"
	"idp/cmd/idp/internal/settings"
	"idp/config"
	"idp/op"
	"idp/store"
)

type applyCmd struct {
	jsonFlag
	settings.Webhooks `embed:""`

	File   string `short:"f" help:"The configuration, a YAML file; - reads standard input." required:"" placeholder:"FILE"`
	DryRun bool   `help:"Only show what would be done."`
	Prune  bool   `help:"Delete what the sections of the file do not list."`
}

// Help shows how it is used.
func (*applyCmd) Help() string {
	return `Makes the instance as a file says: clients, connectors, templates, experience, resources, roles and hooks. idp export writes such a file.
What is right already is left alone, so that applying a file twice does nothing the second time.

  + is created     ~ is changed     - is deleted (with --prune)     ? is not in the file, and stays

Examples:

  idp export --output idp.yaml

  idp apply -f idp.yaml --dry-run

  SES_SECRET=… idp apply -f idp.yaml

Secrets are not in the file, but where they are: {env: SES_SECRET} or {file: /run/secrets/ses}. The running servers take all of it up within seconds.`
}

// Run compares, shows what differs, and does it.
func (c *applyCmd) Run(a *app) error {
	file, _, err := a.openInput(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	wanted, err := config.Read(file)
	if err != nil {
		return usage(fmt.Errorf("%s: %w", printable(c.File), err), "docs/configuration.md shows the form of the file; idp export writes one.")
	}
	return a.with(func(ctx context.Context, in *instance) error {
		service, err := in.service(in.senders(), admin.Frame{}, c.PrivateHooks...)
		if err != nil {
			return err
		}
		there := config.Instance{Admin: service, By: audit.Command(), Getenv: a.getenv, Keys: op.ClientKeys}
		plan, err := there.Plan(ctx, wanted, c.Prune)
		if err != nil {
			if line := wanted.Line(err); line > 0 {
				err = fmt.Errorf("line %d: %w", line, err)
			}
			return configRefused(c.File, err)
		}
		if c.DryRun {
			return c.show(a, plan, plan.Summary(false)+": nothing was done.")
		}
		if !c.JSON {
			if err := plan.Print(a.stdout); err != nil {
				return err
			}
		}
		made := 0
		err = plan.Apply(ctx, func(done config.Change) {
			made++
			if !c.JSON && done.Note != "" {
				a.note("%s: %s", printable(config.Thing{Section: done.Section, Key: done.Key}.String()), done.Note)
			}
			plan.Noted(done)
		})
		if err != nil {
			err = failed(fmt.Errorf("%d of %d changes were made, then: %w", made, len(plan.Changes), err), "Mend it and apply the file again: it goes on from there.")
			if c.JSON { // with the secrets that are shown once
				plan.Changes = plan.Changes[:made]
				return errors.Join(err, a.printJSON(plan))
			}
			return err
		}
		if c.JSON {
			return a.printJSON(plan)
		}
		a.note("%s.", plan.Summary(true))
		return nil
	})
}

func (c *applyCmd) show(a *app, plan *config.Plan, summary string) error {
	if c.JSON {
		return a.printJSON(plan)
	}
	if err := plan.Print(a.stdout); err != nil {
		return err
	}
	a.note("%s", summary)
	return nil
}

// configRefused says that nothing was done, and why.
func configRefused(file string, err error) error {
	if store.CodeOf(err) == store.Unavailable {
		return err
	}
	return usage(fmt.Errorf("%s: %w", printable(file), err), "Nothing was changed.")
}

type exportCmd struct {
	Output string `short:"o" help:"Where it is written (default: standard output)." placeholder:"FILE"`
}

// Help shows how it is used.
func (*exportCmd) Help() string {
	return `Writes the configuration of this instance as the YAML file that idp apply takes: clients, connectors, templates, experience, resources, roles and hooks.
It holds no secrets: {stored: true} stands for one that this instance has. For another instance, say where each is: {env: NAME} or {file: PATH}.

Example:

  idp export --output idp.yaml`
}

// Run writes the file.
func (c *exportCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		f, err := config.Instance{Admin: in.admin, By: audit.Command()}.Load(ctx)
		if err != nil {
			return err
		}
		if c.Output == "" || c.Output == "-" {
			return f.Write(a.stdout)
		}
		return writeFile(c.Output, f.Write)
	})
}

// writeFile writes a file as a whole or not at all.
func writeFile(path string, write func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // only its owner can read it
	if err != nil {
		return usage(err, "")
	}
	temporary := file.Name()
	err = write(file)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		_ = os.Remove(temporary)
		return failed(err, "")
	}
	return nil
}
