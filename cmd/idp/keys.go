package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"idp/audit"
	"idp/store"
)

type keysCmd struct {
	List   keysListCmd   `cmd:"" help:"List the keys that sign tokens, newest first."`
	Rotate keysRotateCmd `cmd:"" help:"Sign with new keys."`
}

type keysListCmd struct{ jsonFlag }

// keyView is a key as the command prints it.
type keyView struct {
	ID        string     `json:"id"`
	Alg       string     `json:"alg"`
	CreatedAt time.Time  `json:"createdAt"`
	RetiredAt *time.Time `json:"retiredAt,omitempty"`
}

// Run lists the signing keys; the private halves stay sealed.
func (c *keysListCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		keys, err := in.admin.SigningKeys(ctx)
		if err != nil {
			return err
		}
		if len(keys) == 0 && !c.JSON {
			a.note("No keys yet: the server makes them at its first start.")
			return nil
		}
		return a.printKeys(keys, c.JSON)
	})
}

func (a *app) printKeys(keys []store.SigningKey, asJSON bool) error {
	views, rows := []keyView{}, [][]string{{"KEY", "ALGORITHM", "MADE", "STATE"}}
	for _, k := range keys {
		v, state := keyView{ID: k.ID, Alg: k.Alg, CreatedAt: k.CreatedAt}, "signs"
		if !k.RetiredAt.IsZero() {
			v.RetiredAt, state = &k.RetiredAt, "retired "+day(k.RetiredAt)
		}
		views = append(views, v)
		rows = append(rows, []string{k.ID, k.Alg, day(k.CreatedAt), state})
	}
	if asJSON {
		return a.printJSON(views)
	}
	return a.table(rows...)
}

type keysRotateCmd struct {
	jsonFlag
	Alg string `help:"Only the key of this algorithm: ES256, RS256, ES384 or EdDSA (default: all that are in use)." placeholder:"ALG"`
}

// Help shows what it means.
func (*keysRotateCmd) Help() string {
	return `New keys are published at once and sign after ten seconds, when every server publishes them. What the keys before them
have signed is accepted until it expires, so nobody is signed out. To have it refused at once, delete the old key over the
management API as well: DELETE /api/configs/oidc/private-keys/KEY.`
}

// Run rotates.
func (c *keysRotateCmd) Run(a *app) error {
	return a.with(func(ctx context.Context, in *instance) error {
		keys, err := in.admin.RotateSigningKeys(ctx, audit.Command(), func(alg string) bool { return c.Alg == "" || c.Alg == alg })
		switch {
		case store.CodeOf(err) == store.Invalid && c.Alg == "":
			return failed(errors.New("there are no keys yet"), "The server makes them at its first start: idp serve")
		case store.CodeOf(err) == store.Invalid:
			return failed(fmt.Errorf("no key signs with %q", printable(c.Alg)), "See which do: idp keys list")
		case err != nil:
			return err
		}
		return a.printKeys(keys, c.JSON)
	})
}
