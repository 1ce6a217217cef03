package admin

import (
	"context"
	"errors"
	"slices"

	"idp/audit"
	"idp/store"
)

// Nobody gives away more of the management API than they have: who may write roles or
// applications could otherwise make a machine that may do everything.

// mayGive tells whether somebody has all these scopes of the management API, and may
// give them to others.
func mayGive(op string, by audit.Actor, scopes []store.Scope) error {
	for _, c := range scopes {
		if c.Resource == store.ManagementResource && !store.Covers(by.Scopes, c.Name) {
			return &store.Error{Code: store.Forbidden, Op: op,
				Err: errors.New("this gives the scope " + c.Name + " of the management API to somebody, which the token itself does not have")}
		}
	}
	return nil
}

// mayGiveRoles is mayGive for what these roles have.
func (s *Service) mayGiveRoles(ctx context.Context, op string, by audit.Actor, roles []string) error {
	for _, id := range roles {
		scopes, err := s.allScopes(ctx, id)
		if err != nil {
			return err
		}
		if err := mayGive(op, by, scopes); err != nil {
			return err
		}
	}
	return nil
}

// mayBecome tells whether somebody has all that a client has of the management API, and
// may hold its secret.
func (s *Service) mayBecome(ctx context.Context, op string, by audit.Actor, client string) error {
	roles, err := s.clientRoles(ctx, client)
	if err != nil {
		return err
	}
	return s.mayGiveRoles(ctx, op, by, ids(roles))
}

// mayActFor tells whether somebody may sign in with an address, which is an owner's only for
// who may do everything.
func (s *Service) mayActFor(ctx context.Context, op string, by audit.Actor, email store.Email) error {
	if store.Covers(by.Scopes, store.ScopeAll) {
		return nil
	}
	owners, err := s.store.Operators(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(owners, func(o store.Operator) bool { return o.Email == email }) {
		return &store.Error{Code: store.Forbidden, Op: op,
			Err: errors.New("the address is an owner's, who may do everything: that takes the scope " + store.ScopeAll + " of the management API")}
	}
	return nil
}

// mayKeepOut tells whether somebody may suspend a person, or delete their account: an
// operator's only who may do everything, or an admin could lock the owners out.
func (s *Service) mayKeepOut(ctx context.Context, op string, by audit.Actor, user string) error {
	if store.Covers(by.Scopes, store.ScopeAll) {
		return nil
	}
	operators, err := s.store.Operators(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(operators, func(o store.Operator) bool { return o.User == user }) {
		return &store.Error{Code: store.Forbidden, Op: op, Err: errors.New("this person may enter the console: only an owner can suspend them or delete their account")}
	}
	return nil
}

// mayThrowOut tells whether somebody may sign a person out of the console: themselves, and an
// operator only who may do everything. Codes are few in an hour, so who is thrown out again
// and again is kept out.
func (s *Service) mayThrowOut(ctx context.Context, op string, by audit.Actor, user string) error {
	if by.ID == "user:"+user {
		return nil
	}
	if err := s.mayKeepOut(ctx, op, by, user); store.CodeOf(err) != store.Forbidden {
		return err
	}
	return &store.Error{Code: store.Forbidden, Op: op, Err: errors.New("this person may enter the console: only an owner can sign them out everywhere. Single sessions you can end")}
}

// maySilence tells whether somebody may have no mail sent to an address: an operator's only who
// may do everything, for without mail they get no code.
func (s *Service) maySilence(ctx context.Context, op string, by audit.Actor, email store.Email) error {
	if store.Covers(by.Scopes, store.ScopeAll) {
		return nil
	}
	operators, err := s.store.Operators(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(operators, func(o store.Operator) bool { return o.Email == email }) {
		return &store.Error{Code: store.Forbidden, Op: op, Err: errors.New("this is the address of somebody who may enter the console: only an owner can keep mail from them")}
	}
	return nil
}

// all is a listing of everything: roles of a client and scopes of a role are not many.
var all = store.Listing{Limit: store.MaxCount}

func (s *Service) allScopes(ctx context.Context, role string) ([]store.Scope, error) {
	scopes, _, err := s.store.RoleScopes(ctx, role, all)
	return scopes, err
}

func (s *Service) clientRoles(ctx context.Context, client string) ([]store.Role, error) {
	roles, _, err := s.store.ClientRoles(ctx, client, all)
	return roles, err
}

func (s *Service) userRoles(ctx context.Context, user string) ([]store.Role, error) {
	roles, _, err := s.store.UserRoles(ctx, user, all)
	return roles, err
}

func ids(roles []store.Role) []string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = r.ID
	}
	return out
}
