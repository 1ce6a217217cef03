package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"idp/admin"
	"idp/admin/bulk"
	"idp/audit"
)

type userExportCmd struct {
	Output string `help:"File to write (default: standard output); it appears when it is complete." placeholder:"FILE"`
	Format string `help:"csv or jsonl (default: by the name of the file, else jsonl)." enum:",csv,jsonl" default:"" placeholder:"FORMAT"`
}

// Run writes all people. The audit log tells that it was done.
func (c *userExportCmd) Run(a *app) error {
	format := bulk.Format(c.Format)
	if format == "" {
		if format = bulk.FormatOf(c.Output); format == "" {
			format = bulk.Lines
		}
	}
	return a.withoutLimit(func(ctx context.Context, in *instance) error {
		if c.Output == "" {
			return a.export(ctx, in, a.stdout, format)
		}
		file, err := os.CreateTemp(filepath.Dir(c.Output), ".idp-export-*") // for this user only
		if err != nil {
			return usage(err, "")
		}
		err = errors.Join(a.export(ctx, in, file, format), file.Close())
		if err == nil {
			err = os.Rename(file.Name(), c.Output)
		}
		if err != nil {
			return errors.Join(err, os.Remove(file.Name()))
		}
		return nil
	})
}

func (a *app) export(ctx context.Context, in *instance, to io.Writer, format bulk.Format) error {
	w, err := bulk.NewWriter(to, format)
	if err != nil {
		return err
	}
	p, n := a.newProgress(0), 0
	if isTerminal(to) { // the people themselves are to be seen
		p = &progress{}
	}
	err = in.admin.ExportUsers(ctx, audit.Command(), func(one admin.Newcomer) error {
		if n++; n%1000 == 0 {
			p.show(n, 0)
		}
		return w.Write(one)
	})
	p.clear()
	if err = errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	a.note("%s written.", counted(n, "person", "people"))
	return nil
}
