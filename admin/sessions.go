package admin

import (
	"context"
	"slices"

	"idp/audit"
	"idp/store"
)

type sessionStore interface {
	Sessions(ctx context.Context, user string) ([]store.Session, error)
	EndSessions(ctx context.Context, e store.Ending) error
	Grants(ctx context.Context, user string) ([]store.GrantSummary, error)
	RevokeGrant(ctx context.Context, user string, grant store.ID, told ...store.Event) error
}

// Sessions lists where a person is signed in, newest first. The error is [store.NotFound].
func (s *Service) Sessions(ctx context.Context, user string) ([]store.Session, error) {
	if _, err := s.store.User(ctx, user); err != nil {
		return nil, err
	}
	return s.store.Sessions(ctx, user)
}

// Session reads one by its [store.SessionID]. The error is [store.NotFound].
func (s *Service) Session(ctx context.Context, user, id string) (store.Session, error) {
	all, err := s.Sessions(ctx, user)
	if err != nil {
		return store.Session{}, err
	}
	i := slices.IndexFunc(all, func(v store.Session) bool { return store.SessionID(v.Hash) == id })
	if i < 0 {
		return store.Session{}, &store.Error{Code: store.NotFound, Op: "find session"}
	}
	return all[i], nil
}

// EndSession signs a person out of one browser, with what apps may do because of it;
// with all also what outlives the session. The error is [store.NotFound].
func (s *Service) EndSession(ctx context.Context, by audit.Actor, user, id string, all bool) error {
	v, err := s.Session(ctx, user, id)
	if err != nil {
		return err
	}
	entry := s.book.Entry(by, audit.Record{Kind: "session.revoked", User: user, Target: "session:" + id, Detail: map[string]any{"all": all}})
	return s.store.EndSessions(ctx, store.Ending{User: user, Session: v.Hash, Offline: all, Told: []store.Event{entry}})
}

// EndAllSessions signs a person out everywhere, of the console too, with all that apps may do
// for them. Errors: [store.NotFound]; [store.Forbidden] for an operator, of somebody else who may
// not do everything.
func (s *Service) EndAllSessions(ctx context.Context, by audit.Actor, user string) error {
	if _, err := s.store.User(ctx, user); err != nil {
		return err
	}
	if err := s.mayThrowOut(ctx, "end all sessions", by, user); err != nil {
		return err
	}
	entry := s.book.Entry(by, audit.Record{Kind: "session.revoked", User: user, Target: "session:*", Detail: map[string]any{"all": true}})
	return s.store.EndSessions(ctx, store.Ending{User: user, Offline: true, Told: []store.Event{entry}})
}

// Grants lists what apps may do for a person, newest first. The error is [store.NotFound].
func (s *Service) Grants(ctx context.Context, user string) ([]store.GrantSummary, error) {
	if _, err := s.store.User(ctx, user); err != nil {
		return nil, err
	}
	return s.store.Grants(ctx, user)
}

// RevokeGrant ends what an app may do for a person. The error is [store.NotFound].
func (s *Service) RevokeGrant(ctx context.Context, by audit.Actor, user, id string) error {
	grant, err := store.ParseID(id)
	if err != nil {
		return &store.Error{Code: store.NotFound, Op: "revoke grant"}
	}
	return s.store.RevokeGrant(ctx, user, grant, s.book.Entry(by, audit.Record{Kind: "grant.revoked", User: user, Target: "grant:" + id}))
}
