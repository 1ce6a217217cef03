package webhooks

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
)

// apiNames are the form's fields, by the names of the API.
var apiNames = map[string]string{"config.url": "url", "config.headers": "headers", "config.retries": "retries", "events": "chosen"}

// typed is what stands in the form of a webhook. Values of headers are masked.
func typed(h admin.HookForm) url.Values {
	values := url.Values{"name": {h.Name}, "url": {h.Config.URL}, "events": h.Events}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(h.Config.Headers)) {
		lines = append(lines, name+": "+h.Config.Headers[name])
	}
	values.Set("headers", strings.Join(lines, "\n"))
	if h.Config.Retries != nil {
		values.Set("retries", strconv.Itoa(*h.Config.Retries))
	}
	return values
}

// readForm reads the form of a webhook; what is wrong with how it is written is noted in f.
func readForm(v *shell.Visit, f *shell.Form) (h admin.HookForm) {
	h = admin.HookForm{Name: v.Got("name"), Events: v.Form["events"], Config: admin.HookConfig{URL: v.Got("url"), Headers: map[string]string{}}}
	for i, line := range strings.Split(v.Form.Get("headers"), "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		name = strings.TrimSpace(name)
		if _, twice := h.Config.Headers[name]; !ok || name == "" || twice {
			reason := v.T("Write it like Authorization: Bearer …")
			if twice {
				reason = v.T("This header is there twice.")
			}
			f.Reject("headers", v.T("Line %d: %s", i+1, reason))
			return h
		}
		h.Config.Headers[name] = strings.TrimSpace(value)
	}
	if text := v.Got("retries"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			f.Reject("retries", v.T("Enter a number from 0 to 9."))
			return h
		}
		h.Config.Retries = &n
	}
	return h
}

// take puts an error where it belongs; of headers it says which.
func take(v *shell.Visit, f *shell.Form, h admin.HookForm, err error) bool {
	names := maps.Clone(apiNames)
	for name := range h.Config.Headers {
		names["config.headers."+name] = "headers"
	}
	var field *store.FieldError
	if errors.As(err, &field) {
		if name, ok := strings.CutPrefix(field.Field, "config.headers."); ok {
			f.Reject("headers", fmt.Sprintf("%s: %s", name, v.T(field.Reason)))
		}
		if field.Field == "events" {
			f.Reject("chosen", v.T("Choose at least one."))
		}
	}
	return f.Take(v, err, names)
}

// labels are what the fields are called, for who is told what somebody else has changed.
func labels(v *shell.Visit) [][2]string {
	return [][2]string{
		{"name", v.T("Name")}, {"url", v.T("URL")}, {"events", v.T("Events")}, {"headers", v.T("Headers")}, {"retries", v.T("Tries after the first")},
	}
}
