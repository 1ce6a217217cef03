package timeline

import (
	"encoding/json"
	"time"

	"idp/admin"
	"idp/store"
	"idp/web/console/shell"
)

// attempt is one time that a code was asked for, in words.
type attempt struct {
	At                 time.Time
	What, Result, Kind string // Kind colours the result
	App, AppPath       string
	IP, Agent          string
	Wrong, Left        int
	Counts             bool // the numbers tell something
	Mails              []mail
}

// mail is what became of one, step by step.
type mail struct {
	Path  string
	Steps []step
	Said  string // in a provider's words
}

type step struct {
	At   time.Time
	What string
	Kind string
}

// event is something else that happened to the account.
type event struct {
	At   time.Time
	What string
}

var usages = map[store.Usage]string{
	store.UsageSignIn: shell.N("Asked for a code to sign in"), store.UsageRegister: shell.N("Asked for a code to register"),
	store.UsageForgotPassword: shell.N("Asked for a code to recover the account"), store.UsageGeneric: shell.N("An app or a test sent a mail"),
	store.UsageRecovered: shell.N("Was told that the account was recovered"), store.UsageNoAccount: shell.N("Asked to recover an account that is not there"),
	store.UsageClosed: shell.N("Asked for a code, and has no account"),
}

var outcomes = map[admin.AttemptOutcome][2]string{
	admin.AttemptSucceeded: {shell.N("Signed in"), "good"}, admin.AttemptProved: {shell.N("Right code"), "warn"},
	admin.AttemptDisowned: {shell.N("“This was not me”"), "bad"}, admin.AttemptLocked: {shell.N("All tries were wrong"), "bad"},
	admin.AttemptExpired: {shell.N("No right code in time"), "warn"}, admin.AttemptWaiting: {shell.N("Waiting for the code"), "info"},
	admin.AttemptForgotten: {"", ""}, admin.AttemptNotice: {shell.N("No code was sent"), "warn"},
}

// telling are the entries about an account that can say why somebody is out, or in again.
var telling = []string{
	"user.signed_in", "user.signed_out", "user.signed_out_everywhere", "session.ended", "session.revoked", "user.created", "user.updated", "user.suspended", "user.reinstated",
	"grant.revoked", "grant.token_reused", "grant.code_replayed", "challenge.disowned", "mute.lifted", "one_time_token.created", "suppression.added", "suppression.lifted",
}

func attemptOf(v *shell.Visit, a admin.Attempt) attempt {
	out := attempt{At: a.At, What: string(a.Usage), Kind: outcomes[a.Outcome][1]}
	if word, ok := usages[a.Usage]; ok {
		out.What = v.T(word)
	}
	if word := outcomes[a.Outcome][0]; word != "" {
		out.Result = v.T(word)
	}
	if a.Event != nil {
		var from struct{ IP, Agent string }
		_ = json.Unmarshal(a.Event.Known, &from) // nil where nothing can be read
		out.IP, out.Agent, out.App, out.AppPath = from.IP, from.Agent, a.Event.Client, link(shell.Applications, a.Event.Client)
	}
	if a.Tried != nil {
		out.Wrong, out.Left = a.Tried.Tries, max(0, a.Tried.MaxTries-a.Tried.Tries)
		out.Counts = out.Wrong > 0 || a.Outcome == admin.AttemptWaiting
	}
	for _, m := range a.Mails {
		out.Mails = append(out.Mails, mailOf(v, m))
	}
	return out
}

// mailOf tells the steps that a mail has made.
func mailOf(v *shell.Visit, m admin.Delivery) mail {
	out := mail{Path: link(shell.Deliveries, m.ID), Said: m.Feedback}
	if m.Error != "" {
		out.Said = m.Error
	}
	add := func(at *time.Time, what, kind string) {
		if at != nil {
			out.Steps = append(out.Steps, step{*at, what, kind})
		}
	}
	now := func(what, kind string) { out.Steps = append(out.Steps, step{What: what, Kind: kind}) }
	add(&m.Times.Created, v.T("Mail queued"), "")
	switch m.State {
	case "withheld":
		now(v.T("Sent nowhere, on purpose"), "bad")
		out.Said = v.T("The address has no account and was written to too often, or it is for tests.")
	case "suppressed":
		now(v.T("Not sent: the address takes no mail"), "bad")
	case "failed":
		now(v.T("Refused by %s", m.Connector), "bad")
	case "expired":
		now(v.T("Not sent in time: no connector took it"), "bad")
	case "queued":
		now(v.T("Still waiting to be sent"), "warn")
	default:
		if admin.Stayed(m) {
			add(m.Times.Sent, v.T("Kept in the development mailbox: nobody outside was sent it"), "warn")
		} else {
			add(m.Times.Sent, v.T("Handed to %s", m.Connector), "")
		}
		add(m.Times.Delayed, v.T("The mailbox’s server makes it wait"), "warn")
		add(m.Times.Delivered, v.T("Arrived"), "good")
		add(m.Times.Bounced, v.T("Came back"), "bad")
		add(m.Times.Complained, v.T("Marked as spam"), "bad")
		add(m.Times.Rejected, v.T("Refused by the provider"), "bad")
	}
	return out
}
