package webhook

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"
	"unicode"

	"idp/store"
)

// Trial is what became of a test.
type Trial struct {
	Event  string
	Status int           // of the answer, 0 for none
	Answer string        // how its body begins, if it is text
	Took   time.Duration // until its head was there, or there was none
	Err    error         // nil if it came through
}

// Try posts each of the events to an address, with somebody who does not exist, under the
// signing key of a hook, and tells what was answered. Nothing is tried twice. The error is a
// [store.Invalid] one about the configuration.
func (d *Desk) Try(ctx context.Context, op string, h store.Hook, events []string, c Config) ([]Trial, error) {
	if err := c.Check(op, d.allow); err != nil {
		return nil, err
	}
	_, key, err := d.vault.open(h)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	out := make([]Trial, len(events))
	var all sync.WaitGroup
	for i, event := range events {
		all.Go(func() {
			out[i].Event = event
			text, err := json.Marshal(sample(h.ID, event, time.Now()))
			if err != nil {
				out[i].Err = err
				return
			}
			begun := time.Now()
			answered, err := d.client.exchange(ctx, c, key, store.NewID(begun).String(), text, shown)
			out[i].Status, out[i].Answer, out[i].Took, out[i].Err = answered.status, readable(answered.begins), answered.at.Sub(begun), err
		})
	}
	all.Wait()
	return out, nil
}

// shown is how much of an answer people are shown, in bytes.
const shown = 2 << 10

// readable is the text of an answer, as far as it is some: what is no UTF-8 or would move
// the cursor is replaced.
func readable(begins []byte) string {
	text := strings.ToValidUTF8(string(begins), "\ufffd")
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsGraphic(r) {
			return r
		}
		if r == '\r' {
			return -1
		}
		return '\ufffd'
	}, text)
}

// sample is a body with nobody's data.
func sample(hook, event string, now time.Time) body {
	email, name := "ada@example.com", "Ada"
	who := &person{
		ID: "000000000000", PrimaryEmail: &email, Name: &name, CustomData: json.RawMessage("{}"), CreatedAt: now.UnixMilli(), UpdatedAt: now.UnixMilli(),
	}
	n := note{At: now.UnixMilli(), User: who.ID, Target: "000000000000000000000", IP: "192.0.2.1", Agent: "Test"}
	b := body{HookID: hook, Event: event, CreatedAt: isoTime(n.At), UserAgent: n.Agent}
	if interaction, ok := interactions[event]; ok {
		b.InteractionEvent, b.UserIP, b.UserID, b.User = interaction, n.IP, who.ID, who
		return b
	}
	b.IP = n.IP
	b.Params, b.Data = n.data(event, who)
	if event == AddressSuppressed {
		b.Data = Suppressed{Address: email, Reason: string(store.ReasonBounce), CreatedAt: n.At}
	}
	return b
}
