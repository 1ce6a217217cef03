package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"idp/store"
)

// Codes is the code engine, for apps that ask by themselves whether somebody reads an
// address.
type Codes interface {
	// SendVerification mails a code: store.Limited with the wait.
	SendVerification(context.Context, store.Verification) error
	// CheckVerification judges a code and uses it up: store.Invalid if it can be none.
	CheckVerification(ctx context.Context, v store.Verification, code string) (store.SignedIn, error)
}

func (a *API) verificationCodes() {
	const noun = "verification-codes"
	register(a, operation{http.MethodPost, "/verification-codes", noun, "Mail a verification code", http.StatusNoContent}, a.postVerificationCode)
	register(a, operation{http.MethodPost, "/verification-codes/verify", noun, "Verify a verification code", http.StatusNoContent}, a.verifyVerificationCode)
}

func (a *API) postVerificationCode(ctx context.Context, in *struct {
	Body struct {
		Email string `json:"email" minLength:"1" maxLength:"320"`
	}
}) (*struct{}, error) {
	v, err := a.verification(ctx, in.Body.Email)
	if err != nil {
		return nil, err
	}
	return nil, a.Codes.SendVerification(ctx, v)
}

func (a *API) verifyVerificationCode(ctx context.Context, in *struct {
	Body struct {
		Email string `json:"email" minLength:"1" maxLength:"320"`
		Code  string `json:"verificationCode" minLength:"1" maxLength:"64"`
	}
}) (*struct{}, error) {
	v, err := a.verification(ctx, in.Body.Email)
	if err != nil {
		return nil, err
	}
	got, err := a.Codes.CheckVerification(ctx, v, in.Body.Code)
	if store.CodeOf(err) == store.Invalid {
		got.Outcome, err = store.OutcomeWrong, nil
	}
	if err != nil {
		return nil, err
	}
	no := func(code, message string) error {
		return &problem{status: http.StatusBadRequest, Code: "verification_code." + code, Message: message}
	}
	switch got.Outcome {
	case store.OutcomeAccepted:
		return nil, nil
	case store.OutcomeWrong, store.OutcomeStale:
		return nil, no("code_mismatch", "The code is not right.")
	case store.OutcomeExpired:
		return nil, no("expired", "The code has expired. Send a new one.")
	case store.OutcomeSpent:
		return nil, no("exceed_max_try", "There were too many wrong codes. Send a new one.")
	case store.OutcomeLimited:
		if got.Limit == store.LimitAccountGuesses {
			return nil, &problem{status: http.StatusTooManyRequests, wait: max(got.Wait, time.Second), Code: "verification_code.guesses_spent",
				Message: "There were too many wrong codes for this address, so a short code is not looked at. The Retry-After header says in how many seconds it will be; a code that you send now is longer, and works at once."}
		}
		return nil, &store.Error{Code: store.Limited, Op: "verify code", Wait: got.Wait}
	}
	return nil, no("not_found", "There is no code to verify for this address. Send one.")
}

// verification names the app that asks, in the mail, too.
func (a *API) verification(ctx context.Context, email string) (store.Verification, error) {
	to, err := readEmail("body.email", email)
	if err != nil {
		return store.Verification{}, err
	}
	id := strings.TrimPrefix(actor(ctx).ID, clientPrefix)
	client, err := a.Admin.Client(ctx, id)
	if err != nil && store.CodeOf(err) != store.NotFound {
		return store.Verification{}, err
	}
	return store.Verification{Client: id, App: client.Title(), Email: to}, nil
}
