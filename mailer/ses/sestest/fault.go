package sestest

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
)

// Fault is what a mail meets instead of being taken.
type Fault struct {
	Status        int // 0: none
	Code, Message string
	Break         Break
}

// Break is how a connection fails.
type Break int

// The ways.
const (
	Sound       Break = iota
	Hangs             // no answer until the caller or the server ends
	Resets            // before the mail is taken
	TakesResets       // after the mail was taken: the caller cannot know
)

// The faults, with SES's own codes and words.
var (
	OK         = Fault{}
	NotTaken   = Fault{Status: 400, Code: "MessageRejected", Message: "Transaction failed: Attachment name is duplicate"}
	MailFrom   = Fault{Status: 400, Code: "MailFromDomainNotVerifiedException", Message: "The domain bounce.example.com is not verified"}
	Suspended  = Fault{Status: 400, Code: "AccountSuspendedException", Message: "Your account has been suspended"}
	Paused     = Fault{Status: 400, Code: "SendingPausedException", Message: "Sending is disabled for this account"}
	NoSet      = Fault{Status: 404, Code: "NotFoundException", Message: "Configuration set <main> does not exist"}
	BadAddress = Fault{Status: 400, Code: "BadRequestException", Message: "Domain contains illegal character"}
	Limit      = Fault{Status: 400, Code: "LimitExceededException", Message: "Daily message quota exceeded"}
	Throttled  = Fault{Status: 429, Code: "TooManyRequestsException", Message: "Maximum sending rate exceeded."}
	Quota      = Fault{Status: 429, Code: "TooManyRequestsException", Message: "Daily message quota exceeded."}
	Denied     = Fault{Status: 403, Code: "AccessDeniedException",
		Message: "User: arn:aws:iam::123456789012:user/idp is not authorized to perform: ses:SendEmail on resource: arn:aws:ses:us-east-1:123456789012:identity/example.com"}
	UnknownKey  = Fault{Status: 403, Code: "UnrecognizedClientException", Message: "The security token included in the request is invalid."}
	Internal    = Fault{Status: 500, Code: "InternalServiceErrorException", Message: "Internal service error"}
	Unavailable = Fault{Status: 503, Code: "ServiceUnavailable", Message: "Service is unavailable"}
	Hang        = Fault{Break: Hangs}
	Reset       = Fault{Break: Resets}
	TakenReset  = Fault{Break: TakesResets}
)

// NotVerified is what SES says when it does not know who an address belongs to: the
// sender's, or in the sandbox the recipient's.
func NotVerified(region string, identities ...string) Fault {
	return Fault{Status: 400, Code: "MessageRejected", Message: "Email address is not verified. The following identities failed the check in region " +
		strings.ToUpper(region) + ": " + strings.Join(identities, ", ")}
}

// answer writes a fault as SES writes errors.
func answer(w http.ResponseWriter, f Fault) {
	w.Header().Set("X-Amzn-Errortype", f.Code)
	body := map[string]string{"message": f.Message}
	if f.Message == "" {
		delete(body, "message")
	}
	write(w, f.Status, body)
}

func write(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Requestid", "5f3b1c2e-8d0a-4b57-9c61-2f7d1e0a9b34")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// reset ends the connection so that the caller reads ECONNRESET.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
