package store

import "time"

// HookState is what became of a delivery; the numbers are stored.
type HookState int16

// The states.
const (
	HookWaiting   HookState = 1
	HookDelivered HookState = 2
	HookGivenUp   HookState = 3
)

// HookDelivery is something that is to be posted to a webhook, and what became of it.
type HookDelivery struct {
	ID        ID
	Hook      string
	Event     string // Logto's name: "User.Created"
	Payload   []byte // sealed; nil once it is settled
	State     HookState
	Attempts  int
	Worker    ID // the replica that has it in hand; zero: none
	DueAt     time.Time
	CreatedAt time.Time
	SettledAt time.Time // zero: not yet
	Status    int       // of the last answer, 0 for none
	Error     string
}
