package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/rogpeppe/go-internal/testscript"

	"idp/doctor/dnstest"
	"idp/mailer/ses/sestest"
	"idp/store"
	"idp/store/sqlstore"
)

// startSES FILE starts a fake SES with the account and identities in a JSON file, has
// IDP_AWS_ENDPOINT_URL name it, and writes its configuration, from a@example.com, to ses.json.
func startSES(ts *testscript.TestScript, _ bool, args []string) {
	var setup struct {
		Account    sestest.Account
		Identities map[string]sestest.Identity
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &setup))
	fake := sestest.Start(sestest.Options{})
	ts.Defer(fake.Close)
	fake.SetAccount(setup.Account)
	for name, identity := range setup.Identities {
		fake.SetIdentity(name, identity)
	}
	ts.Setenv("IDP_AWS_ENDPOINT_URL", fake.URL)
	config := fake.Config(map[string]any{"emailAddress": "Shop <a@example.com>"})
	ts.Check(os.WriteFile(ts.MkAbs("ses.json"), config, 0o600))
}

// startDNS NAME FILE serves the zone in a JSON file, and puts its address into a variable.
func startDNS(ts *testscript.TestScript, _ bool, args []string) {
	var zone dnstest.Zone
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &zone))
	server, err := dnstest.Start(zone)
	ts.Check(err)
	ts.Defer(func() { server.Close() })
	ts.Setenv(args[0], server.Address())
}

// tellHealth CONNECTOR HEALTH says, as one more running server, how that gets on with a connector.
func tellHealth(ts *testscript.TestScript, _ bool, args []string) {
	ctx, a := context.Background(), app{}
	a.DatabaseURL, a.DataDir = ts.Getenv("IDP_DATABASE_URL"), ts.MkAbs(serveFolder)
	p, err := a.place(serveFolder)
	ts.Check(err)
	e, err := p.open(ctx)
	ts.Check(err)
	db := sqlstore.New(e)
	defer db.Close()
	ts.Check(db.Start(ctx))
	ts.Check(db.SetConnectorHealth(ctx, store.ConnectorHealth{Connector: args[0], Replica: store.ID{1}, Health: []byte(args[1])}))
}

// keep FILE TEXT writes a text to a file.
func keep(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(args[1]+"\n"), 0o600))
}
