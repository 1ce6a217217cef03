package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"idp/keyring"
	"idp/store"
)

// Actor is who does something, and from where.
type Actor struct {
	ID      string     // "user:ID", "client:ID", "command"; "" for the person that it is about
	IP      netip.Addr // zero: there is none
	Agent   string     // the browser or program, as people are told of it
	Request string     // id of the HTTP request, "" for none
	Scopes  []string   // what it may do at the management API; nobody gives away more
}

// Command is somebody at the machine, with the program itself.
func Command() Actor { return Actor{ID: "command", Scopes: []string{store.ScopeAll}} }

// Record is what was done.
type Record struct {
	Kind     string         // as in [store.Event]
	User     string         // whose account it is about, "" for none
	Client   string         // the app it is about, "" for none
	Target   string         // what it was done to, if it is neither
	Detail   map[string]any // neither secret nor personal
	Personal map[string]any // no secret; the actor's address and browser are added
}

// Book makes entries, and reads them.
type Book struct {
	sealer *keyring.Sealer
	people people
	now    func() time.Time
}

// New makes a book for an instance.
func New(ring *keyring.Ring, now func() time.Time) *Book {
	return &Book{sealer: bookSealer(ring), people: newPeople(ring), now: now}
}

// bookSealer seals what is personal until it is under the key of whom it is about.
func bookSealer(ring *keyring.Ring) *keyring.Sealer { return ring.Sealer("audit") }

// Entry makes the entry for a record, to be written with what it tells.
func (b *Book) Entry(by Actor, r Record) store.Event {
	e := store.Event{
		ID: store.NewID(b.now()), Kind: r.Kind, Actor: by.ID, User: r.User, Client: r.Client, Target: r.Target, Request: by.Request,
	}
	if len(r.Detail) > 0 {
		e.Detail = encode(r.Detail)
	}
	personal := map[string]any{}
	for k, v := range r.Personal {
		personal[k] = v
	}
	if by.IP.IsValid() {
		personal["ip"] = by.IP.String()
	}
	if by.Agent != "" {
		personal["agent"] = by.Agent
	}
	if len(personal) > 0 {
		e.Personal = b.sealer.Seal(encode(personal), e.ID[:])
	}
	return e
}

// Trace says where what is done in ctx comes from, for an entry that the store makes itself;
// email is the address that it is about, "" for none.
func (b *Book) Trace(ctx context.Context, id store.ID, email store.Email) (personal []byte, request string) {
	o := store.OriginOf(ctx)
	known := struct {
		IP    string      `json:"ip,omitempty"`
		Agent string      `json:"agent,omitempty"`
		Email store.Email `json:"email,omitempty"`
	}{Agent: o.Agent, Email: email}
	if o.IP.IsValid() {
		known.IP = o.IP.String()
	}
	text, err := json.Marshal(known)
	if err != nil || string(text) == "{}" {
		return nil, o.Request
	}
	return b.sealer.Seal(text, id[:]), o.Request
}

// encode never fails on what records are made of: a value that JSON cannot say is a bug,
// and is named in its place.
func encode(v map[string]any) json.RawMessage {
	out, err := json.Marshal(v)
	if err != nil {
		out, _ = json.Marshal(map[string]string{"unwritable": fmt.Sprintf("%T: %v", v, err)})
	}
	return out
}
