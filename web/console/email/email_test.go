package email_test

import "testing"

func TestPages(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.owner("").want(200, "No connector is set up", "Add a connector")
	f.owner("/connectors").want(200, "Amazon SES", "SMTP", "Mailbox")
	f.owner("/connectors/aws-ses-mail").want(200, "Access key secret")
	f.owner("/connectors/smtp").want(200, "Password")
	f.owner("/templates").want(200, "Built-in")
	f.owner("/templates/json").want(200)
	f.owner("/templates/SignIn/en").want(200, "{{ code }}")
	f.owner("/templates/SignIn/en/preview").want(200, "123456")
}
