// Package ses is the sender of Amazon SES, the connector aws-ses-mail. Its
// configuration has Logto's form, and SES gets the request that Logto's connector
// would make, plus a text part and the mark of an automatic mail
// (docs/decisions/0015-ses.md; a test in e2e compares the two).
//
// It is one request a mail, over kept connections, with 3 seconds at most and no
// retries: the queue owns those, by the class that [classify] finds in SES's words.
// This package alone knows the AWS SDK. [idp/mailer/ses/sestest] is an SES to test with.
package ses

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"idp/mailer"
	"idp/mailer/mailbox"
	"idp/store"
	"idp/store/address"
)

// ID is the connector's id.
const ID = "aws-ses-mail"

// requestTimeout bounds one request. SES answers in 50 to 200 ms.
const requestTimeout = 3 * time.Second

// Options are what the configuration does not say.
type Options struct {
	Endpoint string // of the API, instead of the region's; https, or http to this machine
}

// Sender sends through SES. It is safe for concurrent use.
type Sender struct {
	settings
	endpoint string
	http     *http.Client
	timeout  time.Duration

	mu     sync.Mutex
	client *sesv2.Client // nil until the first request
	access aws.CredentialsProvider
}

var _ interface {
	mailer.Sender
	mailer.Templated
	mailer.Rated
	mailer.Examined
	mailer.Addressed
	mailer.Closer
} = (*Sender)(nil)

// New is the connector's [mailer.Factory] for AWS's own endpoints.
func New(config []byte) (mailer.Sender, error) { return Factory(Options{})(config) }

// Factory makes a [mailer.Factory].
func Factory(o Options) mailer.Factory {
	return func(config []byte) (mailer.Sender, error) {
		if err := CheckEndpoint(o.Endpoint); err != nil {
			return nil, err
		}
		s, err := parse(config)
		if err != nil {
			return nil, err
		}
		return &Sender{settings: s, endpoint: o.Endpoint, http: newHTTPClient(), timeout: requestTimeout}, nil
	}
}

// Templates gives the mails that the configuration words, nil if it has none.
func (s *Sender) Templates() []store.MailTemplate { return s.words }

// Address gives the sender's address, "" if the configuration names none.
func (s *Sender) Address() string { return s.from.Address }

// Send hands one mail to SES.
func (s *Sender) Send(ctx context.Context, m mailer.Rendered) (mailer.Receipt, error) {
	in, err := s.input(m)
	if err != nil {
		return mailer.Receipt{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	client, err := s.connect(ctx)
	if err != nil {
		return mailer.Receipt{}, err
	}
	ctx, connected := mailer.Connected(ctx)
	out, err := client.SendEmail(ctx, in)
	if err != nil {
		failed := s.classify(err, m.To)
		failed.Unsure = s.mayHaveSent(err, connected())
		return mailer.Receipt{}, failed
	}
	return mailer.Receipt{Provider: aws.ToString(out.MessageId)}, nil
}

// charset of everything: without one SES takes a text for ASCII.
var charset = aws.String("UTF-8")

// input is the request for a mail.
func (s *Sender) input(m mailer.Rendered) (*sesv2.SendEmailInput, error) {
	to, err := address.Parse(m.To)
	if err != nil {
		return nil, &mailer.SendError{Class: mailer.Refused, Err: err}
	}
	message := &types.Message{
		Subject: &types.Content{Data: aws.String(mailbox.OneLine(m.Subject)), Charset: charset},
		Body:    &types.Body{},
		Headers: automatic,
	}
	if m.HTML != "" {
		message.Body.Html = &types.Content{Data: &m.HTML, Charset: charset}
	}
	if m.Text != "" {
		message.Body.Text = &types.Content{Data: &m.Text, Charset: charset}
	}
	in := &sesv2.SendEmailInput{
		Destination:                    &types.Destination{ToAddresses: []string{string(to)}},
		Content:                        &types.EmailContent{Simple: message},
		FromEmailAddressIdentityArn:    optional(s.EmailAddressIdentityARN),
		FeedbackForwardingEmailAddress: optional(s.feedback.Text()),
		FeedbackForwardingEmailAddressIdentityArn: optional(s.FeedbackForwardingEmailAddressIdentityARN),
		ConfigurationSetName:                      optional(s.ConfigurationSetName),
		ConfigurationOverrides:                    untracked,
	}
	from := s.from
	switch {
	case m.Sender != "":
		if from, err = optionalMailbox("the sender of a template", m.Sender); err != nil {
			return nil, &mailer.SendError{Class: mailer.Misconfigured, Err: err, Hint: "Mend sendFrom of the template."}
		}
		if from.Domain() != s.from.Domain() {
			in.FromEmailAddressIdentityArn = nil // it speaks of the other domain
		}
	case from.Address != "" && from.Name == "" && s.Config.Templates == nil:
		from = from.Named(m.From) // with templates, the mail is Logto's: no name was asked for
	}
	in.FromEmailAddress = optional(from.Text())
	if m.ReplyTo != "" {
		reply, err := optionalMailbox("the reply address of a template", m.ReplyTo)
		if err != nil {
			return nil, &mailer.SendError{Class: mailer.Misconfigured, Err: err, Hint: "Mend replyTo of the template."}
		}
		in.ReplyToAddresses = []string{reply.Text()}
	}
	return in, nil
}

// automatic keeps out-of-office replies away (RFC 3834 section 5).
var automatic = []types.MessageHeader{{Name: aws.String("Auto-Submitted"), Value: aws.String("auto-generated")}}

// untracked turns off for these mails what the configuration set may do to others: a
// rewritten link in a mail about signing in looks like a trap, and gives the link to one
// party more.
var untracked = &types.ConfigurationOverrides{Tracking: &types.TrackingConfigurationOverrides{
	ClickTrackingEnabled: types.FeatureStatusDisabled, OpenTrackingEnabled: types.FeatureStatusDisabled,
}}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Close lets go of the connections.
func (s *Sender) Close() error {
	s.http.CloseIdleConnections()
	return nil
}
