package ses

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/smithy-go/logging"

	"idp/mailer"
	"idp/store"
)

// connections that are kept, for as many sends at a time.
const connections = 64

// newHTTPClient makes the client of one sender. HTTP/1.1: SES speaks nothing else, and
// a connection that breaks takes one mail with it and not all.
func newHTTPClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = connections, connections
	t.IdleConnTimeout = 30 * time.Second // sooner than AWS closes them, which would fail a mail
	t.ForceAttemptHTTP2 = false
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	return &http.Client{
		Transport: t,
		// A redirect would carry the code to a host that nobody configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// keeping has connections kept. The SDK closes a request's body as soon as the answer's
// first line is there; its body then fails in WriteTo, where the transport looks for
// more, and a connection whose request failed is not used again. In Read it does not.
type keeping struct{ *http.Client }

// Do makes a request.
func (k keeping) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body = struct{ io.ReadCloser }{r.Body} // hides WriteTo
	}
	return k.Client.Do(r) //nolint:gosec // the address is the configuration's, which operators write
}

// CheckEndpoint tells whether url can stand in for AWS's own endpoint; "" can.
func CheckEndpoint(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("the endpoint of the SES API has to start with https:// and name a host")
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return errors.New("the endpoint of the SES API is a scheme, a host and a path, and no more")
	case u.Scheme == "http" && !store.IsLoopback(u.Hostname()):
		return errors.New("the endpoint of the SES API has to be https, because mails carry codes; plain http only to localhost")
	}
	return nil
}

// connect gives the client, and makes sure that there are credentials. They are not
// looked for when the sender is made: that may ask the network.
func (s *Sender) connect(ctx context.Context) (*sesv2.Client, error) {
	client, access, err := s.build(ctx)
	if err != nil {
		return nil, err
	}
	// The chain keeps what it found until it expires; a failure is told apart from SES's own here.
	if _, err := access.Retrieve(ctx); err != nil {
		class := mailer.Misconfigured
		if ctx.Err() != nil {
			class = mailer.Temporary
		}
		return nil, &mailer.SendError{Class: class, Err: fmt.Errorf("find AWS credentials: %w", err),
			Hint: "Put accessKeyId and accessKeySecret into the configuration, or give this machine a role or a profile (AWS_PROFILE, AWS_ROLE_ARN)."}
	}
	return client, nil
}

func (s *Sender) build(ctx context.Context) (*sesv2.Client, aws.CredentialsProvider, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil {
		return s.client, s.access, nil
	}
	from := aws.Config{Region: s.Region}
	if s.AccessKeyID != "" {
		from.Credentials = credentials.NewStaticCredentialsProvider(s.AccessKeyID, s.AccessKeySecret, "")
	} else {
		chain, err := config.LoadDefaultConfig(ctx, func(o *config.LoadOptions) error {
			o.Region = s.Region // "" leaves it to the chain
			return nil
		})
		if err != nil {
			return nil, nil, &mailer.SendError{Class: mailer.Misconfigured, Err: fmt.Errorf("read the AWS configuration: %w", err),
				Hint: "Look at AWS_PROFILE and the files in ~/.aws."}
		}
		from = chain
	}
	client := sesv2.NewFromConfig(from, func(o *sesv2.Options) {
		o.HTTPClient, o.Retryer, o.Logger = keeping{s.http}, aws.NopRetryer{}, logging.Nop{}
		if s.endpoint != "" {
			o.BaseEndpoint = aws.String(strings.TrimSuffix(s.endpoint, "/"))
		}
	})
	o := client.Options()
	if o.Region == "" {
		return nil, nil, &mailer.SendError{Class: mailer.Misconfigured, Err: errors.New("no AWS region is known"),
			Hint: "Put region into the configuration, the one in which the sender's address is verified."}
	}
	if err := CheckEndpoint(aws.ToString(o.BaseEndpoint)); err != nil {
		return nil, nil, &mailer.SendError{Class: mailer.Misconfigured, Err: err, Hint: "It comes from AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_SESV2 or a profile."}
	}
	s.client, s.access = client, from.Credentials
	return s.client, s.access, nil
}
