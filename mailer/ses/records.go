package ses

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"idp/mailer"
)

var _ mailer.Published = (*Sender)(nil)

// Records tells the DNS records that the sender's identity needs: the keys of its
// signature, and those of its MAIL FROM domain if it has one. An identity that is an
// address is signed by its domain's, which this account may not see: it has none. The
// error is a [*mailer.SendError].
func (s *Sender) Records(ctx context.Context) ([]mailer.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*s.timeout)
	defer cancel()
	client, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	name, identity, err := s.identity(ctx, client)
	switch {
	case notFound(err):
		return nil, nil // Examine says so
	case err != nil:
		return nil, s.classify(err, "")
	}
	var out []mailer.Record
	if d := identity.DkimAttributes; d != nil && d.SigningEnabled && !strings.Contains(name, "@") {
		out = append(out, keyRecords(name, d)...)
	}
	return append(out, mailFromRecords(identity, client)...), nil
}

func keyRecords(domain string, d *types.DkimAttributes) (out []mailer.Record) {
	for _, token := range d.Tokens {
		r := mailer.Record{Purpose: mailer.PurposeDKIM, Type: "CNAME", Name: token + "._domainkey." + domain, Value: token + ".dkim.amazonses.com"}
		if d.SigningAttributesOrigin == types.DkimSigningAttributesOriginExternal { // the operator's own key: its token is the selector
			r.Type, r.Value = "TXT", ""
		}
		out = append(out, r)
	}
	return out
}

func mailFromRecords(identity *sesv2.GetEmailIdentityOutput, client *sesv2.Client) []mailer.Record {
	m := identity.MailFromAttributes
	if m == nil || aws.ToString(m.MailFromDomain) == "" {
		return nil
	}
	return []mailer.Record{
		{Purpose: mailer.PurposeMailFrom, Type: "MX", Name: *m.MailFromDomain, Value: "10 feedback-smtp." + client.Options().Region + ".amazonses.com"},
		{Purpose: mailer.PurposeMailFrom, Type: "TXT", Name: *m.MailFromDomain, Value: "v=spf1 include:amazonses.com ~all"},
	}
}
