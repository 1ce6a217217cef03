package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"idp/audit"
	"idp/store"
)

type importStore interface {
	RolesOfPeople(ctx context.Context) ([]store.Role, error)
	UsersLike(ctx context.Context, people []store.Import) ([]store.Import, error)
	UsersFrom(ctx context.Context, after string, limit int) ([]store.Import, error)
	ImportUsers(ctx context.Context, people []store.Import, told ...store.Event) error
	Tell(ctx context.Context, told ...store.Event) error
}

// Newcomer is a person as a file of people tells of them. What is not given (an empty
// text, zero, nil) is not compared with what is there; a new account gets the value in brackets.
type Newcomer struct {
	ID         string // (one is made)
	Email      store.Email
	Name       string
	Username   string
	Avatar     string
	Profile    store.Profile
	CustomData json.RawMessage // object
	CreatedAt  time.Time       // (now)
	Suspended  *bool           // (no)
	Roles      []string        // names (those of who registers); not nil, but empty: none
}

// Imported says what became of a [Newcomer].
type Imported struct {
	There   bool              // an account was there, with the same values unless Refused names one
	Refused *store.FieldError // nil: the account is there now
}

// ImportUsers makes accounts in one transaction for those of people who can have one, and
// says of each what became of it, in their order. A person who is there already is left as
// they are: an import that was interrupted is run again as a whole. With dry, nothing is
// written. Nobody is sent a mail, and no webhook hears of it. The entry of the audit log is
// user.imported.
func (s *Service) ImportUsers(ctx context.Context, by audit.Actor, people []Newcomer, dry bool) ([]Imported, error) {
	roles, err := s.store.RolesOfPeople(ctx)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		owners, err := s.store.Operators(ctx)
		if err != nil {
			return nil, err
		}
		in := intake{now: s.store.Now(), roles: roles, owners: owners}
		out, err := in.sort(people, func(like []store.Import) ([]store.Import, error) { return s.store.UsersLike(ctx, like) })
		if err != nil || dry || len(in.fresh) == 0 {
			return out, err
		}
		told := make([]store.Event, len(in.fresh))
		for i, p := range in.fresh {
			told[i] = s.book.Entry(by, audit.Record{Kind: "user.imported", User: p.ID})
		}
		err = s.store.ImportUsers(ctx, in.fresh, told...)
		if store.CodeOf(err) == store.Conflict && try < editTries {
			continue // somebody has registered meanwhile, or has become an owner
		}
		return out, err
	}
}

// ImportDone writes down that an import has ended, and how.
func (s *Service) ImportDone(ctx context.Context, by audit.Actor, made, there, refused int) error {
	return s.store.Tell(ctx, s.book.Entry(by, audit.Record{Kind: "users.imported",
		Detail: map[string]any{"made": made, "there": there, "refused": refused}}))
}

