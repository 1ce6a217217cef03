package otp

import (
	"context"
	"fmt"
	"slices"

	"idp/keyring"
	"idp/store"
)

// TestCodes seals the codes of test addresses.
type TestCodes struct{ sealer *keyring.Sealer }

// NewTestCodes makes them for an instance.
func NewTestCodes(ring *keyring.Ring) TestCodes { return TestCodes{ring.Sealer("test address code")} }

// Seal seals the code of an address.
func (c TestCodes) Seal(of store.Email, code string) []byte {
	return c.sealer.Seal([]byte(code), []byte(of))
}

func (c TestCodes) open(t store.TestAddress) (string, error) {
	plain, err := c.sealer.Open(t.Code, []byte(t.Email))
	return string(plain), err
}

// code makes the code of an attempt: a random one, or the fixed one of a test address, and its mark. The
// console is entered with no fixed code, whosever it is. While the guesses of a test address are spent
// it gets a long code, which no mail takes anywhere either.
func (e *Engine) code(ctx context.Context, a store.Attempt, length int) (code string, mark int16, err error) {
	code = newCode(length)
	if a.Purpose == store.PurposeConsole {
		return code, 0, nil
	}
	all, err := e.store.TestAddresses(ctx)
	if err != nil {
		return "", 0, fmt.Errorf("make code: %w", err)
	}
	i := slices.IndexFunc(all, func(t store.TestAddress) bool { return t.Email == a.Email })
	if i < 0 || !all[i].Live(e.store.Now()) {
		return code, 0, nil
	}
	if length == longCode {
		return code, all[i].Mark(), nil
	}
	fixed, err := e.tests.open(all[i])
	switch {
	case err != nil:
		e.log.ErrorContext(ctx, "the code of a test address does not open (was the instance secret changed?): it gets mails like any other", "error", err)
		return code, 0, nil
	case !slices.Contains(e.lengths(a.Purpose), len(fixed)):
		e.log.WarnContext(ctx, "the code of a test address is not as long as codes are: it gets mails like any other", "length", len(fixed))
		return code, 0, nil
	}
	return fixed, all[i].Mark(), nil
}
