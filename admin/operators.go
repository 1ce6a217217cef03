package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"idp/audit"
	"idp/store"
	"idp/store/address"
)

type operatorStore interface {
	Operators(ctx context.Context) ([]store.Operator, error)
	AddOperator(ctx context.Context, email store.Email, role store.OperatorRole, told ...store.Event) error
	SetOperatorRole(ctx context.Context, email store.Email, role store.OperatorRole, told ...store.Event) error
	RemoveOperator(ctx context.Context, email store.Email, told ...store.Event) error
	CreateConsoleLink(ctx context.Context, l store.ConsoleLink, told ...store.Event) error
	EnterByLink(ctx context.Context, e store.ConsoleEntry, told ...store.Event) (string, error)
	EndConsoleSessions(ctx context.Context, user string, told ...store.Event) error
}

// Operators lists who may enter the console, by address.
func (s *Service) Operators(ctx context.Context) ([]store.Operator, error) {
	return s.store.Operators(ctx)
}

// AddOperator lets whoever has, or will have, the account of an address into the console.
// Errors: [store.Invalid]; [store.Conflict] if they are in; [store.Forbidden].
func (s *Service) AddOperator(ctx context.Context, by audit.Actor, email string, role store.OperatorRole) error {
	const op = "add operator"
	to, err := address.Parse(email)
	if err != nil {
		return store.InvalidField(op, "email", "is no email address")
	}
	if err := mayRank(op, by, role); err != nil {
		return err
	}
	return s.addOperator(ctx, by, to, role)
}

// SetOperatorRole gives an operator another role. Errors: [store.Invalid]; [store.NotFound];
// [store.InUse] if no other owner can sign in; [store.Forbidden].
func (s *Service) SetOperatorRole(ctx context.Context, by audit.Actor, email string, role store.OperatorRole) error {
	const op = "set role of operator"
	to, err := address.Parse(email)
	if err != nil {
		return &store.Error{Code: store.NotFound, Op: op, Err: errors.New("not an email address")}
	}
	if err := mayRank(op, by, role); err != nil {
		return err
	}
	entry, err := s.operatorEntry(ctx, by, "operator.role_changed", to, role)
	if err != nil {
		return err
	}
	return s.store.SetOperatorRole(ctx, to, role, entry)
}

// RemoveOperator lets somebody into the console no more. Errors: [store.NotFound];
// [store.InUse] if no other owner can sign in; [store.Forbidden].
func (s *Service) RemoveOperator(ctx context.Context, by audit.Actor, email string) error {
	const op = "remove operator"
	from, err := address.Parse(email)
	if err != nil { // nobody has it
		return &store.Error{Code: store.NotFound, Op: op, Err: errors.New("not an email address")}
	}
	if err := mayRank(op, by, store.RoleViewer); err != nil {
		return err
	}
	entry, err := s.operatorEntry(ctx, by, "operator.removed", from, "")
	if err != nil {
		return err
	}
	return s.store.RemoveOperator(ctx, from, entry)
}

// NeedOwners makes owners of those addresses that are no operator's.
func (s *Service) NeedOwners(ctx context.Context, by audit.Actor, emails []store.Email) error {
	for _, e := range emails {
		if err := s.addOperator(ctx, by, e, store.RoleOwner); err != nil && store.CodeOf(err) != store.Conflict {
			return fmt.Errorf("make the owners of the settings: %w", err)
		}
	}
	return nil
}

// LinkTTL is how long a link into the console works.
const LinkTTL = 10 * time.Minute

// CreateConsoleLink makes the secret of a link that lets an operator into the console once.
// The error is [store.NotFound] if the address is no operator's, or the account is suspended.
func (s *Service) CreateConsoleLink(ctx context.Context, by audit.Actor, to store.Email) (secret string, until time.Time, err error) {
	secret = store.RandomText(43)
	until = s.store.Now().Add(LinkTTL)
	entry, err := s.operatorEntry(ctx, by, "console.link_created", to, "")
	if err != nil {
		return "", until, err
	}
	return secret, until, s.store.CreateConsoleLink(ctx, store.ConsoleLink{Hash: store.HashOf([]byte(secret)), Email: to, ExpiresAt: until}, entry)
}

// LeaveConsole signs somebody out of the console in all browsers.
func (s *Service) LeaveConsole(ctx context.Context, by audit.Actor, user string) error {
	return s.store.EndConsoleSessions(ctx, user, s.book.Entry(by, audit.Record{Kind: "console.signed_out", User: user, Detail: map[string]any{"everywhere": true}}))
}

func (s *Service) addOperator(ctx context.Context, by audit.Actor, email store.Email, role store.OperatorRole) error {
	entry, err := s.operatorEntry(ctx, by, "operator.added", email, role)
	if err != nil {
		return err
	}
	return s.store.AddOperator(ctx, email, role, entry)
}

// mayRank tells whether somebody may say who enters the console, and as what.
func mayRank(op string, by audit.Actor, role store.OperatorRole) error {
	if !slices.Contains(store.OperatorRoles, role) {
		return store.InvalidField(op, "role", "is none of owner, admin and viewer")
	}
	if !store.Covers(by.Scopes, store.ScopeAll) {
		return &store.Error{Code: store.Forbidden, Op: op, Err: errors.New("only an owner says who may enter the console")}
	}
	return nil
}

func (s *Service) operatorEntry(ctx context.Context, by audit.Actor, kind string, email store.Email, role store.OperatorRole) (store.Event, error) {
	user, err := s.accountOf(ctx, email)
	r := audit.Record{Kind: kind, User: user, Personal: map[string]any{"email": string(email)}}
	if role != "" {
		r.Detail = map[string]any{"role": string(role)}
	}
	return s.book.Entry(by, r), err
}

// EnterByLink lets in who has opened a link into the console. Errors as of the store's
// EnterByLink.
func (s *Service) EnterByLink(ctx context.Context, e store.ConsoleEntry) error {
	o := store.OriginOf(ctx)
	entry := s.book.Entry(audit.Actor{IP: o.IP, Agent: o.Agent, Request: o.Request}, audit.Record{Kind: "console.signed_in", Detail: map[string]any{"by": "link"}})
	_, err := s.store.EnterByLink(ctx, e, entry)
	return err
}
