package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"idp/audit"
	"idp/store"
	"idp/store/address"
)

type testAddressStore interface {
	TestAddresses(ctx context.Context) ([]store.TestAddress, error)
	SetTestAddress(ctx context.Context, t store.TestAddress, told ...store.Event) error
	RemoveTestAddress(ctx context.Context, email store.Email, told ...store.Event) error
}

// TestCodes seals the codes of test addresses.
type TestCodes interface {
	Seal(of store.Email, code string) []byte
}

// TestAddress is an address whose code is always the same, without the code.
type TestAddress struct {
	Email     store.Email `json:"email"`
	CreatedAt time.Time   `json:"createdAt"`
	EndsAt    time.Time   `json:"endsAt"`
	Expired   bool        `json:"expired"`
}

func (s *Service) showTest(t store.TestAddress) TestAddress {
	return TestAddress{t.Email, t.CreatedAt, t.EndsAt, !t.Live(s.store.Now())}
}

// TestAddresses lists all, those that are over too, by address.
func (s *Service) TestAddresses(ctx context.Context) ([]TestAddress, error) {
	all, err := s.store.TestAddresses(ctx)
	out := make([]TestAddress, len(all))
	for i, t := range all {
		out[i] = s.showTest(t)
	}
	return out, err
}

// SetTestAddress makes an address one for tests until a time, or gives it another code and time.
// Errors: [store.Invalid]; [store.InUse] if there are too many; [store.Forbidden].
func (s *Service) SetTestAddress(ctx context.Context, by audit.Actor, email, code string, until time.Time) (TestAddress, error) {
	const op = "set test address"
	if err := mayTest(op, by); err != nil {
		return TestAddress{}, err
	}
	of, err := address.Parse(email)
	if err != nil {
		return TestAddress{}, store.InvalidField(op, "email", "is no email address")
	}
	if s.tests == nil {
		return TestAddress{}, errors.New("set test address: there is nothing to seal its code with")
	}
	if err := s.checkTestCode(op, code); err != nil {
		return TestAddress{}, err
	}
	now := s.store.Now()
	switch {
	case !until.After(now):
		return TestAddress{}, store.InvalidField(op, "until", "is in the past")
	case until.Sub(now) > store.MaxTestPeriod:
		return TestAddress{}, store.InvalidField(op, "until", "is more than 90 days ahead")
	}
	t := store.TestAddress{Email: of, Code: s.tests.Seal(of, code), EndsAt: until, CreatedAt: now}
	entry, err := s.testEntry(ctx, by, "test_address.set", of, map[string]any{"until": until.UTC().Format(time.RFC3339)})
	if err != nil {
		return TestAddress{}, err
	}
	return s.showTest(t), s.store.SetTestAddress(ctx, t, entry)
}

// RemoveTestAddress ends one: its code is right no more. Errors: [store.NotFound];
// [store.Forbidden].
func (s *Service) RemoveTestAddress(ctx context.Context, by audit.Actor, email string) error {
	const op = "remove test address"
	if err := mayTest(op, by); err != nil {
		return err
	}
	of, err := address.Parse(email)
	if err != nil {
		return &store.Error{Code: store.NotFound, Op: op, Err: errors.New("not an email address")}
	}
	entry, err := s.testEntry(ctx, by, "test_address.removed", of, nil)
	if err != nil {
		return err
	}
	return s.store.RemoveTestAddress(ctx, of, entry)
}

// checkTestCode: a code that is not as long as the instance's is never asked for.
func (s *Service) checkTestCode(op, code string) error {
	for _, r := range code {
		if r < '0' || r > '9' {
			return store.InvalidField(op, "code", "has something else than digits")
		}
	}
	switch n, usual := len(code), s.frame.Digits; {
	case n < store.MinTestDigits || n > store.MaxTestDigits:
		return store.InvalidField(op, "code", fmt.Sprintf("has not %d to %d digits", store.MinTestDigits, store.MaxTestDigits))
	case usual != 0 && n != usual:
		return store.InvalidField(op, "code", "has another number of digits than codes have here (IDP_OTP_DIGITS)")
	}
	return nil
}

// mayTest tells whether somebody may say that a code lets others in: whoever may, is in every account.
func mayTest(op string, by audit.Actor) error {
	if !store.Covers(by.Scopes, store.ScopeAll) {
		return &store.Error{Code: store.Forbidden, Op: op, Err: errors.New("only an owner says which addresses are for tests")}
	}
	return nil
}

func (s *Service) testEntry(ctx context.Context, by audit.Actor, kind string, email store.Email, detail map[string]any) (store.Event, error) {
	user, err := s.accountOf(ctx, email)
	return s.book.Entry(by, audit.Record{Kind: kind, User: user, Detail: detail, Personal: map[string]any{"email": string(email)}}), err
}
