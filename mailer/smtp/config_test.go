package smtp_test

import (
	"encoding/json"
	"strings"
	"testing"

	"idp/mailer/smtp"
	"idp/store"
)

// logto is a configuration as Logto's console shows it, all its settings set.
const logto = `{
	"host": "smtp.gmail.com", "port": 465, "secure": true, "fromEmail": "Foo <foo@example.com>", "replyTo": "help@example.com",
	"auth": {"user": "foo@example.com", "pass": "secret", "type": "login"},
	"logger": true, "debug": false, "disableFileAccess": true, "disableUrlAccess": true, "name": "host.example.com", "localAddress": "127.0.0.1",
	"connectionTimeout": 120000, "greetingTimeout": 30000, "socketTimeout": 600000, "dnsTimeout": 30000,
	"tls": {}, "servername": "smtp.gmail.com", "ignoreTLS": false, "requireTLS": true,
	"templates": [
		{"usageType": "Register", "contentType": "text/plain", "subject": "s", "content": "{{code}}"},
		{"usageType": "SignIn", "contentType": "text/html", "subject": "s", "content": "<b>{{code}}</b>"},
		{"usageType": "ForgotPassword", "contentType": "text/plain", "subject": "s", "content": "{{code}}"},
		{"usageType": "Generic", "contentType": "text/plain", "subject": "s", "content": "{{code}}"}
	]
}`

