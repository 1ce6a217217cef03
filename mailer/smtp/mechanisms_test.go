package smtp_test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/emersion/go-sasl"
	smtpd "github.com/emersion/go-smtp"
)

func (s *session) AuthMechanisms() []string { return s.mechs }

func (s *session) Auth(mech string) (sasl.Server, error) {
	if err := s.step("auth", s.conn); err != nil {
		return nil, err
	}
	check := func(user, pass string) error {
		if user != "ada" || pass != "secret" {
			return smtpd.ErrAuthFailed
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.logins = append(s.logins, mech)
		return nil
	}
	switch mech {
	case "PLAIN":
		return sasl.NewPlainServer(func(_, user, pass string) error { return check(user, pass) }), nil
	case "LOGIN":
		var user *string
		return exchange(func(in []byte) ([]byte, bool, error) {
			switch {
			case in == nil:
				return []byte("Username:"), false, nil
			case user == nil:
				user = new(string(in))
				return []byte("Password:"), false, nil
			}
			return nil, true, check(*user, string(in))
		}), nil
	case "CRAM-MD5":
		return exchange(func(in []byte) ([]byte, bool, error) {
			const challenge = "<1896.697170952@sink.test>"
			if in == nil {
				return []byte(challenge), false, nil
			}
			mac := hmac.New(md5.New, []byte("secret"))
			mac.Write([]byte(challenge))
			if string(in) != "ada "+hex.EncodeToString(mac.Sum(nil)) {
				return nil, true, smtpd.ErrAuthFailed
			}
			return nil, true, check("ada", "secret")
		}), nil
	case "SCRAM-SHA-256":
		var first, nonce string // the client's first message without its header; both nonces
		return exchange(func(in []byte) ([]byte, bool, error) {
			const salt, rounds = "salt", 4096
			switch {
			case in == nil:
				return []byte{}, false, nil
			case first == "":
				first = strings.TrimPrefix(string(in), "n,,")
				_, clients, _ := strings.Cut(first, ",r=")
				nonce = clients + "server"
				return fmt.Appendf(nil, "r=%s,s=%s,i=%d", nonce, base64.StdEncoding.EncodeToString([]byte(salt)), rounds), false, nil
			case len(in) == 0:
				return nil, true, check("ada", "secret")
			}
			salted, _ := pbkdf2.Key(sha256.New, "secret", []byte(salt), rounds, sha256.Size)
			sum := func(key []byte, text string) []byte {
				mac := hmac.New(sha256.New, key)
				mac.Write([]byte(text))
				return mac.Sum(nil)
			}
			bare, proof, _ := strings.Cut(string(in), ",p=")
			said := fmt.Sprintf("%s,r=%s,s=%s,i=%d,%s", first, nonce, base64.StdEncoding.EncodeToString([]byte(salt)), rounds, bare)
			key := sum(salted, "Client Key")
			stored := sha256.Sum256(key)
			for i, b := range sum(stored[:], said) {
				key[i] ^= b
			}
			if !strings.HasSuffix(bare, "r="+nonce) || proof != base64.StdEncoding.EncodeToString(key) {
				return nil, true, smtpd.ErrAuthFailed
			}
			return []byte("v=" + base64.StdEncoding.EncodeToString(sum(sum(salted, "Server Key"), said))), false, nil
		}), nil
	case "XOAUTH2":
		return exchange(func(in []byte) ([]byte, bool, error) {
			if string(in) != "user=ada\x01auth=Bearer token-1\x01\x01" {
				return nil, true, smtpd.ErrAuthFailed
			}
			return nil, true, check("ada", "secret")
		}), nil
	}
	return nil, smtpd.ErrAuthUnknownMechanism
}

type exchange func(in []byte) (out []byte, done bool, err error)

func (e exchange) Next(in []byte) ([]byte, bool, error) { return e(in) }
