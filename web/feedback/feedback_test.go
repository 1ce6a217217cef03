package feedback_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"idp/keyring"
	"idp/mailer"
	"idp/mailer/sns"
	"idp/mailer/sns/snstest"
	"idp/store"
	"idp/store/sqlite"
	"idp/store/sqlitetest"
	"idp/store/sqlstore"
	"idp/web/feedback"
	"idp/web/serve"
)

const recipient = "ada.lovelace@example.com"

// world is the hook before a real store, and SNS before it.
type world struct {
	testing.TB
	*snstest.SNS
	db   *sqlstore.DB
	away *outage
	ring *keyring.Ring
	web  http.Handler
	log  bytes.Buffer
	mu   sync.Mutex
}

type outage struct {
	sqlstore.Engine
	on atomic.Bool
}

func (o *outage) Run(ctx context.Context, s *sqlstore.Script) error {
	if o.on.Load() {
		return &store.Error{Code: store.Unavailable, Op: "test"}
	}
	return o.Engine.Run(ctx, s)
}

// Write implements [io.Writer] for the log.
func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

func setup(t *testing.T, topics ...string) *world {
	t.Helper()
	return setupOn(t, snstest.New(t), topics...)
}

func setupOn(t *testing.T, s *snstest.SNS, topics ...string) *world {
	t.Helper()
	w := &world{TB: t, SNS: s}
	engine, err := sqlite.Open(t.Context(), sqlitetest.File(t), sqlite.Options{})
	w.must(err)
	w.must(engine.Migrate(t.Context()))
	w.away = &outage{Engine: engine}
	w.db = sqlstore.New(w.away)
	w.must(w.db.Start(t.Context()))
	t.Cleanup(func() { _ = w.db.Close() })
	w.ring, err = keyring.New(bytes.Repeat([]byte{7}, keyring.SecretSize))
	w.must(err)
	log := slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
	deps := mailer.FeedbackDeps{Store: w.db, Log: log, Now: w.db.Now}
	for _, arn := range topics {
		topic, err := sns.ParseTopic(arn)
		w.must(err)
		deps.Topics = append(deps.Topics, topic)
	}
	deps.SNS = sns.New(sns.Config{Topics: deps.Topics, Transport: w.SNS, Roots: w.Roots, Now: w.db.Now})
	r := chi.NewRouter()
	r.Use(serve.Middleware(serve.Deps{Log: log, ClientIP: func(*http.Request) netip.Addr { return netip.Addr{} }}))
	feedback.Mount(r, feedback.Deps{Feedback: mailer.NewFeedback(deps), Log: log})
	w.web = r
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// sent is a mail to the recipient that SES took under a name.
func (w *world) sent(provider string) store.ID {
	w.Helper()
	q, err := mailer.New(mailer.Deps{Store: w.db, Ring: w.ring, Replica: store.NewID(time.Now()), Now: w.db.Now, Log: slog.New(slog.DiscardHandler)})
	w.must(err)
	id := store.NewID(w.db.Now())
	mail, err := q.Seal(store.Message{To: recipient, Usage: store.UsageSignIn, Locale: "en", Code: "123456", CodeTTL: 10}, id)
	w.must(err)
	_, err = w.db.BeginChallenge(w.Context(), store.NewChallenge{ID: id, Purpose: store.PurposeSignIn, Email: recipient, CodeTTL: time.Minute,
		TTL: time.Hour, Tries: 5, Sends: 3, Mail: mail})
	w.must(err)
	w.must(w.db.SettleMail(w.Context(), []store.Settled{{ID: mail.ID, State: store.MailSent, Sender: "aws-ses-mail", Provider: provider}}))
	return mail.ID
}

func (w *world) state(id store.ID) string {
	w.Helper()
	d, err := w.db.Delivery(w.Context(), id)
	w.must(err)
	return mailer.StateName(d.State)
}

// suppressed counts the suppression list.
func (w *world) suppressed() int {
	w.Helper()
	list, err := w.db.Suppressions(w.Context(), store.SuppressionFilter{Limit: 100})
	w.must(err)
	return len(list)
}

func (w *world) do(method string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(w.Context(), method, feedback.Path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "text/plain; charset=UTF-8") // as SNS does
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	out := httptest.NewRecorder()
	w.web.ServeHTTP(out, r)
	return out
}

func (w *world) post(body []byte, want int) *httptest.ResponseRecorder {
	w.Helper()
	out := w.do(http.MethodPost, body)
	if out.Code != want {
		w.Fatalf("status %d, want %d\n%s", out.Code, want, w.logged())
	}
	return out
}

func TestReplay(t *testing.T) {
	t.Parallel()
	w := setup(t, snstest.Topic)
	id := w.sent("m-1")
	body := w.Sign(w.Notification(hardBounce("m-1")))
	w.post(body, 200)
	w.must(mailer.NewSuppressions(w.db, w.ring).Lift(t.Context(), recipient))
	w.post(body, 403)
	if w.suppressed() != 0 || w.state(id) != "bounced" {
		t.Error("a replay has changed something")
	}
	if !strings.Contains(w.logged(), "was not taken") {
		t.Error("it is not logged")
	}
	w.db.AdvanceForTest(23 * time.Hour)
	w.post(body, 403)
	w.db.AdvanceForTest(2 * time.Hour)
	w.post(body, 403)
}

// The text that is signed has no quotes: with its subject moved into its id a message
// has the same signature, and must not pass for another one.
func TestReplayUnderAnotherName(t *testing.T) {
	t.Parallel()
	w := setup(t, snstest.Topic)
	w.sent("m-1")
	m := w.Notification(hardBounce("m-1"))
	m["Subject"] = "Amazon SES Email Event Notification"
	w.post(w.Sign(m), 200)
	w.must(mailer.NewSuppressions(w.db, w.ring).Lift(t.Context(), recipient))
	m["MessageId"] += "\nSubject\n" + m["Subject"]
	delete(m, "Subject")
	w.post(m.Body(), 400)
	if w.suppressed() != 0 {
		t.Error("a replay suppresses")
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	w := setup(t, snstest.Topic)
	id := w.sent("m-1")
	other := snstest.New(t)
	with := func(field, value string) []byte {
		m := w.Notification(hardBounce("m-1"))
		m[field] = value
		return w.Sign(m)
	}
	good := w.Sign(w.Notification(hardBounce("m-1")))
	for name, c := range map[string]struct {
		body []byte
		want int
	}{
		"unsigned":     {w.Notification(hardBounce("m-1")).Body(), 403},
		"other key":    {other.Sign(other.Notification(hardBounce("m-1"))), 403},
		"tampered":     {bytes.Replace(good, []byte("Permanent"), []byte("permanent"), 1), 403},
		"topic":        {with("TopicArn", "arn:aws:sns:eu-west-1:123456789012:another"), 403},
		"certificate":  {with("SigningCertURL", "https://attacker.example/SimpleNotificationService-1.pem"), 403},
		"old":          {with("Timestamp", time.Now().Add(-25*time.Hour).UTC().Format(time.RFC3339)), 403},
		"future":       {with("Timestamp", time.Now().Add(10*time.Minute).UTC().Format(time.RFC3339)), 403},
		"raw delivery": {[]byte(hardBounce("m-1")), 400},
		"half":         {good[:len(good)/2], 400},
		"nothing":      {nil, 400},
		"deep":         {[]byte(strings.Repeat("[", 200_000)), 400},
		"form":         {[]byte("Type=Notification"), 400},
		"too long":     {bytes.Repeat([]byte(" "), feedback.MaxBody+1), 413},
	} {
		if out := w.do(http.MethodPost, c.body); out.Code != c.want || out.Body.Len() > 10 {
			t.Errorf("%s: status %d, want %d", name, out.Code, c.want)
		}
	}
	if w.state(id) != "sent" || w.suppressed() != 0 {
		t.Error("something has changed")
	}
	for _, asked := range w.Asked() {
		if !strings.HasPrefix(asked, "https://"+snstest.Host+"/Simple") && !strings.HasPrefix(asked, "http://crt.") {
			t.Errorf("asked for %s", asked)
		}
	}
	if log := w.logged(); strings.Contains(log, "status=5") || strings.Contains(log, "lovelace") {
		t.Error(log)
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		if out := w.do(method, nil); out.Code != 405 {
			t.Errorf("%s: %d", method, out.Code)
		}
	}
	w.post(good, 200)
}

func TestWithoutATopic(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.post(w.Sign(w.Notification(hardBounce("m-1"))), 403)
	w.post([]byte("rubbish"), 403)
	if n := strings.Count(w.logged(), "IDP_SES_TOPICS to the ARN"); n != 1 {
		t.Errorf("said %d times how to set it", n)
	}
	if len(w.Asked()) != 0 {
		t.Errorf("asked for %v", w.Asked())
	}
}

func TestSubscription(t *testing.T) {
	t.Parallel()
	w := setup(t, snstest.Topic)
	m := w.Confirmation("token-1")
	m["SubscribeURL"] = "https://attacker.example/?Action=ConfirmSubscription"
	body := w.Sign(m)
	w.Down(true)
	w.post(body, 503)
	w.Down(false)
	w.post(body, 200)
	w.post(body, 403)
	if got := w.Confirmed(); len(got) != 1 || got[0] != "token-1" {
		t.Errorf("confirmed %v", got)
	}
	for name, forged := range map[string][]byte{
		"unsigned": w.Confirmation("token-2").Body(),
		"topic": func() []byte {
			m := w.Confirmation("token-3")
			m["TopicArn"] = "arn:aws:sns:eu-west-1:123456789012:theirs"
			return w.Sign(m)
		}(),
	} {
		w.post(forged, 403)
		if len(w.Confirmed()) != 1 {
			t.Errorf("%s: confirmed", name)
		}
	}
	for _, asked := range w.Asked() {
		if strings.Contains(asked, "attacker") {
			t.Errorf("asked for %s", asked)
		}
	}
	if strings.Contains(w.logged(), "token-1") {
		t.Error("the token is logged")
	}
	bye := w.Confirmation("token-4")
	bye["Type"] = "UnsubscribeConfirmation"
	w.post(w.Sign(bye), 200)
	if len(w.Confirmed()) != 1 {
		t.Error("an unsubscription was undone")
	}
}

// An event may come before we have noted what the mail is called at the provider.
func TestEventBeforeItsMail(t *testing.T) {
	t.Parallel()
	w := setup(t, snstest.Topic)
	for n := 1; ; n++ { // a busy machine may note it only when nobody waits for it any more
		done := make(chan int)
		name := fmt.Sprintf("m-0-%d", n)
		body := w.Sign(w.Notification(hardBounce(name)))
		go func() { done <- w.do(http.MethodPost, body).Code }()
		time.Sleep(300 * time.Millisecond)
		id := w.sent(name)
		status := <-done
		if status == 503 && n < 5 {
			continue
		}
		if status != 200 || w.state(id) != "bounced" {
			t.Errorf("status %d, state %s", status, w.state(id))
		}
		break
	}

	// Later is for SNS to try: the same message is taken then.
	w.must(mailer.NewSuppressions(w.db, w.ring).Lift(t.Context(), recipient))
	body := w.Sign(w.Notification(hardBounce("m-2")))
	if out := w.post(body, 503); out.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	id := w.sent("m-2")
	w.post(body, 200)
	if w.state(id) != "bounced" {
		t.Error("the second try is lost")
	}

	// Another program's mail, of some time ago.
	var e map[string]any
	w.must(json.Unmarshal([]byte(hardBounce("theirs")), &e))
	e["mail"].(map[string]any)["timestamp"] = time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	old, err := json.Marshal(e)
	w.must(err)
	w.post(w.Sign(w.Notification(string(old))), 200)
}

// Another program's mails of this moment, at the same topic, do not pile up here.
func TestManyMailsOfOthers(t *testing.T) {
	t.Parallel()
	w := setup(t, snstest.Topic)
	const many = 100
	var slow atomic.Int64
	for n := range 5 { // a busy machine is slow with all of them now and then, one that waits for each always
		slow.Store(0)
		var posts sync.WaitGroup
		for i := range many {
			body := w.Sign(w.Notification(hardBounce(fmt.Sprintf("theirs-%d-%d", n, i))))
			posts.Go(func() {
				start := time.Now()
				if status := w.do(http.MethodPost, body).Code; status != 503 {
					t.Errorf("status %d", status)
				}
				if time.Since(start) > 2*time.Second {
					slow.Add(1)
				}
			})
		}
		posts.Wait()
		if slow.Load() <= many/2 {
			return
		}
	}
	t.Errorf("%d messages were waited for at the same time", slow.Load())
}

func TestDatabaseIsAway(t *testing.T) {
	t.Parallel()
	w := setup(t, snstest.Topic)
	id := w.sent("m-1")
	body := w.Sign(w.Notification(hardBounce("m-1")))
	w.away.on.Store(true)
	if out := w.post(body, 503); out.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.away.on.Store(false)
	w.post(body, 200)
	if w.state(id) != "bounced" || w.suppressed() != 1 {
		t.Error("what SNS sends again is lost")
	}
}