func TestConfigurationOfLogtoWorks(t *testing.T) {
	t.Parallel()
	made, err := smtp.New([]byte(logto))
	if err != nil {
		t.Fatal(err)
	}
	s := made.(*smtp.Sender)
	templates := s.Templates()
	if len(templates) != 4 || templates[1].Usage != store.UsageSignIn || templates[1].ContentType != "text/html" || templates[1].Content != "<b>{{code}}</b>" {
		t.Errorf("%+v", templates)
	}
	if s.Address() != "foo@example.com" {
		t.Error(s.Address())
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	long, _ := json.Marshal(strings.Repeat("x", 10<<20))
	with := func(more string) string {
		return `{"host":"smtp.example.com","fromEmail":"a@example.com"` + more + `}`
	}
	words := func(more string) string {
		return with(`,"templates":[{"usageType":"SignIn","subject":"s","content":"{{code}}",` + more + `},{"usageType":"Register","subject":"s","content":"{{code}}"},
			{"usageType":"ForgotPassword","subject":"s","content":"{{code}}"},{"usageType":"Generic","subject":"s","content":"{{code}}"}]`)
	}
	const auth = `,"auth":{"user":"u","pass":"p"}`
	for config, want := range map[string]string{
		with(""):                           "",
		with(auth):                         "",
		with(`,"port":"2525"`):             "",
		with(`,"auth":null`):               "",
		with(`,"tls":"starttls"`):          "",
		with(`,"tls":{"ciphers":"SSLv3"}`): "",
		with(`,"tls":"none","insecureReason":"a relay in the same pod"`):                "",
		with(`,"auth":{"user":"u","type":"OAUTH2","refreshToken":"r"}`):                 "",
		with(`,"auth":{"user":"u","accessToken":"r"}`):                                  "",
		`{"host":"127.0.0.1","fromEmail":"a@example.com","ignoreTLS":true` + auth + `}`: "",
		`{"host":"::1","fromEmail":"a@example.com","tls":{"rejectUnauthorized":false}}`: "",
		`{"host":"smtp.example.com","fromEmail":"Müller & Söhne <a@bücher.example>"}`:   "",
		`nonsense`:                      "not {",
		`{}`:                            "fromEmail",
		with(`} {"x":1`):                "more after",
		with(`,"hots":"x"`):             "unknown field",
		`{"fromEmail":"a@example.com"}`: "host is missing",
		`{"host":"https://smtp.example.com","fromEmail":"a@example.com"}`:                     "bare name",
		`{"host":"smtp.example.com:587","fromEmail":"a@example.com"}`:                         "bare name",
		`{"host":"smtp.example.com","fromEmail":"a@example.com, b@example.com"}`:              "fromEmail",
		`{"host":"smtp.example.com","fromEmail":"X\r\nBcc: b@example.com <a@example.com>"}`:   "fromEmail",
		`{"host":"smtp.example.com","fromEmail":"X <a@example.com>\r\nBcc: <b@example.com>"}`: "fromEmail",
		with(`,"replyTo":"a@example.com,b@example.com"`):                                      "replyTo",
		with(`,"port":0`):                                     "port",
		with(`,"port":"smtp"`):                                "port",
		with(`,"port":65536`):                                 "port",
		with(`,"tls":"ssl"`):                                  `tls "ssl" is unknown`,
		with(`,"tls":7`):                                      "tls has to be",
		with(`,"tls":{"rejectUnauthorised":false}`):           "tls has to be",
		with(`,"tls":"none"`):                                 "in clear over a network",
		with(`,"ignoreTLS":true`):                             "in clear over a network",
		with(`,"tls":"opportunistic"`):                        "insecureReason",
		with(`,"tls":"none","insecureReason":"lab"` + auth):   "password in clear",
		with(`,"secure":true,"tls":"starttls"`):               "secure is true",
		with(`,"tls":{"rejectUnauthorized":false}`):           "tls.ca",
		with(`,"tls":{"ca":"x"}`):                             "no certificate",
		with(`,"auth":{"user":"u"}`):                          "auth.pass",
		with(`,"auth":{"pass":"p"}`):                          "auth.user",
		with(`,"auth":{"user":"u","pass":"p","type":"ntlm"}`): "auth.type",
		with(`,"auth":{"user":"u\r\nRSET","pass":"p"}`):       "line breaks",
		with(`,"authMethod":"GSSAPI"` + auth):                 "authMethod",
		with(`,"authMethod":"PLAIN"`):                         "auth is not",
		with(`,"auth":{"user":"u","type":"oauth2"}`):          "needs refreshToken",
		with(`,"auth":{"user":"u","serviceClient":"c","privateKey":{"key":"k","passphrase":"p"}}`): "without a passphrase",
		with(`,"auth":{"user":"u","refreshToken":"r","accessUrl":"http://example.com"}`):           "accessUrl",
		with(`,"name":"a\r\nb"`):       "name has to be",
		with(`,"localAddress":"eth0"`): "localAddress",
		with(`,"maxConnections":1000`): "maxConnections",
		with(`,"maxPerSecond":-1`):     "maxPerSecond",
		with(`,"socketTimeout":-1`):    "timeouts",
		with(`,"templates":[]`):        "Template with UsageType (Register, SignIn, ForgotPassword, Generic) should be provided!",
		with(`,"templates":[{"usageType":"SignIn","subject":"s","content":"c"},{"usageType":"Generic","subject":"s","content":"c"}]`): "Template with UsageType (Register, ForgotPassword) should be provided!",
		words(`"sendFrom":"Shop<shop@x.example>"`):                                    "",
		words(`"replyTo":"a@x.example,b@x.example"`):                                  "templates[0] (SignIn): the address for answers (replyTo) is more than one address",
		with(`,"templates":[{"content":` + string(long) + `}]`):                       "longer than 1024 kB",
		with(`,"dkim":{"domain":"example.com","selector":"s1","privateKey":"x"}`):     "dkim.privateKey",
		with(`,"dkim":{"domain":"example.org","selector":"s1","privateKey":"x"}`):     "dkim.domain",
		with(`,"dkim":{"domain":"ample.com","selector":"s1","privateKey":"x"}`):       "dkim.domain",
		with(`,"dkim":{"domain":"example.com","selector":"s1; b=","privateKey":"x"}`): "dkim.selector",
	} {
		_, err := smtp.New([]byte(config))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.200s gives %v, want %q", config, err, want)
		}
	}
}
