package ses

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"idp/mailer"
)

// refusal is SES's answer in SES's own words.
type refusal struct {
	status  int
	code    string // "MessageRejected"
	message string
	request string // AWS's id of the request, for their support
}

func (r *refusal) Error() string {
	text := "SES answered " + r.code
	if r.message != "" {
		text += ": " + r.message
	}
	if r.request != "" {
		text += " (request " + r.request + ")"
	}
	return text
}

func (r *refusal) says(words ...string) bool {
	text := strings.ToLower(r.message)
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// classify tells what to do about a failed request, to the address to ("" for a
// request that is no mail).
func (s *Sender) classify(err error, to string) *mailer.SendError {
	r := s.refusalOf(err)
	if r == nil {
		return &mailer.SendError{Class: mailer.Temporary, Err: fmt.Errorf("ask SES: %w", s.withoutSDK(err))}
	}
	class, hint := s.judge(r, to)
	return &mailer.SendError{Class: class, Err: r, Hint: hint}
}

// mayHaveSent tells whether SES may have sent a mail although the request failed: it did not
// answer a request that it may have got, or failed while it was at it. 503 is a
// request that it did not begin with.
func (s *Sender) mayHaveSent(err error, connected bool) bool {
	if r := s.refusalOf(err); r != nil {
		return r.status >= 500 && r.status != http.StatusServiceUnavailable
	}
	return connected
}

// refusalOf gives SES's answer, nil if none came.
func (s *Sender) refusalOf(err error) *refusal {
	var resp *awshttp.ResponseError
	var api smithy.APIError
	if !errors.As(err, &resp) {
		return nil
	}
	r := &refusal{status: resp.HTTPStatusCode(), code: fmt.Sprintf("HTTP %d", resp.HTTPStatusCode()), request: resp.ServiceRequestID()}
	if errors.As(err, &api) {
		if c := api.ErrorCode(); c != "" && c != "UnknownError" {
			r.code = c
		}
		r.message = api.ErrorMessage()
	}
	if r.status < 300 {
		return nil // it took the mail, and the answer broke off: nobody knows
	}
	// A wrong signature is answered with all that was signed.
	r.message, _, _ = strings.Cut(r.message, "The Canonical String")
	r.message = strings.TrimSpace(s.withoutKey(r.message))
	return r
}

func (s *Sender) withoutKey(text string) string {
	if s.AccessKeyID != "" {
		text = strings.ReplaceAll(text, s.AccessKeyID, "[access key]")
	}
	return text
}

// withoutSDK keeps of a failed exchange what broke, and not how the SDK names its layers.
func (s *Sender) withoutSDK(err error) error {
	var network *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer within %s: %w", s.timeout, context.DeadlineExceeded)
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &network):
		return network
	}
	var operation *smithy.OperationError
	if errors.As(err, &operation) {
		err = operation.Unwrap()
	}
	return errors.New(s.withoutKey(err.Error()))
}

// judge finds the class of an answer and what mends it. The error codes are those of
// SendEmail in the SES v2 API and those common to all of AWS; SES tells more in words
// than in codes.
//
// Two things rest on the distinction: Refused puts an address on the suppression list,
// so it needs SES's word about the address; and what a stranger can bring about by typing
// a strange address must not look like a broken connector.
func (s *Sender) judge(r *refusal, to string) (class mailer.Class, hint string) {
	switch r.code {
	case "TooManyRequestsException", "LimitExceededException", "Throttling", "ThrottlingException":
		return s.limited(r)
	case "AccountSuspendedException", "SendingPausedException":
		return mailer.Paused, pausedHint
	case "MailFromDomainNotVerifiedException":
		return mailer.Misconfigured, "Publish the MX record of the custom MAIL FROM domain, or take that domain off the identity in the SES console."
	case "NotFoundException":
		return mailer.Misconfigured, s.notFoundHint()
	case "InternalServiceErrorException", "ConcurrentModificationException", "ConflictException", "RequestTimeout", "RequestTimeoutException":
		return mailer.Temporary, ""
	case "MessageRejected":
		return s.rejected(r, to)
	}
	switch {
	case r.status >= 500 || r.status == http.StatusRequestTimeout:
		return mailer.Temporary, ""
	case r.status == http.StatusTooManyRequests:
		return s.limited(r)
	case r.status == http.StatusUnauthorized || r.status == http.StatusForbidden || accessCodes[r.code]:
		return mailer.Misconfigured, accessHint(r.code)
	case r.status == http.StatusNotFound || r.status == http.StatusMethodNotAllowed || r.status < 400:
		return mailer.Misconfigured, "Is the endpoint one of the SES v2 API?"
	}
	return s.badRequest(r)
}

const pausedHint = "AWS paused sending for this account: look at Account dashboard in the SES console and at the mail AWS sent to the account's owner."

