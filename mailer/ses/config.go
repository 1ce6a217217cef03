package ses

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

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

	Templates []Template `json:"templates,omitempty"` // nil: our own mails
}

// Template is one mail of the operator's wording. Logto knows the first three fields.
type Template struct {
	UsageType   string `json:"usageType"`
	Subject     string `json:"subject"`
	Content     string `json:"content"`
	ContentType string `json:"contentType,omitempty"` // "text/html" unless "text/plain"
	ReplyTo     string `json:"replyTo,omitempty"`
	SendFrom    string `json:"sendFrom,omitempty"`
}

// required are the usage types that Logto asks templates for, in its order.
var required = []store.Usage{store.UsageRegister, store.UsageSignIn, store.UsageForgotPassword, store.UsageGeneric}

// maxTemplate bounds a template's content. Gmail cuts what is longer than 102 kB
// off, and the code with it.
const maxTemplate = 100 << 10

var (
	regionForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`) // it becomes part of a host name
	setForm    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	arnForm    = regexp.MustCompile(`^arn:aws[a-z-]*:ses:[a-z0-9-]+:[0-9]{12}:identity/[!-~]+$`)
)

// settings is a configuration that was checked.
type settings struct {
	Config
	from     mailbox // zero: templates bring their own, or SES says what is missing
	feedback mailbox
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
	errs = append(errs, checkTemplates(s.Templates))
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

// checkTemplates makes sure that every mail can be worded, with Logto's own words
// where one is missing.
func checkTemplates(templates []Template) error {
	if templates == nil {
		return nil
	}
	var missing []string
	for _, usage := range required {
		if !slices.ContainsFunc(templates, func(t Template) bool { return t.UsageType == string(usage) }) {
			missing = append(missing, string(usage))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("Template with UsageType (%s) should be provided!", strings.Join(missing, ", ")) //nolint:staticcheck,revive // Logto's words
	}
	var errs []error
	for i, t := range templates {
		if err := t.check(); err != nil {
			errs = append(errs, fmt.Errorf("templates[%d] (%s): %w", i, t.UsageType, err))
		}
	}
	return errors.Join(errs...)
}

func (t *Template) check() error {
	switch {
	case t.UsageType == "":
		return errors.New("usageType is missing")
	case strings.TrimSpace(t.Subject) == "":
		return errors.New("subject is missing")
	case hasControl(t.Subject):
		return errors.New("subject has a line break or another control character in it")
	case strings.TrimSpace(t.Content) == "":
		return errors.New("content is missing")
	case len(t.Content) > maxTemplate:
		return fmt.Errorf("content is %d kB: %d kB at most, mail programs cut off what is longer", len(t.Content)>>10, maxTemplate>>10)
	case t.ContentType != "" && t.ContentType != "text/html" && t.ContentType != "text/plain":
		return fmt.Errorf("contentType is %q: text/html or text/plain", t.ContentType)
	}
	for field, value := range map[string]string{"replyTo": t.ReplyTo, "sendFrom": t.SendFrom} {
		if strings.Contains(value, "{{") && !hasControl(value) {
			continue // known only once the mail is written; then it is looked at
		}
		if _, err := optionalMailbox(field, value); err != nil {
			return err
		}
	}
	return nil
}

// mailTemplates gives the templates as the mailer takes them. As with Logto, the first
// of a usage counts.
func (c *Config) mailTemplates() (out []store.MailTemplate) {
	for _, t := range c.Templates {
		usage := store.Usage(t.UsageType)
		if slices.ContainsFunc(out, func(have store.MailTemplate) bool { return have.Usage == usage }) {
			continue
		}
		kind := t.ContentType
		if kind == "" {
			kind = "text/html"
		}
		out = append(out, store.MailTemplate{Usage: usage, Subject: t.Subject, Content: t.Content, ContentType: kind,
			ReplyTo: t.ReplyTo, SendFrom: t.SendFrom})
	}
	return out
}
