package mailer

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"idp/store"
)

// sesConnector is the connector whose mails SES tells of.
const sesConnector = "aws-ses-mail"

// sesEvent is what SES publishes: an event of a configuration set (eventType), or an
// identity's feedback notification (notificationType). The fields are those of "Contents
// of event data that Amazon SES publishes to Amazon SNS".
type sesEvent struct {
	EventType        string
	NotificationType string
	Mail             struct {
		MessageID string `json:"messageId"`
		Timestamp moment
	}
	Bounce struct {
		BounceType, BounceSubType string
		BouncedRecipients         []sesRecipient
		Timestamp                 moment
	}
	Complaint struct {
		ComplaintFeedbackType, ComplaintSubType string
		ComplainedRecipients                    []sesRecipient
		Timestamp                               moment
	}
	Delivery struct {
		SMTPResponse string `json:"smtpResponse"`
		Recipients   []string
		Timestamp    moment
	}
	DeliveryDelay struct {
		DelayType         string
		DelayedRecipients []sesRecipient
		Timestamp         moment
	}
	Reject  struct{ Reason string }
	Failure struct{ ErrorMessage string }
}

type sesRecipient struct {
	EmailAddress, Status, DiagnosticCode string
}

// moment is a time that may be missing or written in another way.
type moment struct{ time time.Time }

// UnmarshalJSON implements [json.Unmarshaler].
func (m *moment) UnmarshalJSON(text []byte) error {
	var s string
	if json.Unmarshal(text, &s) == nil {
		m.time, _ = time.Parse(time.RFC3339, s)
	}
	return nil
}

// parseEvent reads an event; false if it is none.
func parseEvent(text string) (sesEvent, bool) {
	var e sesEvent
	if json.Unmarshal([]byte(text), &e) != nil || e.Mail.MessageID == "" {
		return e, false
	}
	if e.EventType == "" {
		e.EventType = e.NotificationType
	}
	return e, e.EventType != ""
}

// feedback is what an event means to us; false: nothing (Send, Open, Click and the
// like). The addresses in it are used for one thing: to take them out of the words.
func (e *sesEvent) feedback() (store.Feedback, bool) {
	f := store.Feedback{Provider: e.Mail.MessageID, Sender: sesConnector}
	var words []string
	var recipients []sesRecipient
	switch e.EventType {
	case "Bounce":
		b := &e.Bounce
		f.Kind, f.At, recipients = store.FeedbackBounce, b.Timestamp.time, b.BouncedRecipients
		// SES does not even try an address on the account's list of suppressed ones.
		f.Permanent = b.BounceType == "Permanent" || b.BounceSubType == "OnAccountSuppressionList"
		words = []string{b.BounceType, b.BounceSubType}
	case "Complaint":
		c := &e.Complaint
		f.Kind, f.At, recipients = store.FeedbackComplaint, c.Timestamp.time, c.ComplainedRecipients
		words = []string{c.ComplaintFeedbackType, c.ComplaintSubType}
	case "Delivery":
		d := &e.Delivery
		f.Kind, f.At, words = store.FeedbackDelivery, d.Timestamp.time, []string{d.SMTPResponse}
		for _, to := range d.Recipients {
			recipients = append(recipients, sesRecipient{EmailAddress: to})
		}
	case "DeliveryDelay":
		d := &e.DeliveryDelay
		f.Kind, f.At, recipients, words = store.FeedbackDelay, d.Timestamp.time, d.DelayedRecipients, []string{d.DelayType}
	case "Reject":
		f.Kind, words = store.FeedbackReject, []string{e.Reject.Reason}
	case "Rendering Failure":
		f.Kind, words = store.FeedbackReject, []string{e.Failure.ErrorMessage}
	default:
		return f, false
	}
	for _, r := range recipients {
		if r.DiagnosticCode == "" {
			r.DiagnosticCode = r.Status
		}
		words = append(words, r.DiagnosticCode)
	}
	f.Detail = withoutAddresses(strings.Join(words, " "), recipients)
	return f, true
}

var anyAddress = regexp.MustCompile(`[^\s<>"'(),:;\[\]]+@[^\s<>"'(),:;\[\]]+`)

// anyPath is what follows the host of an address on the web: filters of mail quote the
// links that they do not like, and ours open something.
var anyPath = regexp.MustCompile(`(?i)(https?://[^\s/?#]+)[/?#][^\s]*`)

// withoutAddresses takes addresses out of a provider's words, and the names before the @
// of those that the mail was for: servers like to quote both.
func withoutAddresses(text string, recipients []sesRecipient) string {
	text = anyPath.ReplaceAllString(clean(text, 4*maxError), "$1/…")
	for _, r := range recipients {
		to := clean(r.EmailAddress, maxError)
		if local, _, _ := strings.Cut(to, "@"); local != "" {
			text = withoutAddress(text, store.Email(to))
			if len(local) > 2 {
				text = withoutName(text, local)
			}
		}
	}
	text = anyAddress.ReplaceAllString(text, "…")
	return clean(text, maxError)
}
