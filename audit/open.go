package audit

import (
	"encoding/json"
	"slices"

	"idp/store"
)

// Opened is an event with what is personal about it, as the instance can read it.
type Opened struct {
	store.Event
	Known json.RawMessage // nil: there was nothing, or it cannot be read any more
}

// Erased tells whether there was something personal that nobody can read any more: whom it
// was about is deleted.
func (o Opened) Erased() bool { return o.Known == nil && (o.KeyID != "" || len(o.Personal) > 0) }

// Failed tells whether the event is an attempt that did not work, or an abuse that was
// noticed.
func (o Opened) Failed() bool {
	return slices.Contains(FailedKinds(), o.Kind)
}

// FailedKinds are the kinds of those events.
func FailedKinds() []string {
	return []string{KindChallengeLocked, KindChallengeDisowned, KindTokenReused, KindCodeReplayed}
}

// Kinds of events that tell of an attempt that did not work, or of an abuse.
const (
	KindChallengeLocked   = "challenge.locked"   // all its tries were wrong codes
	KindChallengeDisowned = "challenge.disowned" // the owner of the address says that it was not them
	KindTokenReused       = "grant.token_reused" // two have the refresh token: the grant has ended
	KindCodeReplayed      = "grant.code_replayed"
)

// Open reads what is personal of an event.
func (b *Book) Open(e store.KeyedEvent) Opened {
	o := Opened{Event: e.Event}
	sealer := b.sealer
	if e.KeyID != "" {
		var err error
		if sealer, err = b.people.sealer(e.KeyID, e.Key); err != nil {
			return o
		}
	}
	if plain, err := sealer.Open(e.Personal, e.ID[:]); err == nil {
		o.Known = plain
	}
	return o
}
