package ses

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"idp/mailer"
	"idp/mailer/mailbox"
	"idp/store"
)

// Config is the connector's configuration, with Logto's names. An empty field is
// one that is absent.
type Config struct {
	AccessKeyID     string `json:"accessKeyId,omitempty"`     // with its secret, or neither: the AWS credential chain
	AccessKeySecret string `json:"accessKeySecret,omitempty"` // of that access key
	Region          string `json:"region,omitempty"`          // "us-east-1"; the credential chain may know it

	EmailAddress            string `json:"emailAddress,omitempty"` // Name<a@b>, <a@b> or a@b
	EmailAddressIdentityARN string `json:"emailAddressIdentityArn,omitempty"`

	FeedbackForwardingEmailAddress            string `json:"feedbackForwardingEmailAddress,omitempty"`
	FeedbackForwardingEmailAddressIdentityARN string `json:"feedbackForwardingEmailAddressIdentityArn,omitempty"`

	ConfigurationSetName string `json:"configurationSetName,omitempty"`

	Templates []mailer.OwnTemplate `json:"templates,omitempty"` // nil: our own mails
}

var (
	regionForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`) // it becomes part of a host name
	setForm    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	arnForm    = regexp.MustCompile(`^arn:aws[a-z-]*:ses:[a-z0-9-]+:[0-9]{12}:identity/[!-~]+$`)
)

// settings is a configuration that was checked.
type settings struct {
	Config
	from     mailbox.Mailbox // zero: templates bring their own, or SES says what is missing
	feedback mailbox.Mailbox
	words    []store.MailTemplate
}

// parse checks a configuration. The error names the field and what to write there;
// it never quotes the keys.
func parse(text []byte) (settings, error) {
	var s settings
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s.Config); err != nil {
		return s, fmt.Errorf(`not {"accessKeyId": …, "accessKeySecret": …, "region": …, "emailAddress": …}: %w`, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return s, errors.New("there is more after the JSON object")
	}
	errs := []error{s.checkAccess()}
	var err error
	if s.from, err = optionalMailbox("emailAddress", s.EmailAddress); err != nil {
		errs = append(errs, err)
	}
	if s.feedback, err = optionalMailbox("feedbackForwardingEmailAddress", s.FeedbackForwardingEmailAddress); err != nil {
		errs = append(errs, err)
	}
	for field, arn := range map[string]string{
		"emailAddressIdentityArn": s.EmailAddressIdentityARN, "feedbackForwardingEmailAddressIdentityArn": s.FeedbackForwardingEmailAddressIdentityARN,
	} {
		if arn != "" && !arnForm.MatchString(arn) {
			errs = append(errs, fmt.Errorf("%s is %q: it looks like arn:aws:ses:us-east-1:123456789012:identity/example.com", field, arn))
		}
	}
	if s.ConfigurationSetName != "" && !setForm.MatchString(s.ConfigurationSetName) {
		errs = append(errs, fmt.Errorf("configurationSetName is %q: SES names them with letters, digits, - and _, 64 at most", s.ConfigurationSetName))
	}
	if s.words, err = mailer.OwnTemplates(s.Templates); err != nil {
		errs = append(errs, err)
	}
	return s, errors.Join(errs...)
}

// checkAccess checks the keys and the region.
func (c *Config) checkAccess() error {
	switch {
	case c.AccessKeyID == "" && c.AccessKeySecret != "":
		return errors.New("accessKeyId is missing beside accessKeySecret; leave both out to use the machine's AWS credentials (a role, an SSO profile)")
	case c.AccessKeyID != "" && c.AccessKeySecret == "":
		return errors.New("accessKeySecret is missing beside accessKeyId; leave both out to use the machine's AWS credentials (a role, an SSO profile)")
	case hasBlank(c.AccessKeyID):
		return errors.New("accessKeyId has a blank in it: copy it again, without what stands around it")
	case hasBlank(c.AccessKeySecret):
		return errors.New("accessKeySecret has a blank in it: copy it again, without what stands around it")
	case c.Region == "" && c.AccessKeyID != "":
		return errors.New("region is missing: the one in which the sender's address is verified, such as us-east-1")
	case c.Region != "" && !regionForm.MatchString(c.Region):
		return fmt.Errorf("region is %q: it looks like us-east-1", c.Region)
	}
	return nil
}

func hasBlank(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// optionalMailbox reads a field of the configuration; "" is the zero mailbox.
func optionalMailbox(field, text string) (mailbox.Mailbox, error) {
	if text == "" {
		return mailbox.Mailbox{}, nil
	}
	m, err := mailbox.Parse(text)
	if err != nil {
		return m, fmt.Errorf("%s %w: %s", field, err, mailbox.Form)
	}
	return m, nil
}
