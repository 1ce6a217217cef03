package mailer

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"idp/store"
)

// OwnTemplate is a template in the configuration of a connector, as Logto's connectors have
// it; replyTo and sendFrom are our addition.
type OwnTemplate struct {
	UsageType   string `json:"usageType"`
	Subject     string `json:"subject"`
	Content     string `json:"content"`
	ContentType string `json:"contentType,omitempty"` // "text/html" unless "text/plain"
	ReplyTo     string `json:"replyTo,omitempty"`
	SendFrom    string `json:"sendFrom,omitempty"`
}

// required are the usages that Logto asks templates for, in its order. Generic stands in for every
// other one.
var required = []store.Usage{store.UsageRegister, store.UsageSignIn, store.UsageForgotPassword, store.UsageGeneric}

func (o OwnTemplate) template() store.MailTemplate {
	return store.MailTemplate{Usage: store.Usage(o.UsageType), Subject: o.Subject, Content: o.Content,
		ContentType: cmp.Or(o.ContentType, typeHTML), ReplyTo: o.ReplyTo, SendFrom: o.SendFrom}
}

// OwnWarnings tells what is probably not meant in the templates of a connector, which works as
// it does with Logto all the same.
func OwnWarnings(list []OwnTemplate) (warnings []string) {
	for _, o := range list {
		said, _ := CheckTemplate(o.template(), false) // errors are those of OwnTemplates
		for _, w := range said {
			warnings = append(warnings, o.UsageType+": "+w)
		}
	}
	return warnings
}

// OwnTemplates checks the templates of a connector, less strictly than an operator's
// ([CheckTemplate]), and gives them as [Templated] does: none for nil, which means our own mails. As
// with Logto, all mails have to be worded if one is, with Logto's own words where one is
// missing, and the first template of a usage counts.
func OwnTemplates(list []OwnTemplate) ([]store.MailTemplate, error) {
	if list == nil {
		return nil, nil
	}
	var found []store.MailTemplate
	has := func(usage store.Usage) bool {
		return slices.ContainsFunc(found, func(t store.MailTemplate) bool { return t.Usage == usage })
	}
	var errs []error
	for i, o := range list {
		t := o.template()
		_, err := CheckTemplate(t, false)
		if o.UsageType == "" {
			err = errors.New("usageType is missing")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("templates[%d] (%s): %w", i, o.UsageType, err))
		}
		if !has(t.Usage) {
			found = append(found, t)
		}
	}
	var missing []string
	for _, usage := range required {
		if !has(usage) {
			missing = append(missing, string(usage))
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("Template with UsageType (%s) should be provided!", strings.Join(missing, ", ")) //nolint:staticcheck,revive // Logto's words
	}
	return found, errors.Join(errs...)
}
