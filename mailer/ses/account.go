package ses

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"idp/mailer"
)

// Quota reads what the account may send, from GetAccount. The error is a
// [*mailer.SendError].
func (s *Sender) Quota(ctx context.Context) (mailer.Quota, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	client, err := s.connect(ctx)
	if err != nil {
		return mailer.Quota{}, err
	}
	account, err := client.GetAccount(ctx, &sesv2.GetAccountInput{})
	if err != nil {
		return mailer.Quota{}, s.classify(err, "")
	}
	return quotaOf(account), nil
}

func quotaOf(a *sesv2.GetAccountOutput) mailer.Quota {
	q := mailer.Quota{Paused: paused(a), Sandbox: !a.ProductionAccessEnabled}
	if s := a.SendQuota; s != nil {
		q.PerSecond, q.Sent = max(s.MaxSendRate, 0), s.SentLast24Hours
		q.Day = max(s.Max24HourSend, 0) // -1 is without a limit
	}
	return q
}

// shutdown is the enforcement status of an account that AWS stopped.
const shutdown = "SHUTDOWN"

func paused(a *sesv2.GetAccountOutput) bool {
	return !a.SendingEnabled || aws.ToString(a.EnforcementStatus) == shutdown
}

// Examine looks at the account, the sender's identity and the configuration set. What
// the access key may not read is a warning: mail can go without it.
func (s *Sender) Examine(ctx context.Context) []mailer.Finding {
	ctx, cancel := context.WithTimeout(ctx, 2*s.timeout)
	defer cancel()
	client, err := s.connect(ctx)
	if err != nil {
		return []mailer.Finding{failure("credentials", err)}
	}
	findings := s.examineAccount(ctx, client)
	findings = append(findings, s.examineSender(ctx, client)...)
	if s.ConfigurationSetName != "" {
		findings = append(findings, s.examineSet(ctx, client))
	}
	return findings
}

func (s *Sender) examineAccount(ctx context.Context, client *sesv2.Client) []mailer.Finding {
	a, err := client.GetAccount(ctx, &sesv2.GetAccountInput{})
	if err != nil {
		return []mailer.Finding{s.unread("account", "ses:GetAccount", err)}
	}
	sending := mailer.Finding{Check: "account", Level: mailer.OK, Text: "SES sends for this account"}
	switch {
	case paused(a):
		sending.Level, sending.Text, sending.Fix = mailer.Failure, "SES does not send for this account now", pausedHint
	case aws.ToString(a.EnforcementStatus) == "PROBATION":
		sending.Level, sending.Text = mailer.Warning, "AWS has put this account under review"
		sending.Fix = "Look at the reputation metrics in the SES console: bounces and complaints are too many."
	}
	sandbox := mailer.Finding{Check: "sandbox", Level: mailer.OK, Text: "the account may mail to everybody"}
	if !a.ProductionAccessEnabled {
		sandbox.Level, sandbox.Text = mailer.Failure, "the account is in the SES sandbox: it mails to verified addresses only"
		sandbox.Fix = "Ask for production access in the SES console of this region."
	}
	quota := mailer.Finding{Check: "quota", Level: mailer.OK}
	q := quotaOf(a)
	quota.Text = fmt.Sprintf("%.0f mails a second, %.0f in 24 hours, %.0f sent", q.PerSecond, q.Day, q.Sent)
	if q.Day == 0 {
		quota.Text = fmt.Sprintf("%.0f mails a second, no limit for 24 hours, %.0f sent", q.PerSecond, q.Sent)
	} else if q.Sent >= 0.8*q.Day {
		quota.Level, quota.Fix = mailer.Warning, "Ask AWS for a higher sending quota in the SES console."
	}
	return []mailer.Finding{sending, sandbox, quota}
}

// examineSender looks for the identity that covers the sender's address: the address
// itself, else its domain, else a domain above that.
func (s *Sender) examineSender(ctx context.Context, client *sesv2.Client) []mailer.Finding {
	const check = "sender identity"
	if s.from.Address == "" {
		return []mailer.Finding{{Check: check, Level: mailer.Failure, Text: "the configuration names no sender", Fix: "Put emailAddress into it."}}
	}
	name, identity, err := s.identity(ctx, client)
	switch {
	case notFound(err) && s.EmailAddressIdentityARN != "":
		return []mailer.Finding{{Check: check, Level: mailer.Warning, Text: "this account does not have " + s.EmailAddressIdentityARN,
			Fix: "If another account shares it with this one, look at it there."}}
	case notFound(err):
		return []mailer.Finding{{Check: check, Level: mailer.Failure, Text: "neither " + s.from.Address + " nor its domain is an identity in this region",
			Fix: "Verify one of them in the SES console, or put the region where it is verified into region."}}
	case err != nil:
		return []mailer.Finding{s.unread(check, "ses:GetEmailIdentity", err)}
	case !identity.VerifiedForSendingStatus:
		return []mailer.Finding{{Check: check, Level: mailer.Failure, Text: fmt.Sprintf("%s is not verified (%s)", name, identity.VerificationStatus),
			Fix: "Verify it in the SES console: a domain by its DKIM records, an address by the link in AWS's mail."}, dkim(name, identity.DkimAttributes)}
	}
	findings := []mailer.Finding{{Check: check, Level: mailer.OK, Text: name + " is verified"}, dkim(name, identity.DkimAttributes)}
	if m := identity.MailFromAttributes; m != nil && aws.ToString(m.MailFromDomain) != "" && m.MailFromDomainStatus != types.MailFromDomainStatusSuccess {
		findings = append(findings, mailer.Finding{Check: "MAIL FROM domain", Level: mailer.Warning,
			Text: fmt.Sprintf("%s is not set up (%s)", *m.MailFromDomain, m.MailFromDomainStatus),
			Fix:  "Publish its MX and SPF records as the SES console shows them."})
	}
	return findings
}