// limited tells a spent day from a moment of haste.
func (s *Sender) limited(r *refusal) (mailer.Class, string) {
	if r.says("daily", "quota", "24 hour", "24-hour") {
		return mailer.Paused, "The account's mails of the last 24 hours are at its quota: ask AWS for a higher one in the SES console."
	}
	return mailer.Throttled, ""
}

// rejected reads MessageRejected, which SES says for many reasons.
func (s *Sender) rejected(r *refusal, to string) (mailer.Class, string) {
	switch {
	case r.says("not verified"):
		hint, recipient := s.unverifiedHint(r, to)
		if recipient { // the others' mails may be taken: a stranger must not stop them with his address
			return mailer.Rejected, hint
		}
		return mailer.Misconfigured, hint
	case r.says("paused", "suspended", "shut down", "sending is disabled"):
		return mailer.Paused, pausedHint
	case r.says("suppression list", "blacklisted"):
		return mailer.Refused, "Take the address off the account-level suppression list in the SES console."
	case r.says("access denied", "not authorized"):
		return mailer.Misconfigured, accessHint("AccessDeniedException")
	case r.says("configuration set"):
		return mailer.Misconfigured, s.notFoundHint()
	}
	return mailer.Rejected, "SES does not take what this mail says: look at its template."
}

// badRequest reads BadRequestException. The configuration's addresses were looked at
// before, so words about an address are about the recipient's.
func (s *Sender) badRequest(r *refusal) (mailer.Class, string) {
	switch {
	case r.says("suppression list", "blacklisted"):
		return mailer.Refused, "Take the address off the account-level suppression list in the SES console."
	case r.says("configuration set"):
		return mailer.Misconfigured, s.notFoundHint()
	case r.says("arn", "identity"):
		return mailer.Misconfigured, "Look at emailAddressIdentityArn and feedbackForwardingEmailAddressIdentityArn."
	case r.says("fromemailaddress", "from address", "from email", "source", "sender", "feedback", "reply"):
		return mailer.Misconfigured, "Look at emailAddress and feedbackForwardingEmailAddress, and at sendFrom and replyTo of the templates."
	case r.says("final '@domain'", "illegal address", "local address", "domain name", "domain contains", "domain starts", "domain ends",
		"user name", "toaddresses", "destination", "recipient"):
		return mailer.Refused, ""
	}
	return mailer.Rejected, ""
}

// failedIdentities finds who "failed the check" in SES's words about unverified identities.
var failedIdentities = regexp.MustCompile(`(?i)failed the check in region ([a-z0-9-]+): *(.+)$`)

func (s *Sender) unverifiedHint(r *refusal, to string) (hint string, recipient bool) {
	identity, region := s.from.Address, s.Region
	if m := failedIdentities.FindStringSubmatch(r.message); m != nil {
		region, identity = strings.ToLower(m[1]), strings.TrimSpace(m[2])
	}
	if region == "" {
		region = "the region in use"
	}
	if to != "" && strings.EqualFold(identity, to) {
		return "The account is in the SES sandbox in " + region + " and mails to verified addresses only: verify the recipient for a test, " +
			"or ask for production access in the SES console.", true
	}
	return "Verify " + identity + ", or its domain, in the SES console of " + region +
		". If it is verified, then in another region: put that one into region. In the SES sandbox the recipient has to be verified, too.", false
}

func (s *Sender) notFoundHint() string {
	if s.ConfigurationSetName == "" {
		return "SES does not find what the request names: look at the identity's default configuration set, and at region."
	}
	return fmt.Sprintf("Make the configuration set %q in the SES console of this region, or take configurationSetName out.", s.ConfigurationSetName)
}

// accessCodes are about the key or the signature and come with status 400 at times.
var accessCodes = map[string]bool{
	"AccessDenied": true, "AccessDeniedException": true, "UnrecognizedClientException": true, "InvalidClientTokenId": true,
	"IncompleteSignature": true, "InvalidSignatureException": true, "SignatureDoesNotMatch": true, "MissingAuthenticationToken": true,
	"MissingAuthenticationTokenException": true, "ExpiredToken": true, "ExpiredTokenException": true, "RequestExpired": true,
	"RequestTimeTooSkewed": true, "NotAuthorized": true, "OptInRequired": true, "InvalidAccessKeyId": true,
}

func accessHint(code string) string {
	switch code {
	case "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "MissingAuthenticationToken", "MissingAuthenticationTokenException":
		return "AWS does not know this access key: look at accessKeyId, and whether it is active in IAM."
	case "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature":
		return "The secret does not fit the access key, or this machine's clock is wrong: copy accessKeySecret again, look at the clock."
	case "ExpiredToken", "ExpiredTokenException":
		return "The AWS credentials of this machine have expired: renew them."
	case "RequestExpired", "RequestTimeTooSkewed":
		return "This machine's clock is wrong: AWS takes five minutes at most."
	}
	return "Allow the action ses:SendEmail on the sender's identity (and on the configuration set) in the policy of this access key or role."
}
