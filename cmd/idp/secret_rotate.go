package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"idp/audit"
	"idp/keyring"
	"idp/mailer"
	"idp/otp"
	"idp/reseal"
	"idp/store"
	"idp/store/sqlite"
)

type secretCmd struct {
	Rotate secretRotateCmd `cmd:"" help:"Seal everything anew under a new instance secret."`
}

type secretRotateCmd struct{ jsonFlag }

// Help is the way to go.
func (*secretRotateCmd) Help() string {
	return `One machine, whose secret is in the data folder: stop the server, run this, start it. The old secret stays beside the new one as
secret.previous.

Elsewhere, with servers running:
  1. Make a new secret: openssl rand -base64 32
  2. Restart each server with the old secret as IDP_SECRET and the new one as IDP_SECRET_PREVIOUS: now all of them read both.
  3. Restart each with the new one as IDP_SECRET and the old one as IDP_SECRET_PREVIOUS.
  4. With these settings: idp secret rotate. It can be run again, and goes on where it was.
  5. A day later restart each without IDP_SECRET_PREVIOUS.
Nobody is signed out. What still ends with the old secret: links "this was not me" in mails from before, and limits begin
anew.`
}

// rotatedView is what the command prints.
type rotatedView struct {
	Sealed map[store.SealedColumn]int `json:"sealed"` // how many values were sealed anew
	Lost   map[store.SealedColumn]int `json:"lost,omitempty"`
}

// Run rotates.
func (c *secretRotateCmd) Run(a *app) error {
	release, err := a.newFileSecret()
	if err != nil {
		return err
	}
	defer release()
	return a.withoutLimit(func(ctx context.Context, in *instance) error {
		if !in.ring.Former() {
			return usage(errors.New("there is no secret to come from"),
				"Give the new secret as IDP_SECRET and the one before as IDP_SECRET_PREVIOUS, to each server first. The whole way: idp secret rotate --help")
		}
		told := time.Now()
		r := reseal.Rotation{Store: in.db, Ring: in.ring, Recipients: mailer.NewRecipients(in.ring).Address, Addresses: otp.NewAddresses(in.ring).Address,
			Told: func(what string, n int) {
				if time.Since(told) > progressInLog {
					told = time.Now()
					a.note("%d %s …", n, what)
				}
			}}
		done, err := r.Run(ctx)
		if err != nil {
			return failed(fmt.Errorf("seal everything anew: %w", err), "Nothing is lost: run it again, and it goes on where it was.")
		}
		prints := in.ring.MAC("instance check").Sums()
		event := audit.New(in.ring, in.db.Now).Entry(audit.Command(), audit.Record{Kind: "secret.rotated"})
		if err := in.db.ChangeSecret(ctx, prints[1], prints[0], event); err != nil {
			return err
		}
		return c.print(a, done)
	})
}

func (c *secretRotateCmd) print(a *app, done reseal.Result) error {
	v, n := rotatedView{Sealed: done.Sealed, Lost: map[store.SealedColumn]int{}}, 0
	for _, k := range done.Sealed {
		n += k
	}
	for _, l := range done.Lost {
		v.Lost[l.Column] = l.Values
		a.note("%d values in %s do not open under either secret, and stay as they are.", l.Values, l.Column)
	}
	if c.JSON {
		return a.printJSON(v)
	}
	a.note("Everything is sealed under the new secret: %d values. Keep the old one for a day, then take it away.", n)
	return nil
}

// newFileSecret makes a new secret where the program keeps its own one, unless a rotation is
// under way there. No server may run: it would not know the new one. What it gives
// releases the lock.
func (a *app) newFileSecret() (release func(), err error) {
	release = func() {}
	if err := a.guessFolder(); err != nil {
		return nil, err
	}
	p, err := a.place(serveFolder)
	if err != nil {
		return nil, err
	}
	if a.Secret != "" || p.sqlite == "" {
		return release, nil
	}
	if _, err := os.Stat(p.sqlite); err != nil {
		return nil, failed(fmt.Errorf("there is no database at %s", p.sqlite), "It is made when the server starts for the first time: idp serve")
	}
	if release, err = sqlite.Lock(p.sqlite); err != nil {
		return nil, failed(err, "The server does not know the new secret before it is started again: stop it, and run this again.")
	}
	current, previous := filepath.Join(p.folder, "secret"), filepath.Join(p.folder, previousSecret)
	if under, err := a.underway(p); err != nil || under {
		return release, err
	}
	if err := renewSecret(current, previous); err != nil {
		release()
		return nil, failed(fmt.Errorf("make a new secret: %w", err), "")
	}
	a.note("There is a new secret at %s; the one before is at %s.", current, previous)
	return release, nil
}

// underway tells whether the secret in the data folder is one that the database is not under
// yet.
func (a *app) underway(p place) (bool, error) {
	if _, err := os.Stat(filepath.Join(p.folder, previousSecret)); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	ring, err := a.ring(p)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	in, err := a.open(ctx, p)
	if err != nil {
		return false, err
	}
	under, err := in.db.UnderSecret(ctx, ring.MAC("instance check").Sum())
	return !under, errors.Join(err, in.db.Close())
}

// renewSecret puts a new secret in the place of the one at current, once that is safe at
// previous.
func renewSecret(current, previous string) error {
	if err := copySecret(current, previous); err != nil {
		return err
	}
	return replaceSecret(current)
}

func copySecret(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if _, err := keyring.ParseSecret(string(text)); err != nil {
		return err
	}
	return replaceFile(to, text)
}
