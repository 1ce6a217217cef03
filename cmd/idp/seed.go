package main

import (
	"context"
	"fmt"

	"idp/admin"
	"idp/audit"
	"idp/config"
	"idp/op"
	"idp/store"
)

// seed is what an instance for development starts with.
type seed struct {
	config.Seed

	file string
}

const seedHint = "docs/testing.md shows the form of a seed."

// readSeed reads the file before anything is started; nil for no file.
func (a *app) readSeed(name string) (*seed, error) {
	if name == "" {
		return nil, nil
	}
	file, _, err := a.openInput(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	read, err := config.ReadSeed(file)
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", printable(name), err), seedHint)
	}
	return &seed{read, name}, nil
}

// sow makes the instance as the seed says, where it is not so already.
func (a *app) sow(ctx context.Context, in *instance, o options) error {
	if o.seed == nil {
		return nil
	}
	service, err := in.service(in.senders(), admin.Frame{}, o.webhookAllow()...)
	if err != nil {
		return err
	}
	there := config.Instance{Admin: service, By: audit.Command(), Getenv: a.getenv, Keys: op.ClientKeys}
	sown, err := there.Sow(ctx, o.seed.Seed)
	switch {
	case store.CodeOf(err) == store.Unavailable:
		return err
	case err != nil:
		return usage(fmt.Errorf("%s: %w", printable(o.seed.file), err), seedHint)
	}
	for _, c := range sown.Plan.Changes {
		if c.Note != "" {
			a.note("%s: %s", printable(config.Thing{Section: c.Section, Key: c.Key}.String()), c.Note)
		}
	}
	for _, left := range sown.Left {
		a.note("%s: %s", printable(o.seed.file), printable(left.Error()))
	}
	a.note("%s: %s; %s made, %d there already.", printable(o.seed.file), sown.Plan.Summary(true),
		counted(sown.People.Made, "person", "people"), sown.People.There+len(sown.Left))
	return nil
}
