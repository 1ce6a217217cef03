package feedback_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"idp/mailer"
	"idp/mailer/sns/snstest"
	"idp/store"
)

// event is what SES publishes of a mail.
func event(kind, provider, details string) string {
	return fmt.Sprintf(`{%s, "mail": {"messageId": %q, "timestamp": %q, "destination": [%q]}%s}`,
		kind, provider, time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), "somebody.else@example.com", details)
}

func hardBounce(provider string) string {
	return event(`"eventType": "Bounce"`, provider, `, "bounce": {"bounceType": "Permanent", "bounceSubType": "General",
		"bouncedRecipients": [{"emailAddress": "`+recipient+`", "action": "failed", "status": "5.1.1",
		"diagnosticCode": "smtp; 550 5.1.1 <`+recipient+`>: no mailbox Ada.Lovelace here"}], "timestamp": "2026-01-05T00:41:02.669Z"}`)
}

func TestEvents(t *testing.T) {
	t.Parallel()
	shared := snstest.New(t)
	for name, c := range map[string]struct {
		event      func(provider string) string
		state      string
		suppressed int
	}{
		"hard bounce": {hardBounce, "bounced", 1},
		"soft bounce": {func(p string) string {
			return event(`"eventType": "Bounce"`, p, `, "bounce": {"bounceType": "Transient", "bounceSubType": "MailboxFull"}`)
		}, "bounced", 0},
		"unclear bounce": {func(p string) string {
			return event(`"notificationType": "Bounce"`, p, `, "bounce": {"bounceType": "Undetermined", "bounceSubType": "Undetermined"}`)
		}, "bounced", 0},
		"on the account's list": {func(p string) string {
			return event(`"eventType": "Bounce"`, p, `, "bounce": {"bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList"}`)
		}, "bounced", 1},
		"old bounce": {func(p string) string {
			return strings.Replace(hardBounce(p), "eventType", "notificationType", 1)
		}, "bounced", 1},
		"complaint": {func(p string) string {
			return event(`"eventType": "Complaint"`, p, `, "complaint": {"complaintFeedbackType": "abuse", "complainedRecipients": [{"emailAddress": "x@example.com"}]}`)
		}, "complained", 1},
		"old complaint": {func(p string) string { return event(`"notificationType": "Complaint"`, p, `, "complaint": {}`) }, "complained", 1},
		"delivery": {func(p string) string {
			return event(`"eventType": "Delivery"`, p, `, "delivery": {"smtpResponse": "250 ok", "recipients": ["`+recipient+`"], "timestamp": "2026-01-05T00:41:02.669Z"}`)
		}, "delivered", 0},
		"old delivery": {func(p string) string { return event(`"notificationType": "Delivery"`, p, `, "delivery": {}`) }, "delivered", 0},
		"delay": {func(p string) string {
			return event(`"eventType": "DeliveryDelay"`, p, `, "deliveryDelay": {"delayType": "MailboxFull"}`)
		}, "delayed", 0},
		"reject": {func(p string) string {
			return event(`"eventType": "Reject"`, p, `, "reject": {"reason": "Bad content"}`)
		}, "rejected", 0},
		"no rendering": {func(p string) string {
			return event(`"eventType": "Rendering Failure"`, p, `, "failure": {"errorMessage": "x"}`)
		}, "rejected", 0},
		"send":       {func(p string) string { return event(`"eventType": "Send"`, p, `, "send": {}`) }, "sent", 0},
		"open":       {func(p string) string { return event(`"eventType": "Open"`, p, `, "open": {}`) }, "sent", 0},
		"unknown":    {func(p string) string { return event(`"eventType": "Teleport"`, p, ``) }, "sent", 0},
		"odd fields": {func(p string) string { return event(`"eventType": "Bounce"`, p, `, "bounce": {"timestamp": 7}`) }, "bounced", 0},
		"set-up":     {func(string) string { return "Successfully validated SNS topic for Amazon SES event publishing." }, "sent", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setupOn(t, shared, snstest.Topic)
			id := w.sent("m-1")
			w.post(w.Sign(w.Notification(c.event("m-1"))), 200)
			if got := w.state(id); got != c.state || w.suppressed() != c.suppressed {
				t.Errorf("state %s, %d suppressed; want %s, %d", got, w.suppressed(), c.state, c.suppressed)
			}
			if log := strings.ToLower(w.logged()); strings.Contains(log, "lovelace") || strings.Contains(log, "somebody") {
				t.Errorf("an address is logged:\n%s", log)
			}
			if d, _ := w.db.Delivery(t.Context(), id); strings.Contains(strings.ToLower(d.Feedback), "lovelace") {
				t.Errorf("an address is kept: %s", d.Feedback)
			}
		})
	}
}

// The address that is suppressed is the mail's.
func TestSuppressedAddressIsTheMails(t *testing.T) {
	t.Parallel()
	w := setup(t, snstest.Topic)
	w.sent("m-1")
	w.post(w.Sign(w.Notification(strings.ReplaceAll(hardBounce("m-1"), recipient, "victim@example.com"))), 200)
	list := mailer.NewSuppressions(w.db, w.ring)
	if one, err := list.Show(t.Context(), recipient); err != nil || one.Address != recipient || one.Reason != store.ReasonBounce {
		t.Errorf("%+v, %v", one, err)
	}
	if _, err := list.Show(t.Context(), "victim@example.com"); store.CodeOf(err) != store.NotFound {
		t.Errorf("victim: %v", err)
	}
}

// What a server quotes of a mail is kept out: its address however it is spelled, and
// where its links lead.
func TestQuotedSecrets(t *testing.T) {
	t.Parallel()
	w := setup(t, snstest.Topic)
	id := w.sent("m-1")
	w.post(w.Sign(w.Notification(event(`"eventType": "Bounce"`, "m-1", `, "bounce": {"bounceType": "Transient", "bouncedRecipients": [
		{"emailAddress": "`+recipient+`", "diagnosticCode": "554 ada.lovelace=40example.com: bad URL https://id.example.com/sign-in/link#c=opensit"}]}`))), 200)
	d, err := w.db.Delivery(t.Context(), id)
	w.must(err)
	if !strings.Contains(d.Feedback, "bad URL https://id.example.com/…") || strings.Contains(d.Feedback, "lovelace") {
		t.Errorf("kept %q", d.Feedback)
	}
}
