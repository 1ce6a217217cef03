package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"idp/admin"
	"idp/audit"
	"idp/cmd/idp/internal/bookstore"
	"idp/cmd/idp/internal/settings"
	"idp/mailer/inbox"
	"idp/store"
	"idp/web/console/shell"
	"idp/web/devinbox"
)

type devCmd struct {
	settings.Dev      `embed:""`
	settings.Server   `embed:""`
	settings.Webhooks `embed:""`
}

// Help shows how it is used.
func (*devCmd) Help() string {
	return `Nothing has to be installed or configured. The data is in ./.idp; remove the folder to start anew.

  idp dev --listen 127.0.0.1:4001 --bookstore-listen 127.0.0.1:4000    on other ports

  idp client create --data-dir .idp --name "My app" --type traditional --redirect-uri http://localhost:8080/callback

  idp dev --seed seed.yaml    with your clients, roles and people from the start, each time the same, for the tests of your apps

A seed is the file that idp apply takes, and may have the secrets themselves, {value: TEXT}, and people:

  clients:
    - {id: shopshopshop, name: Shop, type: traditional, redirectUris: ["http://localhost:8080/callback"],
       secrets: [{name: test, secret: {value: shop-secret-for-tests-0123456789}}]}
  users:
    - {email: ada@example.com, name: Ada}`
}

// Run serves the provider and the sample app until a signal.
func (c *devCmd) Run(a *app) error {
	o, err := a.newOptions(c.Server, "127.0.0.1:3001")
	if err != nil {
		return err
	}
	o.dev, o.Webhooks = true, c.Webhooks
	if o.seed, err = a.readSeed(c.Seed); err != nil {
		return err
	}
	p, err := a.place(devFolder)
	if err != nil {
		return err
	}
	shopURL, err := settings.LocalEndpoint(c.BookstoreListen)
	if err != nil {
		return usage(fmt.Errorf("--bookstore-listen %s is no address", c.BookstoreListen), "Write it like 127.0.0.1:3000")
	}
	ln, err := listen("--bookstore-listen", c.BookstoreListen)
	if err != nil {
		return err
	}
	defer ln.Close()
	return a.serve(o, p, func(ctx context.Context, in *instance, s *server) error {
		owners, err := in.admin.Operators(ctx)
		if err != nil {
			return err
		}
		s.started = func() { a.banner(s, p, shopURL, owners) }
		return in.addBookstore(ctx, s, ln, shopURL)
	})
}

// needConnector sets the inbox, unless a connector was chosen before.
func (in *instance) needConnector(ctx context.Context) error {
	connectors, err := in.db.Connectors(ctx)
	if err != nil || len(connectors) > 0 {
		return err
	}
	return in.setConnector(ctx, inbox.ID, []byte("{}"))
}

// devOwner is the owner of an instance for development, which has no other.
const devOwner = "owner@example.com"

// needOwner makes an owner, unless there is one.
func (in *instance) needOwner(ctx context.Context) error {
	owners, err := in.admin.Operators(ctx)
	if err != nil || len(owners) > 0 {
		return err
	}
	return in.admin.AddOperator(ctx, audit.Command(), devOwner, store.RoleOwner)
}

// bookstoreID is the client id of the sample app, the same everywhere.
const bookstoreID = "bookstore000000000000"

// addBookstore registers the sample app as it is now and serves it.
func (in *instance) addBookstore(ctx context.Context, s *server, ln net.Listener, url string) error {
	secret, err := in.bookstoreSecret()
	if err != nil {
		return err
	}
	if err := in.registerBookstore(ctx, url, secret); err != nil {
		return fmt.Errorf("register the sample app: %w", err)
	}
	shop, err := bookstore.New(bookstore.Config{
		Issuer: s.provider.Issuer(), ClientID: bookstoreID, ClientSecret: secret, URL: url, Mailbox: s.mailboxURL(), Log: s.log,
	})
	if err != nil {
		return err
	}
	s.add("bookstore", ln, shop.Handler())
	return nil
}

