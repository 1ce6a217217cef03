package sns_test

import (
	"encoding/json"
	"strings"
	"testing"

	"idp/mailer/sns"
	"idp/mailer/sns/snstest"
)

// Whatever is posted, nobody but SNS is asked for anything, and only what SNS has signed
// is believed.
func FuzzEnvelope(f *testing.F) {
	s := snstest.New(f)
	v := sns.New(sns.Config{Topics: topics(f), Transport: s, Roots: s.Roots})
	signed := map[string]bool{}
	for _, m := range []snstest.Message{s.Notification("x"), s.Notification("{}\n"), s.Confirmation("token"), {
		"Type": "Notification", "MessageId": "1-a", "TopicArn": snstest.Topic, "Message": "m", "Subject": "s", "Timestamp": "2026-01-31T09:30:00.000Z", "SignatureVersion": "1", "SigningCertURL": snstest.CertURL,
	}} {
		body := s.Sign(m)
		signed[m["Signature"]] = true
		f.Add(body)
		m["SigningCertURL"] = "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef.pem"
		f.Add(m.Body())
	}
	f.Add([]byte(`{"Type":"Notification","type":"SubscriptionConfirmation"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := sns.Parse(body)
		if err != nil {
			return
		}
		if strings.ContainsAny(m.MessageID+m.TopicARN+m.Timestamp+m.Token, " \r\n\x00") || m.At.IsZero() {
			t.Fatalf("%q passes: %+v", body, m)
		}
		if v.Verify(t.Context(), m) == nil && !signed[m.Signature] {
			t.Fatalf("%q is believed", body)
		}
		if all := s.Asked(); len(all) > 0 {
			asked := all[len(all)-1]
			if !strings.HasPrefix(asked, "https://"+snstest.Host+"/SimpleNotificationService-") && !strings.HasPrefix(asked, "http://crt.r2m01.amazontrust.com/") {
				t.Fatalf("%q makes us ask %s", body, asked)
			}
		}
	})
}

// A signature is over one message: the text that was signed cannot be cut into fields
// in another way and still pass.
func FuzzRecut(f *testing.F) {
	f.Add("text", "id-1", "subject", true)
	f.Add("A\nMessageId\nX\nSubject\nfoo", "id-1", "", false)
	f.Fuzz(func(t *testing.T, text, id, subject string, has bool) {
		made := cut{text: text, id: id}
		if has {
			made.subject, made.has = subject, true
		}
		if made.parse() != nil {
			return
		}
		for _, other := range recuts(made.signed()) {
			if other != made && other.signed() == made.signed() && other.parse() == nil {
				t.Fatalf("%+v passes under the signature of %+v", other, made)
			}
		}
	})
}

// cut is a notification, less what is the same in all of them.
type cut struct {
	text, id, subject string
	has               bool // a subject
}

const recutAt = "2026-01-31T09:30:00.000Z"

func (c cut) parse() error {
	m := map[string]any{"Type": "Notification", "MessageId": c.id, "TopicArn": snstest.Topic, "Message": c.text, "Timestamp": recutAt}
	if c.has {
		m["Subject"] = c.subject
	}
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	got, err := sns.Parse(body)
	if err == nil && (got.Message != c.text || got.MessageID != c.id) { // bytes that JSON has changed
		return sns.ErrMalformed
	}
	return err
}

// signed is the text that SNS signs, without the lines that end it.
func (c cut) signed() string {
	text := "Message\n" + c.text + "\nMessageId\n" + c.id + "\n"
	if c.has {
		text += "Subject\n" + c.subject + "\n"
	}
	return text
}

// recuts are the messages that a signed text can be read as.
func recuts(signed string) (all []cut) {
	rest, _ := strings.CutPrefix(signed, "Message\n")
	for at := 0; ; at++ {
		i := strings.Index(rest[at:], "\nMessageId\n")
		if i < 0 {
			return all
		}
		at += i
		text, tail := rest[:at], strings.TrimSuffix(rest[at+len("\nMessageId\n"):], "\n")
		all = append(all, cut{text: text, id: tail})
		for from := 0; ; from++ {
			j := strings.Index(tail[from:], "\nSubject\n")
			if j < 0 {
				break
			}
			from += j
			all = append(all, cut{text, tail[:from], tail[from+len("\nSubject\n"):], true})
		}
	}
}

func topics(t testing.TB) []sns.Topic {
	t.Helper()
	topic, err := sns.ParseTopic(snstest.Topic)
	if err != nil {
		t.Fatal(err)
	}
	return []sns.Topic{topic}
}
