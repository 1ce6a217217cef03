package smtp

import (
	"fmt"
	"slices"
	"strings"

	"idp/store"
)

// template is one of a connector's own wordings, as Logto's configuration has it.
type template struct {
	UsageType   string `json:"usageType"`
	Subject     string `json:"subject"`
	Content     string `json:"content"`
	ContentType string `json:"contentType"` // "text/html" unless set
}

// required are the usages that a list of templates has to have; Generic stands in for
// every other one.
var required = []store.Usage{store.UsageRegister, store.UsageSignIn, store.UsageForgotPassword, store.UsageGeneric}

// maxTemplate bounds one template: large mailboxes cut a mail above 100 kB.
const maxTemplate = 100 << 10

// parseTemplates checks the templates; none are given if list is nil.
func parseTemplates(list *[]template) ([]store.MailTemplate, error) {
	if list == nil {
		return nil, nil
	}
	var found []store.MailTemplate
	has := func(usage store.Usage) bool {
		return slices.ContainsFunc(found, func(t store.MailTemplate) bool { return t.Usage == usage })
	}
	for i, t := range *list {
		usage := store.Usage(t.UsageType)
		kind := t.ContentType
		if kind == "" {
			kind = "text/html"
		}
		switch {
		case usage == "":
			return nil, fmt.Errorf("templates[%d].usageType is missing", i)
		case has(usage):
			return nil, fmt.Errorf("templates[%d]: there is another template for %s", i, usage)
		case kind != "text/html" && kind != "text/plain":
			return nil, fmt.Errorf("templates[%d].contentType has to be text/html or text/plain", i)
		case strings.TrimSpace(t.Subject) == "" || t.Subject != line(t.Subject):
			return nil, fmt.Errorf("templates[%d].subject has to be one line of text", i)
		case strings.TrimSpace(t.Content) == "":
			return nil, fmt.Errorf("templates[%d].content is missing", i)
		case len(t.Subject) > 1000 || len(t.Content) > maxTemplate:
			return nil, fmt.Errorf("templates[%d] is longer than %d kB: mailboxes would cut the mail", i, maxTemplate>>10)
		}
		found = append(found, store.MailTemplate{Usage: usage, Subject: t.Subject, Content: t.Content, ContentType: kind})
	}
	var missing []string
	for _, usage := range required {
		if !has(usage) {
			missing = append(missing, string(usage))
		}
	}
	if len(missing) > 0 { // Logto's words
		return nil, fmt.Errorf("Template with UsageType (%s) should be provided!", strings.Join(missing, ", ")) //nolint:staticcheck,revive // Logto's words
	}
	return found, nil
}