// bookstoreSecret keeps the app's secret on the app's side of the fence: in a
// file, as the provider has only its hash.
func (in *instance) bookstoreSecret() (string, error) {
	path := filepath.Join(in.folder, "bookstore.secret")
	text, err := os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(text))) == 32 {
		return strings.TrimSpace(string(text)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the sample app's secret: %w", err)
	}
	secret, _ := newClientSecret()
	if err := os.MkdirAll(in.folder, 0o700); err != nil {
		return "", err
	}
	return secret, os.WriteFile(path, []byte(secret+"\n"), 0o600)
}

func (in *instance) registerBookstore(ctx context.Context, url, secret string) error {
	by := audit.Command()
	redirects, logouts := []string{url + bookstore.CallbackPath}, []string{url + bookstore.ByePath}
	found, err := in.admin.Client(ctx, bookstoreID)
	switch {
	case store.CodeOf(err) == store.NotFound:
		_, err := in.admin.CreateClient(ctx, by, store.Client{
			ID: bookstoreID, Name: "Bookstore", Type: store.Traditional, RedirectURIs: redirects, PostLogoutRedirectURIs: logouts,
			PKCE: true, Secrets: []store.ClientSecret{secretOf(secret)},
		}, nil)
		return err
	case err != nil:
		return err
	}
	hash := store.HashOf([]byte(secret))
	if !slices.ContainsFunc(found.Secrets, func(s store.ClientSecret) bool { return s.Hash.Equal(hash) }) {
		for _, s := range found.Secrets { // of an app whose file is gone
			if err := in.admin.RemoveSecret(ctx, by, bookstoreID, admin.SecretName(s)); err != nil {
				return err
			}
		}
		if err := in.admin.AddGivenSecret(ctx, by, bookstoreID, admin.DefaultSecret, secret, time.Time{}); err != nil {
			return err
		}
	}
	if slices.Equal(found.RedirectURIs, redirects) && slices.Equal(found.PostLogoutRedirectURIs, logouts) {
		return nil
	}
	_, err = in.admin.UpdateClient(ctx, by, bookstoreID, time.Time{}, func(c *store.Client) error {
		c.RedirectURIs, c.PostLogoutRedirectURIs = redirects, logouts
		return nil
	})
	return err
}

// mailboxURL is where codes can be read, "" for nowhere.
func (s *server) mailboxURL() string {
	if s.mailbox == nil {
		return ""
	}
	return s.options.endpoint.String() + devinbox.Path
}

// banner tells what runs where, and what to do now.
func (a *app) banner(s *server, p place, shopURL string, owners []store.Operator) {
	bold, plain := "", ""
	if isTerminal(a.stdout) {
		bold, plain = "\x1b[1m", "\x1b[0m"
	}
	lines := [][2]string{{"Bookstore, the sample app", shopURL}, {"Provider", s.options.endpoint.String()}}
	next := "open " + shopURL + " and sign up."
	if url := s.mailboxURL(); url != "" {
		lines = append(lines, [2]string{"Mailbox", url})
		next = "open " + shopURL + " and sign up; the code is in the mailbox."
	}
	lines = append(lines, [2]string{"Issuer, for your own app", s.provider.Issuer()}, [2]string{"Data", p.folder})
	lines = append(lines, [2]string{"Console", s.options.endpoint.String() + shell.Path})
	for _, o := range owners {
		if o.Role == store.RoleOwner {
			lines = append(lines, [2]string{"Its owner", string(o.Email)})
		}
	}
	fmt.Fprintln(a.stdout)
	for _, l := range lines {
		fmt.Fprintf(a.stdout, "  %-26s %s%s%s\n", l[0], bold, l[1], plain)
	}
	fmt.Fprintf(a.stdout, "\n  Next: %s\n  Stop with Ctrl+C.\n\n", next)
}