// identity gives the first candidate that is verified, else the first that there is. The
// error is SES's about the last one.
func (s *Sender) identity(ctx context.Context, client *sesv2.Client) (name string, out *sesv2.GetEmailIdentityOutput, err error) {
	candidates := []string{s.from.Address}
	for domain := s.from.Domain(); strings.Contains(domain, "."); _, domain, _ = strings.Cut(domain, ".") {
		candidates = append(candidates, domain)
	}
	if _, named, ok := strings.Cut(s.EmailAddressIdentityARN, ":identity/"); ok {
		candidates = []string{named}
	}
	for _, candidate := range candidates {
		var found *sesv2.GetEmailIdentityOutput
		if found, err = client.GetEmailIdentity(ctx, &sesv2.GetEmailIdentityInput{EmailIdentity: &candidate}); err != nil {
			if notFound(err) {
				continue
			}
			return candidate, nil, err
		}
		if found.VerifiedForSendingStatus {
			return candidate, found, nil
		}
		if out == nil {
			name, out = candidate, found
		}
	}
	if out != nil {
		return name, out, nil
	}
	return s.from.Address, nil, err
}

func notFound(err error) bool {
	var e *types.NotFoundException
	return errors.As(err, &e)
}

// dkim judges the signature of an identity's mails, without which Gmail and others put
// them with the spam.
func dkim(name string, d *types.DkimAttributes) mailer.Finding {
	f := mailer.Finding{Check: "DKIM", Level: mailer.OK, Text: "mails from " + name + " are signed"}
	switch {
	case d == nil || !d.SigningEnabled:
		f.Level, f.Text, f.Fix = mailer.Warning, "mails from "+name+" are not signed", "Turn Easy DKIM on for its domain in the SES console."
	case d.Status != types.DkimStatusSuccess:
		f.Level, f.Text = mailer.Warning, fmt.Sprintf("the DKIM records of %s are not found (%s)", name, d.Status)
		f.Fix = "Publish the DKIM records as the SES console shows them."
		var records []string
		for _, token := range d.Tokens {
			records = append(records, fmt.Sprintf("%s._domainkey.%s CNAME %s.dkim.amazonses.com", token, name, token))
		}
		if d.SigningAttributesOrigin == types.DkimSigningAttributesOriginAwsSes && len(records) > 0 {
			f.Fix = "Publish: " + strings.Join(records, ", ")
		}
	}
	return f
}

func (s *Sender) examineSet(ctx context.Context, client *sesv2.Client) mailer.Finding {
	const check = "configuration set"
	out, err := client.GetConfigurationSet(ctx, &sesv2.GetConfigurationSetInput{ConfigurationSetName: &s.ConfigurationSetName})
	switch {
	case notFound(err):
		return mailer.Finding{Check: check, Level: mailer.Failure, Text: s.ConfigurationSetName + " does not exist in this region", Fix: s.notFoundHint()}
	case err != nil:
		return s.unread(check, "ses:GetConfigurationSet", err)
	case out.SendingOptions != nil && !out.SendingOptions.SendingEnabled:
		return mailer.Finding{Check: check, Level: mailer.Failure, Text: "sending is off in " + s.ConfigurationSetName, Fix: "Turn it on in the SES console."}
	}
	return mailer.Finding{Check: check, Level: mailer.OK, Text: s.ConfigurationSetName + " is there"}
}

// unread tells of something that could not be looked at.
func (s *Sender) unread(check, action string, err error) mailer.Finding {
	r := s.refusalOf(err)
	if r != nil && (r.code == "AccessDenied" || r.code == "AccessDeniedException") {
		return mailer.Finding{Check: check, Level: mailer.Warning, Text: "could not be looked at: " + r.Error(),
			Fix: "Allow " + action + " in the policy of this access key or role; mail goes without it."}
	}
	return failure(check, s.classify(err, ""))
}

func failure(check string, err error) mailer.Finding {
	f := mailer.Finding{Check: check, Level: mailer.Failure, Text: err.Error()}
	var e *mailer.SendError
	if errors.As(err, &e) {
		f.Text, f.Fix = e.Err.Error(), e.Hint
	}
	return f
}
