package sestest

import (
	"encoding/json"
	"net/http"
	"net/mail"
	"strings"
	"time"
)

// request is the body of SendEmail, as far as it is read.
type request struct {
	FromEmailAddress               string
	FromEmailAddressIdentityArn    string //nolint:revive // the API's name
	FeedbackForwardingEmailAddress string
	ConfigurationSetName           string
	ReplyToAddresses               []string
	Destination                    struct{ ToAddresses, CcAddresses, BccAddresses []string }
	Content                        struct{ Simple *simple }
}

type simple struct {
	Subject content
	Body    struct{ Text, Html *content } //nolint:revive // the API's name
	Headers []struct{ Name, Value string }
}

type content struct{ Data, Charset string }

// send answers SendEmail.
func (s *Server) send(w http.ResponseWriter, r *http.Request, body []byte) {
	s.requests.Add(1)
	m, f := s.read(body)
	if f == OK {
		m.UserAgent = r.UserAgent()
		f = s.fault(m)
	}
	if s.options.Latency > 0 {
		time.Sleep(s.options.Latency)
	}
	switch f.Break {
	case Hangs:
		select {
		case <-r.Context().Done():
		case <-s.hung:
		}
		reset(w)
	case Resets:
		reset(w)
	case TakesResets:
		s.keep(&m, false)
		reset(w)
	default:
		if f != OK {
			answer(w, f)
			return
		}
		s.keep(&m, true)
		write(w, http.StatusOK, map[string]string{"MessageId": m.ID})
	}
}

// read checks a mail as SES does.
func (s *Server) read(body []byte) (Mail, Fault) {
	var in request
	if err := json.Unmarshal(body, &in); err != nil {
		return Mail{}, Fault{Status: 400, Code: "SerializationException", Message: err.Error()}
	}
	to := append(append(in.Destination.ToAddresses, in.Destination.CcAddresses...), in.Destination.BccAddresses...)
	c := in.Content.Simple
	switch {
	case c == nil:
		return Mail{}, bad("Content has no Simple message")
	case len(to) != 1:
		return Mail{}, bad("Destination has not one address") // SES takes more; a code has one reader
	case in.FromEmailAddress == "":
		return Mail{}, bad("FromEmailAddress is missing")
	case c.Subject.Data == "":
		return Mail{}, bad("Subject is missing")
	case strings.ContainsAny(c.Subject.Data, "\r\n"):
		return Mail{}, bad("Subject has a line break")
	case c.Body.Text == nil && c.Body.Html == nil:
		return Mail{}, bad("Body is missing")
	}
	for _, one := range append(append([]string{in.FromEmailAddress}, to...), in.ReplyToAddresses...) {
		if _, err := mail.ParseAddress(one); err != nil || !printable(one) {
			return Mail{}, bad("Illegal address")
		}
	}
	m := Mail{
		From: in.FromEmailAddress, To: to[0], ReplyTo: in.ReplyToAddresses, Subject: c.Subject.Data, Set: in.ConfigurationSetName,
		FromARN: in.FromEmailAddressIdentityArn, Feedback: in.FeedbackForwardingEmailAddress, Headers: map[string]string{},
	}
	for _, h := range c.Headers {
		if !printable(h.Name) || !printable(h.Value) || strings.ContainsAny(h.Name, ": ") {
			return Mail{}, bad("Invalid header")
		}
		m.Headers[h.Name] = h.Value
	}
	if c.Body.Text != nil {
		m.Text = c.Body.Text.Data
	}
	if c.Body.Html != nil {
		m.HTML = c.Body.Html.Data
	}
	if !s.options.Discard {
		m.Payload = body
	}
	return m, s.known(m)
}

func bad(message string) Fault {
	return Fault{Status: 400, Code: "BadRequestException", Message: message}
}

// printable tells whether text is printable ASCII.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// known checks a mail against the account, the identities and the configuration sets
// that were set.
func (s *Server) known(m Mail) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.Set != "" && len(s.sets) > 0 && !s.sets[m.Set] {
		return Fault{Status: 404, Code: "NotFoundException", Message: "Configuration set <" + m.Set + "> does not exist."}
	}
	if !s.account.SendingEnabled {
		return Paused
	}
	if len(s.identities) == 0 {
		return OK
	}
	check := []string{m.From}
	if !s.account.ProductionAccessEnabled {
		check = append(check, m.To)
	}
	var failed []string
	for _, one := range check {
		a, err := mail.ParseAddress(one)
		if err != nil || !s.verified(a.Address) {
			failed = append(failed, one)
		}
	}
	if len(failed) > 0 {
		return NotVerified(s.options.Region, failed...)
	}
	return OK
}

// verified tells whether an address, its domain or one above is an identity.
func (s *Server) verified(address string) bool {
	if s.identities[address].Verified {
		return true
	}
	for _, domain, ok := strings.Cut(strings.ToLower(address), "@"); ok; _, domain, ok = strings.Cut(domain, ".") {
		if s.identities[domain].Verified {
			return true
		}
	}
	return false
}
