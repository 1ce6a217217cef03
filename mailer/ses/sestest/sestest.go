// Package sestest is an Amazon SES to test with: the part of its v2 API that
// mailer/ses uses, on loopback. It verifies each request's signature with the AWS SDK's
// own signer, checks the mail as SES would, keeps what it took, and can be told to fail
// in each of the ways that SES does.
//
//	fake := sestest.Start(sestest.Options{})
//	defer fake.Close()
//	sender, err := ses.Factory(ses.Options{Endpoint: fake.URL})(fake.Config(nil))
//	fake.Next(sestest.Throttled, sestest.Reset) // meet the next two mails
//	…
//	fake.Mails()
package sestest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Options are what a fake accepts. Zero fields have the defaults.
type Options struct {
	AccessKeyID     string // "AKIAIOSFODNN7EXAMPLE"
	AccessKeySecret string
	Region          string        // "us-east-1"
	Discard         bool          // count mails and keep none: for load
	Latency         time.Duration // of each answer to a mail
	Now             func() time.Time
}

// Server is a fake SES. Its methods are safe for concurrent use.
type Server struct {
	*httptest.Server
	options Options
	access  aws.Credentials
	signer  *v4.Signer

	accepted, requests atomic.Int64

	mu         sync.Mutex
	mails      []Mail
	next       []Fault
	always     Fault
	decide     func(Mail) Fault
	account    Account
	identities map[string]Identity
	sets       map[string]bool
	denied     map[string]bool
	hung       chan struct{} // closed when the server ends
	ended      sync.Once
}

// Mail is one that was taken.
type Mail struct {
	ID        string // SES's message id
	From      string // FromEmailAddress, as it was sent
	To        string
	ReplyTo   []string
	Subject   string
	Text      string
	HTML      string
	Headers   map[string]string
	Set       string // ConfigurationSetName
	FromARN   string
	Feedback  string // FeedbackForwardingEmailAddress
	Payload   json.RawMessage
	Answered  bool // false: taken, and the answer was lost
	At        time.Time
	UserAgent string
}

// Start starts a fake that everything is well with. It takes mails of every sender until
// [Server.SetIdentity] is called.
func Start(o Options) *Server {
	if o.AccessKeyID == "" {
		o.AccessKeyID = "AKIAIOSFODNN7EXAMPLE"
	}
	if o.AccessKeySecret == "" {
		o.AccessKeySecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" // of AWS's own documentation
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{
		options: o, access: aws.Credentials{AccessKeyID: o.AccessKeyID, SecretAccessKey: o.AccessKeySecret}, signer: v4.NewSigner(),
		account:    Account{SendingEnabled: true, ProductionAccessEnabled: true, EnforcementStatus: "HEALTHY", MaxSendRate: 14, Max24HourSend: 50000},
		identities: map[string]Identity{}, sets: map[string]bool{}, denied: map[string]bool{}, hung: make(chan struct{}),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v2/email/outbound-emails", s.signed("SendEmail", s.send))
	mux.HandleFunc("GET /v2/email/account", s.signed("GetAccount", s.getAccount))
	mux.HandleFunc("GET /v2/email/identities/{name}", s.signed("GetEmailIdentity", s.getIdentity))
	mux.HandleFunc("GET /v2/email/configuration-sets/{name}", s.signed("GetConfigurationSet", s.getSet))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, Fault{Status: http.StatusNotFound, Code: "UnknownOperationException"})
	})
	s.Server = httptest.NewServer(mux)
	return s
}

// Close ends the server, and requests that hang.
func (s *Server) Close() {
	s.ended.Do(func() { close(s.hung) })
	s.Server.Close()
}

// Config gives a configuration for the connector that this server takes, with fields
// on top; a nil value takes a field out.
func (s *Server) Config(fields map[string]any) []byte {
	config := map[string]any{
		"accessKeyId": s.options.AccessKeyID, "accessKeySecret": s.options.AccessKeySecret, "region": s.options.Region,
		"emailAddress": "Example<no-reply@example.com>",
	}
	for field, value := range fields {
		if config[field] = value; value == nil {
			delete(config, field)
		}
	}
	text, err := json.Marshal(config)
	if err != nil {
		panic(err)
	}
	return text
}

// Mails gives what was taken, in order; nil with Options.Discard.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// Accepted is how many mails were taken.
func (s *Server) Accepted() int { return int(s.accepted.Load()) }

// Requests is how many mails were offered, whatever became of them.
func (s *Server) Requests() int { return int(s.requests.Load()) }

// Next has the mails that come next meet these faults, one each.
func (s *Server) Next(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, faults...)
}

// Always has all mails that no other rule is for meet a fault, [OK] again none.
func (s *Server) Always(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.always = f
}

// Decide has a function choose what each mail meets, before the other rules.
func (s *Server) Decide(f func(Mail) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.decide = f
}

// fault chooses what a mail meets.
func (s *Server) fault(m Mail) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.decide != nil {
		if f := s.decide(m); f != OK {
			return f
		}
	}
	if len(s.next) > 0 {
		f := s.next[0]
		s.next = s.next[1:]
		return f
	}
	return s.always
}

// keep takes a mail.
func (s *Server) keep(m *Mail, answered bool) {
	n := s.accepted.Add(1)
	m.At, m.Answered = s.options.Now(), answered
	m.ID = fmt.Sprintf("%016x-%08x-1f4a-4d3e-9b1c-%012x-000000", m.At.UnixMilli(), n, n)
	if s.options.Discard {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, *m)
}
