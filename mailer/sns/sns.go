// Package sns reads what Amazon SNS posts to an HTTPS endpoint, and believes it only
// when SNS has signed it.
//
// Whoever knows the endpoint's address can post there, so a message counts only if
//
//   - its topic is one that the operator named,
//   - its certificate comes from https://sns.REGION.amazonaws.com, REGION being the
//     topic's: no other host is ever asked, whatever the message says,
//   - that certificate is SNS's: in its time, for SNS's name, chained to a public root,
//   - and the signature over the message is by that certificate's key.
//
// The format is the one of "Verifying the signatures of Amazon SNS messages" in the
// developer guide. Raw message delivery carries no signature and is refused.
package sns

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Type is what a message is.
type Type string

// The types.
const (
	Notification             Type = "Notification"
	SubscriptionConfirmation Type = "SubscriptionConfirmation"
	UnsubscribeConfirmation  Type = "UnsubscribeConfirmation"
)

// Message is what SNS posts.
type Message struct {
	Type             Type
	MessageID        string `json:"MessageId"`
	TopicARN         string `json:"TopicArn"`
	Subject          *string
	Message          string
	Timestamp        string
	SignatureVersion string
	Signature        string
	SigningCertURL   string
	Token            string
	SubscribeURL     string

	At    time.Time `json:"-"` // Timestamp, read
	Topic Topic     `json:"-"` // TopicARN, read
}

// Errors of this package. All but ErrMalformed and ErrUnreachable mean that the
// message is not to be believed.
var (
	ErrMalformed   = errors.New("not an SNS message")
	ErrTopic       = errors.New("the topic is not one of those that are set")
	ErrCertificate = errors.New("the certificate is not one of SNS")
	ErrSignature   = errors.New("the signature is wrong")
	ErrUnreachable = errors.New("SNS does not answer")
)

// isWord tells what ids and tokens are. The text that is signed parts fields by line
// breaks only: were one allowed in an id, a message could be told anew with its subject
// moved into the id, under the same signature, and pass for another one. For the same
// reason a subject has one line: only Message may have more, and what follows it is told
// from the end of the text.
func isWord(s string) bool { return len(s) <= 1000 && oneWord.MatchString(s) }

var oneWord = regexp.MustCompile(`^[0-9A-Za-z_-]+$`) // a bound of 1000 in it would be 900 kB of memory

// Parse reads a message; nothing in it is to be believed yet. The error is
// [ErrMalformed].
func Parse(body []byte) (Message, error) {
	var m Message
	if err := json.Unmarshal(body, &m); err != nil {
		return m, fmt.Errorf("%w: no JSON of its shape", ErrMalformed)
	}
	switch m.Type {
	case Notification:
	case SubscriptionConfirmation, UnsubscribeConfirmation:
		if !isWord(m.Token) {
			return m, fmt.Errorf("%w: no token", ErrMalformed)
		}
	default:
		return m, fmt.Errorf("%w: unknown type", ErrMalformed)
	}
	var err error
	if m.At, err = time.Parse(time.RFC3339, m.Timestamp); err != nil || m.At.IsZero() {
		return m, fmt.Errorf("%w: no timestamp", ErrMalformed)
	}
	if m.Topic, err = ParseTopic(m.TopicARN); err != nil {
		return m, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if !isWord(m.MessageID) {
		return m, fmt.Errorf("%w: no id", ErrMalformed)
	}
	if strings.Contains(m.SubscribeURL, "\n") || m.Subject != nil && strings.Contains(*m.Subject, "\n") {
		return m, fmt.Errorf("%w: more than one line where SNS writes one", ErrMalformed)
	}
	return m, nil
}

// signed is the text that the signature is over: name and value of each field, a line
// each, in this order. A notification without a subject has no line for it.
func (m *Message) signed() []byte {
	fields := []string{"Message", m.Message, "MessageId", m.MessageID}
	if m.Type == Notification {
		if m.Subject != nil {
			fields = append(fields, "Subject", *m.Subject)
		}
		fields = append(fields, "Timestamp", m.Timestamp)
	} else {
		fields = append(fields, "SubscribeURL", m.SubscribeURL, "Timestamp", m.Timestamp, "Token", m.Token)
	}
	fields = append(fields, "TopicArn", m.TopicARN, "Type", string(m.Type))
	var text []byte
	for _, f := range fields {
		text = append(append(text, f...), '\n')
	}
	return text
}

func (m *Message) signature() ([]byte, error) {
	s, err := base64.StdEncoding.DecodeString(m.Signature)
	if err != nil || len(s) == 0 {
		return nil, fmt.Errorf("%w: it is missing or no base64", ErrSignature)
	}
	return s, nil
}
