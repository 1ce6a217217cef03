package smtp

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"idp/mailer"
	"idp/mailer/mailbox"
	"idp/store/address"
)

// envelope is a mail as it goes over the wire.
type envelope struct {
	from, to string // addresses
	text     []byte // header and body, with CRLF
}

// maxMail bounds a mail: servers take 10 MB and more, but nothing we send has a reason to
// be a tenth of that.
const maxMail = 1 << 20

// seal writes a mail down: multipart/alternative, every header on one line of our own
// making, signed if there is a key. The error says what in the mail is wrong.
func (s *Sender) seal(m mailer.Rendered, now time.Time) (envelope, error) {
	to, err := address.Parse(m.To)
	if err != nil {
		return envelope{}, errors.New("the recipient is not one plain address")
	}
	from := s.settings.from
	if m.Sender != "" {
		if from, err = mailbox.Parse(m.Sender); err != nil {
			return envelope{}, fmt.Errorf("the template's sender %w", err)
		}
	}
	if from.Name == "" {
		from = from.Named(m.From)
	}
	replyTo := s.settings.replyTo
	if m.ReplyTo != "" {
		box, err := mailbox.Parse(m.ReplyTo)
		if err != nil {
			return envelope{}, fmt.Errorf("the template's reply address %w", err)
		}
		replyTo = box.Header()
	}
	if len(m.Text)+len(m.HTML) > maxMail {
		return envelope{}, fmt.Errorf("the mail is longer than %d kB", maxMail>>10)
	}

	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	err = errors.Join(
		msg.SetAddrHeader(mail.HeaderFrom, from.Header()),
		msg.SetAddrHeader(mail.HeaderTo, "<"+string(to)+">"))
	if replyTo != "" {
		err = errors.Join(err, msg.SetAddrHeader(mail.HeaderReplyTo, replyTo))
	}
	if err != nil {
		return envelope{}, err
	}
	msg.Subject(mailbox.OneLine(m.Subject))
	msg.SetDateWithValue(now)
	// The same on every attempt: a mailbox that gets a mail twice shows it once.
	msg.SetMessageIDWithValue(atom(m.ID) + "@" + from.Domain())
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office answers
	body(msg, m)
	var buffer bytes.Buffer
	if _, err := msg.WriteTo(&buffer); err != nil {
		return envelope{}, err
	}
	text := buffer.Bytes()
	if s.settings.dkim != nil {
		if text, err = s.settings.dkim.sign(text); err != nil {
			return envelope{}, err
		}
	}
	return envelope{from.Address, string(to), text}, nil
}

// atom is a mail's id as a Message-ID can have it: those of the queue as they are, and
// something new in the place of any other, such as that of a test mail.
func atom(id string) string {
	if id == "" || strings.Trim(id, "-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return rand.Text()
	}
	return id
}

// body sets the parts; the plainest comes first (RFC 2046 section 5.1.4).
func body(msg *mail.Msg, m mailer.Rendered) {
	switch {
	case m.HTML == "":
		msg.SetBodyString(mail.TypeTextPlain, m.Text, mail.WithPartEncoding(encoding(m.Text)))
	case m.Text == "":
		msg.SetBodyString(mail.TypeTextHTML, m.HTML, mail.WithPartEncoding(encoding(m.HTML)))
	default:
		msg.SetBodyString(mail.TypeTextPlain, m.Text, mail.WithPartEncoding(encoding(m.Text)))
		msg.AddAlternativeString(mail.TypeTextHTML, m.HTML, mail.WithPartEncoding(encoding(m.HTML)))
	}
}

// encoding is the shorter one: quoted-printable takes three bytes for each that is not
// ASCII, base64 four for each three.
func encoding(text string) mail.Encoding {
	wide := 0
	for i := range len(text) {
		if text[i] >= 0x80 {
			wide++
		}
	}
	if wide > len(text)/6 {
		return mail.EncodingB64
	}
	return mail.EncodingQP
}
