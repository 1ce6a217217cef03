package admin

import (
	"cmp"
	"errors"
	"net/netip"
	"time"

	"idp/audit"
	"idp/doctor"
	"idp/keyring"
	"idp/mailer"
	"idp/store"
	"idp/webhook"
)

// Store is what the functions ask of the database, by noun.
type Store interface {
	Now() time.Time
	alarmStore
	clientStore
	connectorStore
	keyStore
	templateStore
	importStore
	operatorStore
	logStore
	holderStore
	resourceStore
	roleStore
	scopeStore
	secretStore
	experienceStore
	pictureStore
	oneTimeTokenStore
	userStore
	sessionStore
	hookStore
	mailStore
	testAddressStore
	timelineStore
	audit.VerifyStore
}

// Deps is what a [Service] is made of.
type Deps struct {
	Store   Store
	Book    *audit.Book
	Ring    *keyring.Ring
	Senders mailer.Kinds // of mail, by connector
	Frame   Frame        // of the experience

	NewKey func(alg string) (store.SigningKey, error) // makes a key that signs tokens; nil: keys cannot be rotated here

	// Under what challenges and records of mails are kept, which go with an account. Nil: there are none.
	Codes, Mails Addresses

	TestCodes TestCodes // nil: test addresses cannot be set here

	DNS doctor.Resolver // that senders' domains are looked up with; nil: the system's

	Pictures Fetcher // gets logos and icons when their addresses are set; nil: browsers load them from there

	Private []netip.Prefix // networks that are not public, and webhooks may post to
	Agent   string         // the User-Agent of posts to webhooks
}

// Service is the functions. They are safe for concurrent use.
type Service struct {
	store      Store
	book       *audit.Book
	senders    mailer.Kinds
	connectors *keyring.Sealer
	frame      Frame
	fetcher    Fetcher
	newKey     func(alg string) (store.SigningKey, error)

	codes, mails Addresses
	tests        TestCodes
	hooks        *webhook.Desk
	dns          doctor.Resolver

	verifier     *audit.Verifier
	deliveries   *mailer.Deliveries
	suppressions *mailer.Suppressions
}

// New makes the service.
func New(d Deps) (*Service, error) {
	if d.Store == nil || d.Book == nil || d.Ring == nil || d.Senders == nil {
		return nil, errors.New("admin: Store, Book, Ring and Senders are needed")
	}
	if d.Frame.CodeTTL == 0 {
		d.Frame.CodeTTL = 10 * time.Minute
	}
	if d.Frame.Tries == 0 {
		d.Frame.Tries = 5
	}
	if d.DNS == nil {
		d.DNS = doctor.NewResolver("")
	}
	return &Service{
		store: d.Store, book: d.Book, senders: d.Senders, connectors: d.Ring.Sealer("connector"), frame: d.Frame, fetcher: d.Pictures, newKey: d.NewKey, codes: d.Codes, mails: d.Mails, tests: d.TestCodes,
		dns:   d.DNS,
		hooks: webhook.NewDesk(d.Ring, d.Private, cmp.Or(d.Agent, "idp")), verifier: audit.NewVerifier(d.Store, d.Ring), deliveries: mailer.NewDeliveries(d.Store, d.Ring), suppressions: mailer.NewSuppressions(d.Store, d.Ring),
	}, nil
}

// editTries bounds how often a change is made anew because somebody else was faster.
const editTries = 5

// edit changes something that others may change at the same time: read gives it with its
// version (its UpdatedAt), write writes it if that is still its version, and says
// [store.Changed] if not. With the version that the caller has seen, somebody else's change
// is an error; without, the change is made on top of it.
func edit[T any](op string, seen time.Time, read func() (T, time.Time, error), write func(T, time.Time) (T, error)) (T, error) {
	for try := 1; ; try++ {
		before, version, err := read()
		if err != nil {
			return before, err
		}
		if !seen.IsZero() && !seen.Equal(version) {
			return before, &store.Error{Code: store.Changed, Op: op}
		}
		after, err := write(before, version)
		if store.CodeOf(err) == store.Changed && seen.IsZero() && try < editTries {
			continue
		}
		return after, err
	}
}
