package mailer_test

import (
	"strings"
	"testing"

	"idp/mailer"
	"idp/store"
)

// Whoever begins with our own mail has one that can be saved as it is, and that says what
// ours says.
func TestStarter(t *testing.T) {
	t.Parallel()
	for _, usage := range mailer.Usages() {
		for _, locale := range mailer.Locales() {
			s, err := mailer.Starter(usage, locale)
			if err != nil {
				t.Fatal(err)
			}
			if warnings, err := mailer.CheckTemplate(s, true); err != nil || len(warnings) > 0 {
				t.Errorf("%s in %s: %v, %v", usage, locale, warnings, err)
			}
			ours, err := mailer.Preview(usage, locale)
			if err != nil {
				t.Fatal(err)
			}
			same, err := mailer.Preview(usage, locale, s)
			if err != nil {
				t.Fatal(err)
			}
			if same.Subject != ours.Subject || same.Locale != ours.Locale {
				t.Errorf("%s in %s: %q, want %q", usage, locale, same.Subject, ours.Subject)
			}
			if strings.Contains(same.HTML, "{{") || strings.Contains(s.Content, "987") || ours.Code != "" && !strings.Contains(same.Text, ours.Code) {
				t.Errorf("%s in %s: %s", usage, locale, same.Text)
			}
		}
	}
	if s, err := mailer.Starter(store.UsageSignIn, "pt-PT"); err != nil || s.Locale != "pt-PT" || !strings.Contains(s.Content, `lang="pt-BR"`) {
		t.Errorf("%s %v", s.Locale, err)
	}
}
