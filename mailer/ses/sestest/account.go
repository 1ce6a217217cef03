package sestest

import "net/http"

// Account is what GetAccount answers.
type Account struct {
	SendingEnabled          bool
	ProductionAccessEnabled bool   // out of the sandbox
	EnforcementStatus       string // HEALTHY, PROBATION or SHUTDOWN
	MaxSendRate             float64
	Max24HourSend           float64
	SentLast24Hours         float64
}

// Identity is an address or a domain that mails may come from.
type Identity struct {
	Verified       bool
	Status         string // VerificationStatus; by Verified if empty
	DKIM           string // DkimAttributes.Status: "SUCCESS" unless set; "OFF" switches it off
	Tokens         []string
	MailFromDomain string
	MailFromStatus string
}

// SetAccount sets what GetAccount answers. With sending disabled mails are refused; in
// the sandbox with identities set, those to unverified addresses.
func (s *Server) SetAccount(a Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account = a
}

// SetIdentity makes an identity. From the first on, mails of other senders are refused.
func (s *Server) SetIdentity(name string, i Identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identities[name] = i
}

// AddConfigurationSet makes a configuration set. From the first on, mails with another
// are refused.
func (s *Server) AddConfigurationSet(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sets[name] = true
}

// Deny has an action ("GetAccount") answer that the key may not take it.
func (s *Server) Deny(action string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[action] = true
}

func (s *Server) getAccount(w http.ResponseWriter, _ *http.Request, _ []byte) {
	s.mu.Lock()
	a := s.account
	s.mu.Unlock()
	write(w, http.StatusOK, map[string]any{
		"DedicatedIpAutoWarmupEnabled": false, "EnforcementStatus": a.EnforcementStatus,
		"ProductionAccessEnabled": a.ProductionAccessEnabled, "SendingEnabled": a.SendingEnabled,
		"SendQuota":             map[string]float64{"Max24HourSend": a.Max24HourSend, "MaxSendRate": a.MaxSendRate, "SentLast24Hours": a.SentLast24Hours},
		"SuppressionAttributes": map[string]any{"SuppressedReasons": []string{"BOUNCE", "COMPLAINT"}},
	})
}

func (s *Server) getIdentity(w http.ResponseWriter, r *http.Request, _ []byte) {
	name := r.PathValue("name")
	s.mu.Lock()
	i, ok := s.identities[name]
	s.mu.Unlock()
	if !ok {
		answer(w, Fault{Status: http.StatusNotFound, Code: "NotFoundException", Message: "Email identity " + name + " does not exist."})
		return
	}
	status := i.Status
	if status == "" {
		status = map[bool]string{true: "SUCCESS", false: "PENDING"}[i.Verified]
	}
	dkim := i.DKIM
	if dkim == "" {
		dkim = "SUCCESS"
	}
	out := map[string]any{
		"FeedbackForwardingStatus": true, "IdentityType": "DOMAIN", "VerificationStatus": status, "VerifiedForSendingStatus": i.Verified,
		"DkimAttributes": map[string]any{"SigningEnabled": dkim != "OFF", "Status": dkim, "Tokens": i.Tokens, "SigningAttributesOrigin": "AWS_SES"},
	}
	if i.MailFromDomain != "" {
		out["MailFromAttributes"] = map[string]string{"MailFromDomain": i.MailFromDomain, "MailFromDomainStatus": i.MailFromStatus, "BehaviorOnMxFailure": "USE_DEFAULT_VALUE"}
	}
	write(w, http.StatusOK, out)
}

func (s *Server) getSet(w http.ResponseWriter, r *http.Request, _ []byte) {
	name := r.PathValue("name")
	s.mu.Lock()
	ok := s.sets[name]
	s.mu.Unlock()
	if !ok {
		answer(w, Fault{Status: http.StatusNotFound, Code: "NotFoundException", Message: "Configuration set <" + name + "> does not exist."})
		return
	}
	write(w, http.StatusOK, map[string]any{"ConfigurationSetName": name, "SendingOptions": map[string]bool{"SendingEnabled": true}})
}
