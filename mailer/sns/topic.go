package sns

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Topic is where messages are published, as its ARN names it.
type Topic struct {
	ARN       string
	Region    string
	partition string
}

var (
	topicARN = regexp.MustCompile(`^arn:(aws|aws-cn|aws-us-gov):sns:([a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}):[0-9]{12}:[A-Za-z0-9_-]{1,256}$`)
	certPath = regexp.MustCompile(`^/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem$`)
)

// ParseTopic reads the ARN of a standard topic.
func ParseTopic(arn string) (Topic, error) {
	parts := topicARN.FindStringSubmatch(arn)
	if parts == nil {
		return Topic{}, fmt.Errorf("%.80q is no ARN of an SNS topic (like arn:aws:sns:eu-west-1:123456789012:mail-events)", arn)
	}
	return Topic{ARN: arn, partition: parts[1], Region: parts[2]}, nil
}

// host is SNS in the topic's region.
func (t Topic) host() string {
	host := "sns." + t.Region + ".amazonaws.com"
	if t.partition == "aws-cn" {
		host += ".cn"
	}
	return host
}

// certURL gives the address of a certificate, put together from what was checked, so
// that nothing that parsers may read in two ways is left of the original.
func (t Topic) certURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host != t.host() || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" ||
		u.RawPath != "" || !certPath.MatchString(u.Path) || text != "https://"+u.Host+u.Path {
		return "", fmt.Errorf("%w: its address is not one of %s", ErrCertificate, t.host())
	}
	return "https://" + t.host() + u.Path, nil
}

// confirmURL is where a subscription is confirmed. It is made of the topic and the
// token; the address in the message is not looked at.
func (t Topic) confirmURL(token string) string {
	q := url.Values{"Action": {"ConfirmSubscription"}, "TopicArn": {t.ARN}, "Token": {token}}
	return "https://" + t.host() + "/?" + q.Encode()
}

// names are those that SNS's certificate may be for.
func (t Topic) names() []string {
	names := []string{"sns.amazonaws.com", t.host()}
	if strings.HasSuffix(t.host(), ".cn") {
		names = append(names, "sns.amazonaws.com.cn")
	}
	return names
}