// ExportUsers calls each for every account, in the order of their ids, with the names of
// its roles. The entry of the audit log is written before the first.
func (s *Service) ExportUsers(ctx context.Context, by audit.Actor, each func(Newcomer) error) error {
	roles, err := s.store.RolesOfPeople(ctx)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, r := range roles {
		names[r.ID] = r.Name
	}
	if err := s.store.Tell(ctx, s.book.Entry(by, audit.Record{Kind: "users.exported"})); err != nil {
		return err
	}
	for after := ""; ; {
		page, err := s.store.UsersFrom(ctx, after, 1000)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, p := range page {
			suspended := !p.SuspendedAt.IsZero()
			n := Newcomer{ID: p.ID, Email: p.Email, Name: p.Name, Username: p.Username, Avatar: p.Avatar, Profile: p.Profile,
				CustomData: p.CustomData, CreatedAt: p.CreatedAt, Suspended: &suspended, Roles: []string{}}
			for _, id := range p.Roles {
				if name := names[id]; name != "" {
					n.Roles = append(n.Roles, name)
				}
			}
			if err := each(n); err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}

// intake sorts people into those who are new, those who are there, and those who are refused.
type intake struct {
	now    time.Time
	roles  []store.Role
	owners []store.Operator
	fresh  []store.Import

	byID, byEmail, byUsername map[string]store.Import
}

func (in *intake) sort(people []Newcomer, like func([]store.Import) ([]store.Import, error)) ([]Imported, error) {
	out := make([]Imported, len(people))
	want := make([]store.Import, len(people))
	for i, p := range people {
		want[i], out[i].Refused = in.take(p)
	}
	found, err := like(want)
	if err != nil {
		return nil, err
	}
	in.byID, in.byEmail, in.byUsername = map[string]store.Import{}, map[string]store.Import{}, map[string]store.Import{}
	for _, p := range found {
		in.note(p)
	}
	for i, p := range people {
		if out[i].Refused != nil {
			continue
		}
		if out[i] = in.compare(p, want[i]); out[i].There || out[i].Refused != nil {
			continue
		}
		if want[i].ID == "" {
			want[i].ID = store.RandomText(userIDSize)
		}
		in.fresh = append(in.fresh, want[i])
		in.note(want[i]) // the next one in this batch may be the same
	}
	return out, nil
}

// note remembers who has an id, an address, a username.
func (in *intake) note(p store.Import) {
	in.byID[p.ID], in.byEmail[string(p.Email)] = p, p
	if p.Username != "" {
		in.byUsername[p.Username] = p
	}
}

// take makes what is written of what was given, checked.
func (in *intake) take(n Newcomer) (store.Import, *store.FieldError) {
	p := store.Import{User: store.User{ID: n.ID, Email: n.Email, Name: n.Name, CreatedAt: n.CreatedAt.UTC().Truncate(time.Microsecond),
		Username: n.Username, Avatar: n.Avatar, Profile: n.Profile}}
	if n.Suspended != nil && *n.Suspended {
		p.SuspendedAt = in.now
	}
	var compact bytes.Buffer
	if len(n.CustomData) > 0 && json.Compact(&compact, n.CustomData) == nil {
		p.CustomData = compact.Bytes()
	}
	if err := checkNewcomer(in.now, n); err != nil {
		return p, err
	}
	for _, r := range in.roles {
		if r.Default && n.Roles == nil || slices.Contains(n.Roles, r.Name) {
			p.Roles = append(p.Roles, r.ID)
		}
	}
	for _, name := range n.Roles {
		if !slices.ContainsFunc(in.roles, func(r store.Role) bool { return r.Name == name }) {
			return p, &store.FieldError{Field: "roles", Reason: fmt.Sprintf("there is no role %q that people can have", name)}
		}
	}
	return p, nil
}

// compare tells whether somebody is there already, or stands in the way.
func (in *intake) compare(n Newcomer, p store.Import) Imported {
	refuse := func(field, reason string) Imported {
		return Imported{Refused: &store.FieldError{Field: field, Reason: reason}}
	}
	there, known := in.byEmail[string(p.Email)]
	if known && n.ID != "" && there.ID != n.ID {
		return refuse("email", "is the address of the account "+there.ID)
	}
	if !known {
		if other, taken := in.byID[n.ID]; taken && n.ID != "" {
			return refuse("id", "is the account of another address, "+string(other.Email))
		}
	}
	if other, taken := in.byUsername[n.Username]; n.Username != "" && taken && (!known || other.ID != there.ID) {
		return refuse("username", "is that of the account "+other.ID)
	}
	if !known {
		if n.Suspended != nil && *n.Suspended && slices.ContainsFunc(in.owners, func(o store.Operator) bool { return o.Email == n.Email }) {
			return refuse("suspended", "is an owner: the last of them has to be able to sign in")
		}
		return Imported{}
	}
	if field := differs(n, p, there); field != "" {
		out := refuse(field, "is not what the account "+there.ID+" has, which is there already and stays as it is")
		out.There = true
		return out
	}
	return Imported{There: true}
}

// differs names the first field that was given and is another one there.
func differs(n Newcomer, given, there store.Import) string {
	slices.Sort(given.Roles)
	slices.Sort(there.Roles)
	switch {
	case n.Name != "" && given.Name != there.Name:
		return "name"
	case n.Username != "" && given.Username != there.Username:
		return "username"
	case n.Avatar != "" && given.Avatar != there.Avatar:
		return "avatar"
	case n.Profile != store.Profile{} && !reflect.DeepEqual(given.Profile, there.Profile):
		return "profile"
	case len(n.CustomData) > 0 && !sameJSON(given.CustomData, there.CustomData):
		return "customData"
	case !n.CreatedAt.IsZero() && !given.CreatedAt.Equal(there.CreatedAt):
		return "createdAt"
	case n.Suspended != nil && given.SuspendedAt.IsZero() != there.SuspendedAt.IsZero():
		return "suspended"
	case n.Roles != nil && !slices.Equal(given.Roles, there.Roles):
		return "roles"
	}
	return ""
}

// sameJSON compares objects; none is an empty one.
func sameJSON(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var x, y map[string]any
	_ = json.Unmarshal(a, &x) // both were checked when they were taken
	_ = json.Unmarshal(b, &y)
	return len(x) == 0 && len(y) == 0 || reflect.DeepEqual(x, y)
}
