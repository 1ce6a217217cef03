package ses_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"idp/mailer"
	"idp/mailer/ses"
	"idp/mailer/ses/sestest"
)

// alone keeps the machine's own AWS settings, and the metadata service of a cloud, away.
func alone(t *testing.T) {
	t.Helper()
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "credentials"))
}

// No t.Parallel in these: the AWS chain reads the process's environment.

func TestChainOfTheEnvironment(t *testing.T) {
	alone(t)
	fake := start(t, sestest.Options{Region: "eu-central-1"})
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
	t.Setenv("AWS_REGION", "eu-central-1")
	s := sender(t, fake, map[string]any{"accessKeyId": nil, "accessKeySecret": nil, "region": nil})
	for range 2 {
		if _, err := s.Send(t.Context(), rendered()); err != nil {
			t.Fatal(err)
		}
	}
	// The configuration's region counts before the environment's.
	s = sender(t, start(t, sestest.Options{Region: "us-west-2"}), map[string]any{"accessKeyId": nil, "accessKeySecret": nil})
	if _, err := s.Send(t.Context(), rendered()); err != nil {
		t.Error(err)
	}
}

func TestChainOfAProfile(t *testing.T) {
	alone(t)
	fake := start(t, sestest.Options{})
	text := "[mail]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"
	if err := os.WriteFile(os.Getenv("AWS_SHARED_CREDENTIALS_FILE"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_PROFILE", "mail")
	if _, err := sender(t, fake, map[string]any{"accessKeyId": nil, "accessKeySecret": nil}).Send(t.Context(), rendered()); err != nil {
		t.Error(err)
	}
}

func TestChainDoesNotSendInClear(t *testing.T) {
	alone(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	t.Setenv("AWS_ENDPOINT_URL_SESV2", "http://ses.example.com")
	s, err := ses.New([]byte(`{"region":"us-east-1","emailAddress":"a@example.com"}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send(t.Context(), rendered()); err == nil || !strings.Contains(err.Error(), "https") {
		t.Errorf("the error is %v", err)
	}
}

func TestChainWithoutCredentials(t *testing.T) {
	alone(t)
	fake := start(t, sestest.Options{})
	s := sender(t, fake, map[string]any{"accessKeyId": nil, "accessKeySecret": nil})
	_, err := s.Send(t.Context(), rendered())
	var e *mailer.SendError
	if !errors.As(err, &e) || e.Class != mailer.Misconfigured || !strings.Contains(e.Hint, "accessKeyId") {
		t.Errorf("the error is %v", err)
	}
	found := examine(t, s)
	if f := found["credentials"]; f.Level != mailer.Failure || len(found) != 1 {
		t.Errorf("found %+v", found)
	}
	// A later attempt finds what was put there in the meantime.
	t.Setenv("AWS_REGION", "us-east-1")
	s, _ = ses.Factory(ses.Options{Endpoint: fake.URL})([]byte(`{"emailAddress":"a@example.com"}`))
	t.Setenv("AWS_REGION", "")
	if _, err := s.Send(t.Context(), rendered()); !errors.As(err, &e) || !strings.Contains(e.Error(), "region") {
		t.Errorf("the error is %v", err)
	}
}
