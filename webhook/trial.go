package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"idp/store"
)

// TestError says that a test did not come through.
type TestError struct {
	Event  string
	Status int // of the answer, 0 for none
	Err    error
}

func (e *TestError) Error() string { return fmt.Sprintf("%s: %v", e.Event, e.Err) }

func (e *TestError) Unwrap() error { return e.Err }

// Test posts each of the events to an address, with somebody who does not exist, under the
// signing key of a hook. The error is a [TestError], or a [store.Invalid] one about the
// configuration. Nothing is tried twice.
func (d *Desk) Test(ctx context.Context, op string, h store.Hook, events []string, c Config) error {
	if err := c.Check(op, d.allow); err != nil {
		return err
	}
	_, key, err := d.vault.open(h)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	failed := make(chan error, len(events))
	for _, event := range events {
		go func() {
			text, err := json.Marshal(sample(h.ID, event, time.Now()))
			if err != nil {
				failed <- err
				return
			}
			status, err := d.client.post(ctx, c, key, store.NewID(time.Now()).String(), text)
			if err != nil {
				err = &TestError{event, status, err}
			}
			failed <- err
		}()
	}
	for range events {
		err = errors.Join(err, <-failed)
	}
	return err
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
