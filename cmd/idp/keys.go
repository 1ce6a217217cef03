package main

import (
	"context"
	"time"
)

type keysCmd struct {
	List keysListCmd `cmd:"" help:"List the keys that sign tokens, newest first."`
}

type keysListCmd struct{ jsonFlag }

// Run lists the signing keys; the private halves stay sealed.
func (c *keysListCmd) Run(a *app) error {
	type view struct {
		ID        string     `json:"id"`
		Alg       string     `json:"alg"`
		CreatedAt time.Time  `json:"createdAt"`
		RetiredAt *time.Time `json:"retiredAt,omitempty"`
	}
	return a.with(func(ctx context.Context, in *instance) error {
		keys, err := in.db.SigningKeys(ctx)
		if err != nil {
			return err
		}
		views, rows := []view{}, [][]string{{"KEY", "ALGORITHM", "MADE", "STATE"}}
		for _, k := range keys {
			v, state := view{ID: k.ID, Alg: k.Alg, CreatedAt: k.CreatedAt}, "signs"
			if !k.RetiredAt.IsZero() {
				v.RetiredAt, state = &k.RetiredAt, "retired "+day(k.RetiredAt)
			}
			views = append(views, v)
			rows = append(rows, []string{k.ID, k.Alg, day(k.CreatedAt), state})
		}
		switch {
		case c.JSON:
			return a.printJSON(views)
		case len(views) == 0:
			a.note("No keys yet: the server makes them at its first start.")
			return nil
		}
		return a.table(rows...)
	})
}
