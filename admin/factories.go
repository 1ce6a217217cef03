package admin

import (
	"idp/store"
)

// Factory is a kind of connector, of which one can be set up.
type Factory struct {
	ID          string // as the commands have it: "smtp"
	Logto       string // Logto's id of the like
	Name        string
	Description string
	Readme      string // Markdown
	Example     string // of a configuration, JSON
	Form        []FormField
}

// FormField is a field of a configuration, for forms.
type FormField struct {
	Key         string
	Label       string
	Type        string // "Text", "MultilineText", "Number", "Switch" or "Json"
	Required    bool
	Secret      bool
	Placeholder string
	Help        string
}

// Names of connectors, as the senders have them.
const (
	connectorSES   = "aws-ses-mail"
	connectorSMTP  = "smtp"
	connectorHTTP  = "http"
	connectorInbox = "inbox"
)

const templatesHelp = "Words the mails in the place of those that come with the program: with Register, SignIn, ForgotPassword and Generic at least. " +
	"Leave it out, and word single mails under /api/email-templates."

// factories are all kinds in the order they are offered.
var factories = []Factory{
	{
		ID: connectorSES, Logto: "aws-ses-mail", Name: "Amazon SES", Description: "Sends mail through the API of Amazon Simple Email Service.",
		Readme:  "# Amazon SES\n\nVerify a domain or an address in the SES console, and make an access key that may `ses:SendEmail`. Without a key the machine's own AWS credentials are used.\n",
		Example: "{\n  \"accessKeyId\": \"<access-key-id>\",\n  \"accessKeySecret\": \"<access-key-secret>\",\n  \"region\": \"us-east-1\",\n  \"emailAddress\": \"Shop <no-reply@example.com>\"\n}\n",
		Form: []FormField{
			{Key: "accessKeyId", Label: "Access key ID", Type: "Text", Help: "Leave both parts of the key out to use the machine's AWS credentials."},
			{Key: "accessKeySecret", Label: "Access key secret", Type: "Text", Secret: true},
			{Key: "region", Label: "Region", Type: "Text", Placeholder: "us-east-1"},
			{Key: "emailAddress", Label: "Sender", Type: "Text", Placeholder: "Shop <no-reply@example.com>"},
			{Key: "emailAddressIdentityArn", Label: "ARN of the sender's identity", Type: "Text", Help: "Only if another AWS account shares it."},
			{Key: "feedbackForwardingEmailAddress", Label: "Address for bounces", Type: "Text"},
			{Key: "feedbackForwardingEmailAddressIdentityArn", Label: "ARN of the identity for bounces", Type: "Text"},
			{Key: "configurationSetName", Label: "Configuration set", Type: "Text", Help: "Its events tell what became of each mail."},
			{Key: "templates", Label: "Templates", Type: "Json", Help: templatesHelp},
		},
	},
	{
		ID: connectorSMTP, Logto: "simple-mail-transfer-protocol", Name: "SMTP", Description: "Sends mail through a mail server.",
		Readme:  "# SMTP\n\nThe settings are those of Logto's SMTP connector. The connection is encrypted unless the server is this machine.\n",
		Example: "{\n  \"host\": \"smtp.example.com\",\n  \"port\": 587,\n  \"auth\": {\"user\": \"<user>\", \"pass\": \"<password>\"},\n  \"fromEmail\": \"Shop <no-reply@example.com>\"\n}\n",
		Form: []FormField{
			{Key: "host", Label: "Server", Type: "Text", Required: true, Placeholder: "smtp.example.com"},
			{Key: "port", Label: "Port", Type: "Number", Placeholder: "587"},
			{Key: "auth", Label: "Sign-in", Type: "Json", Secret: true, Help: "{\"user\", \"pass\"}, or OAuth 2: {\"type\": \"oauth2\", …}."},
			{Key: "fromEmail", Label: "Sender", Type: "Text", Required: true, Placeholder: "Shop <no-reply@example.com>"},
			{Key: "replyTo", Label: "Address for answers", Type: "Text"},
			{Key: "secure", Label: "TLS from the first byte", Type: "Switch"},
			{Key: "maxPerSecond", Label: "Mails a second", Type: "Number", Help: "0: as many as there are."},
			{Key: "dkim", Label: "DKIM signature", Type: "Json", Secret: true, Help: "{\"domain\", \"selector\", \"privateKey\"}."},
			{Key: "templates", Label: "Templates", Type: "Json", Help: templatesHelp},
		},
	},
	{
		ID: connectorHTTP, Logto: "http-email", Name: "HTTP", Description: "Posts each mail as JSON to your own program, which sends it on.",
		Readme:  "# HTTP\n\nEach mail is posted to one address. With a signing key the header `logto-signature-sha-256` proves that it comes from here.\n",
		Example: "{\n  \"url\": \"https://mail.example.com/hooks/idp\",\n  \"signingKey\": \"<at least 32 characters>\"\n}\n",
		Form: []FormField{
			{Key: "url", Label: "URL", Type: "Text", Required: true, Placeholder: "https://mail.example.com/hooks/idp"},
			{Key: "signingKey", Label: "Signing key", Type: "Text", Secret: true, Help: "At least 32 characters."},
			{Key: "timeout", Label: "Timeout", Type: "Text", Placeholder: "3s"},
		},
	},
	{
		ID: connectorInbox, Logto: "inbox", Name: "Mailbox", Description: "Keeps all mails on this server, for development.",
		Readme: "# Mailbox\n\nMails go nowhere: read them at `/dev/inbox`.\n", Example: "{}\n", Form: []FormField{},
	},
}

// Factories lists the kinds of connectors that can be set up here.
func (s *Service) Factories() []Factory {
	var out []Factory
	for _, f := range factories {
		if s.offers(f.ID) {
			out = append(out, f)
		}
	}
	return out
}

// offers tells whether a kind can be set up. The mailbox cannot be everywhere, and says so
// itself.
func (s *Service) offers(id string) bool {
	if _, ok := s.senders[id]; !ok {
		return false
	}
	return id != connectorInbox || s.senders.Check(id, []byte("{}")) == nil
}

// Factory finds a kind by its id, or by Logto's. The error is [store.NotFound].
func (s *Service) Factory(id string) (Factory, error) {
	for _, f := range factories {
		if (f.ID == id || f.Logto == id) && s.offers(f.ID) {
			return f, nil
		}
	}
	return Factory{}, &store.Error{Code: store.NotFound, Op: "read connector factory"}
}
